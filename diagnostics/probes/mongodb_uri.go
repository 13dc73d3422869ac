package probes

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"strings"

	"tandem/diagnostics"
)

// MongoURIArgs name the service whose URI to check.
type MongoURIArgs struct {
	Service string `cel:"service"`
}

// URIShape is what may be known of a MongoDB URI. All but Valid and Problem is
// zero when it is not valid, because a wrong URI can put part of the password
// where a host is expected.
type URIShape struct {
	Valid          bool     `cel:"valid"`
	Problem        string   `cel:"problem"`
	Hosts          []string `cel:"hosts"`
	AuthSource     string   `cel:"auth_source"`
	HasCredentials bool     `cel:"has_credentials"`
}

// Problems of a MongoDB URI. They name the place and never repeat it.
const (
	uriEmpty       = "empty"
	uriScheme      = "scheme"           // neither mongodb:// nor mongodb+srv://
	uriNotEscaped  = "not_escaped"      // a character in user or password that must be percent-encoded
	uriPercent     = "percent_encoding" // a % that is not followed by two hexadecimal digits
	uriCredentials = "credentials"      // a user without a name
	uriHost        = "host"             // no host, or a port that is no port
	uriOptions     = "options"          // an option that is not name=value, or options without a / before them
	uriWhitespace  = "whitespace"       // a space or a line break, often from a copied text
)

func (p mongodbProbes) uri(ctx context.Context, args MongoURIArgs) (URIShape, []diagnostics.Evidence, error) {
	read := p.uris[args.Service]
	if read == nil {
		return URIShape{}, nil, notConfigured("a reference to the MongoDB URI of "+args.Service, "mongodb.uris."+args.Service)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := &trail{source: "mongodb", now: p.now}
	show := shell("mongosh", "--quiet") + ` "$MONGODB_URI" --eval 'db.hello()'`
	secret, err := read(ctx)
	if err != nil {
		blind := blindNetwork("read the MongoDB URI of "+args.Service, diagnostics.Both("check the reference in the configuration", "confira a referência na configuração"), err)
		return URIShape{}, t.list, t.fail(show, blind)
	}
	facts := ParseURI(secret)
	observed := "the URI is well formed, for " + list(facts.Hosts)
	if !facts.Valid {
		observed = "the URI is not well formed: " + facts.Problem
	}
	t.add(show, "%s", observed)
	return facts, t.list, nil
}

// ParseURI judges the form of a MongoDB URI as drivers do, and says nothing that
// could be a part of its user or password.
func ParseURI(secret string) URIShape {
	rest, srv, problem := uriRest(secret)
	if problem != "" {
		return URIShape{Problem: problem}
	}
	authority, tail, _ := strings.Cut(rest, "/")
	database, options, _ := strings.Cut(tail, "?")
	shape := URIShape{AuthSource: "admin"}
	hosts := authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if problem := credentialsProblem(authority[:at]); problem != "" {
			return URIShape{Problem: problem}
		}
		shape.HasCredentials, hosts = true, authority[at+1:]
	}
	// An @ further on means that an unescaped / of the password cut the
	// authority short; what looks like a host is then a part of a secret.
	if strings.Contains(tail, "@") {
		return URIShape{Problem: uriNotEscaped}
	}
	if strings.Contains(hosts, "?") {
		return URIShape{Problem: uriOptions}
	}
	if shape.Hosts, problem = uriHosts(hosts, srv); problem != "" {
		return URIShape{Problem: problem}
	}
	if source, problem := authSource(database, options); problem != "" {
		return URIShape{Problem: problem}
	} else if source != "" {
		shape.AuthSource = source
	}
	shape.Valid = true
	return shape
}

// uriRest is what follows the scheme.
func uriRest(secret string) (rest string, srv bool, problem string) {
	switch {
	case strings.TrimSpace(secret) == "":
		return "", false, uriEmpty
	case strings.ContainsAny(secret, " \t\r\n"):
		return "", false, uriWhitespace
	}
	if rest, ok := strings.CutPrefix(secret, "mongodb://"); ok {
		return rest, false, ""
	}
	if rest, ok := strings.CutPrefix(secret, "mongodb+srv://"); ok {
		return rest, true, ""
	}
	return "", false, uriScheme
}

// credentialsProblem is what is wrong with user:password. The standard has more
// characters percent-encoded than drivers insist on.
func credentialsProblem(text string) string {
	user, password, _ := strings.Cut(text, ":")
	switch {
	case strings.ContainsAny(user, "@"), strings.ContainsAny(password, ":@"):
		return uriNotEscaped
	case user == "":
		return uriCredentials
	}
	for _, part := range []string{user, password} {
		if _, err := url.PathUnescape(part); err != nil {
			return uriPercent
		}
	}
	return ""
}

// uriHosts takes the list of hosts apart. With srv there is one name without a
// port.
func uriHosts(text string, srv bool) ([]string, string) {
	hosts := strings.Split(text, ",")
	if srv && len(hosts) > 1 {
		return nil, uriHost
	}
	for _, host := range hosts {
		if !goodHost(host, srv) {
			return nil, uriHost
		}
	}
	return hosts, ""
}

func goodHost(host string, srv bool) bool {
	if strings.ContainsAny(host, "@/?#\\\"'<>{}|^`") {
		return false
	}
	if strings.HasSuffix(host, ".sock") && strings.Contains(host, "%2F") {
		return !srv // a socket's path, percent-encoded
	}
	name := host
	if strings.Contains(host, ":") {
		var port string
		var err error
		if name, port, err = net.SplitHostPort(host); err != nil {
			return strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") && net.ParseIP(strings.Trim(host, "[]")) != nil
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || srv {
			return false
		}
	}
	return name != "" && !strings.ContainsAny(name, "%[]")
}

// authSource is the database that knows the user: an option, or the database of
// the path.
func authSource(database, options string) (source, problem string) {
	source, err := url.PathUnescape(database)
	if err != nil {
		return "", uriPercent
	}
	for _, option := range strings.FieldsFunc(options, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, found := strings.Cut(option, "=")
		if !found || name == "" || value == "" {
			return "", uriOptions
		}
		value, err := url.PathUnescape(value)
		if err != nil {
			return "", uriPercent
		}
		if strings.EqualFold(name, "authSource") {
			source = value
		}
	}
	return source, ""
}
