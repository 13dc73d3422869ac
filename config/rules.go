package config

import (
	"net"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// hasRule says whether the `check` tag of a field has a rule.
func hasRule(field reflect.StructField, rule string) bool {
	return slices.Contains(strings.Split(field.Tag.Get("check"), ","), rule)
}

// rules judges a value by the `check` tag of its field. A list is judged item
// by item.
func (d *decoder) rules(node *yaml.Node, value reflect.Value, field reflect.StructField, path string) {
	tag := field.Tag.Get("check")
	if tag == "" {
		return
	}
	if value.Kind() == reflect.Slice {
		if value.Len() == 0 && hasRule(field, "filled") {
			d.add(node, path, "an empty list: leave the key out if it is to stand for all, or name at least one")
		}
		for i := range min(value.Len(), len(node.Content)) {
			d.rules(node.Content[i], value.Index(i), field, path+"["+strconv.Itoa(i)+"]")
		}
		return
	}
	for rule := range strings.SplitSeq(tag, ",") {
		if problem := judge(rule, value); problem != "" {
			d.add(node, path, "%s", problem)
		}
	}
}

// judge returns what is wrong with a value, or "".
func judge(rule string, value reflect.Value) string {
	rule, arg, _ := strings.Cut(rule, "=")
	switch rule {
	case "required":
		if value.Kind() == reflect.String && value.String() == "" {
			return "empty: expected a value"
		}
	case "url":
		return judgeURL(value.String())
	case "spiffe":
		return judgeSPIFFE(value.String())
	case "vault":
		if !vaultPath.MatchString(value.String()) {
			return "expected names with slashes between them, like orchestrator/mongodb: neither * nor +, no blanks, no slash at an end"
		}
	case "plain":
		if !plain.MatchString(value.String()) {
			return "expected letters, digits and any of _ . : / @ = , -, since it becomes a part of queries and commands"
		}
	case "hostport":
		if _, _, err := net.SplitHostPort(value.String()); err != nil {
			return "expected host:port"
		}
	case "listen":
		return judgeListen(value.String())
	case "share":
		if x := value.Float(); !(x > 0 && x <= 1) {
			return "expected a number above 0, up to 1"
		}
	case "port":
		return judgeRange(value.Int(), 1, 65535)
	case "width":
		return judgeRange(value.Int(), 1, 1000)
	case "perminute":
		return judgeRange(value.Int(), 1, 600)
	case "parallel":
		return judgeRange(value.Int(), 1, 32)
	case "rate":
		return judgeRate(value.Float())
	case "regexp":
		if _, err := regexp.Compile(value.String()); err != nil {
			return "expected a regular expression of Go, like ^Vault"
		}
	case "urlpath":
		if !urlPath.MatchString(value.String()) {
			return "expected a path like /alertmanager"
		}
	case "quorum":
		return judgeRange(value.Int(), 1, 10)
	case "expires":
		return judgeSpan(time.Duration(value.Int()), time.Minute, 24*time.Hour)
	case "keepruns":
		return judgeRange(value.Int(), 2, 10_000)
	case "keepfor":
		return judgeSpan(time.Duration(value.Int()), time.Hour, 365*24*time.Hour)
	case "clock":
		if !clock.MatchString(value.String()) {
			return "expected a time of the day like 22:00"
		}
	case "zone":
		if _, err := time.LoadLocation(value.String()); err != nil || value.String() == "Local" {
			return "expected a time zone like America/Sao_Paulo or UTC"
		}
	case "emoji":
		if !emoji.MatchString(value.String()) {
			return "expected the name of an emoji without colons, like white_check_mark"
		}
	case "slackid":
		return judgeSlackID(value.String(), strings.Fields(arg))
	case "oneof":
		if allowed := strings.Fields(arg); !slices.Contains(allowed, value.String()) {
			return "expected one of " + strings.Join(allowed, ", ")
		}
	}
	return ""
}

// vaultPath matches what may become a part of a path in a Vault policy. A * or +
// would widen that policy.
var vaultPath = regexp.MustCompile(`^[A-Za-z0-9_.@=,:-]+(/[A-Za-z0-9_.@=,:-]+)*$`)

// plain matches what may stand in a PromQL string or a shell command as it is.
var plain = regexp.MustCompile(`^[A-Za-z0-9_.:/@=,-]+$`)

// clock matches a time of the day.
var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// emoji matches what Slack calls an emoji, without the colons.
var emoji = regexp.MustCompile(`^[a-z0-9_+'-]{1,100}$`)

func judgeSpan(d, low, high time.Duration) string {
	if d < low || d > high {
		return "expected a duration from " + low.String() + " to " + high.String()
	}
	return ""
}

func judgeURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "expected an address like https://host:port"
	case u.User != nil:
		return "holds a user or password: expected an address without them, and the secret by reference"
	default:
		return ""
	}
}

func judgeSPIFFE(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "spiffe" || u.Host == "" || u.Path == "" || u.User != nil {
		return "expected a SPIFFE ID like spiffe://example.org/ns/a/sa/b"
	}
	return ""
}

func judgeListen(text string) string {
	_, port, err := net.SplitHostPort(text)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
		return "expected an address and a port to listen on, like 127.0.0.1:9464"
	}
	return ""
}

// slackID matches the ids of Slack, whose first letter says what they are of.
var slackID = regexp.MustCompile(`^[A-Z][A-Z0-9]{2,30}$`)

// judgeSlackID holds an id against the letters, or the words, that are allowed.
func judgeSlackID(id string, allowed []string) string {
	if slices.Contains(allowed, id) && len(id) > 1 || slackID.MatchString(id) && slices.Contains(allowed, id[:1]) {
		return ""
	}
	expected := "expected an id of Slack that begins with " + allowed[0] + ", like " + allowed[0] + "0123456789"
	if last := allowed[len(allowed)-1]; len(last) > 1 {
		expected += ", or " + last
	}
	return expected + "; a name can be changed by others"
}

func judgeRange(n, low, high int64) string {
	if n < low || n > high {
		return "expected a number from " + strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10)
	}
	return ""
}
