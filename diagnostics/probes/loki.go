package probes

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tandem/diagnostics"
)

const (
	maxLokiAnswer = 32 << 20
	podLabel      = "pod" // of a stream
)

// Loki is a LogSource over Loki's HTTP API.
type Loki struct {
	url      string
	selector string
	client   *http.Client
}

// NewLoki makes a source of a Loki server. In the selector, like
// {service="$service"}, $service stands for the name of the service. The client
// brings credentials and TLS; nil: the default one.
func NewLoki(url, selector string, client *http.Client) *Loki {
	if client == nil {
		client = http.DefaultClient
	}
	return &Loki{url: strings.TrimSuffix(url, "/"), selector: selector, client: client}
}

// System implements LogSource.
func (l *Loki) System() string { return "loki" }

// Command implements LogSource: the lines themselves, by curl, for few people
// have logcli.
func (l *Loki) Command(q LogQuery) string {
	return shell("curl", "-sG", l.url+"/loki/api/v1/query_range",
		"--data-urlencode", "query="+l.lines(q),
		"--data-urlencode", "since="+window(q).String(),
		"--data-urlencode", "limit="+strconv.Itoa(q.Limit))
}

// Search implements LogSource: it asks at the same time for the number of all
// lines by pod, the newest, and those that match.
func (l *Loki) Search(ctx context.Context, q LogQuery) (LogPage, error) {
	var (
		page   LogPage
		newest []LogLine
		errs   [3]error
	)
	questions := len(errs)
	if q.MatchesOnly {
		questions = 1
	}
	parallel(questions, func(i int) {
		switch i {
		case 0:
			page.Matches, errs[i] = l.stream(ctx, q, l.lines(q), q.Limit)
		case 1:
			page.Lines, page.Pods, errs[i] = l.count(ctx, q)
		case 2:
			newest, errs[i] = l.stream(ctx, q, l.stem(q.Service), 1)
		}
	})
	if err := cmp.Or(errs[0], errs[1], errs[2]); err != nil {
		return LogPage{}, err
	}
	if len(newest) > 0 {
		page.Newest = newest[0].At
	}
	page.Read = int64(len(page.Matches))
	page.Truncated = len(page.Matches) >= q.Limit
	return page, nil
}

// stem is the selector of a service. Its name goes into a quoted label value.
func (l *Loki) stem(service string) string {
	quoted := strconv.Quote(service)
	return strings.ReplaceAll(l.selector, "$service", quoted[1:len(quoted)-1])
}

// lines is the LogQL for the lines that match. Loki itself leaves out what was
// not asked for: on a busy service the limit would hide it otherwise.
func (l *Loki) lines(q LogQuery) string {
	return l.stem(q.Service) + oneOf("event", "", q.Events) + oneOf("level", "(?i)", q.Levels) + containing(q) + fieldFilters(q)
}

// oneOf filters lines by one of their fields, also where the line is a string
// inside another object, with its quotes escaped. The first filter looks for
// words alone, which Loki does fast. The flags are those of a regular
// expression.
func oneOf(field, flags string, values []string) string {
	if len(values) == 0 {
		return ""
	}
	escaped := make([]string, len(values))
	for i, value := range values {
		escaped[i] = regexp.QuoteMeta(value)
	}
	words := flags + strings.Join(escaped, "|")
	return " |~ " + strconv.Quote(words) + " |~ " + strconv.Quote(`"`+field+`\\*"\s*:\s*\\*"(?:`+words+`)\\*"`)
}

// containing filters lines by the ids and the text that they must have.
func containing(q LogQuery) string {
	var filters string
	for _, id := range q.ids() {
		filters += " |= " + strconv.Quote(id)
	}
	if q.Text != "" {
		filters += " |~ " + strconv.Quote(written(q.Text))
	}
	return filters
}

// written matches a text as it may stand in JSON, where whatever is not plain
// can be escaped.
func written(text string) string {
	return "(?i)" + escapable.ReplaceAllString(regexp.QuoteMeta(text), `.{0,12}`)
}

// escapable matches what JSON may write otherwise, and what QuoteMeta put before
// it.
var escapable = regexp.MustCompile(`\\?[^\\A-Za-z0-9 _.:/-]|\\\\`)

// fieldFilters filter lines by their fields. A line whose event is inside
// another field passes: only the probe takes it apart.
func fieldFilters(q LogQuery) string {
	var fields, filters string
	if q.SPIFFEID != "" {
		fields += `, tandem_id="spiffe_id"`
		filters += ` | tandem_event="" or tandem_id="" or tandem_id=` + strconv.Quote(q.SPIFFEID)
	}
	if q.Reason != "" {
		reason := strconv.Quote(q.Reason)
		fields += `, tandem_reason="reason", tandem_class="error_class"`
		filters += ` | tandem_event="" or tandem_reason=` + reason + ` or (tandem_reason="" and tandem_class=` + reason + `)`
	}
	if q.Text != "" {
		text := strconv.Quote("(?i).*" + regexp.QuoteMeta(q.Text) + ".*")
		filters += ` | tandem_event="" or tandem_event=~` + text
		for i, field := range eventFields() {
			label := "tandem_text_" + strconv.Itoa(i)
			fields += ", " + label + "=" + strconv.Quote(field)
			filters += " or " + label + "=~" + text
		}
	}
	if fields == "" {
		return ""
	}
	return ` | json tandem_event="event"` + fields + filters
}

func window(q LogQuery) time.Duration { return q.Until.Sub(q.Since).Round(time.Second) }

// count is the number of all lines of the service, and of those of each pod
// that the streams' labels name.
func (l *Loki) count(ctx context.Context, q LogQuery) (lines int64, pods map[string]int64, err error) {
	var vector []struct {
		Metric map[string]string  `json:"metric"`
		Value  [2]json.RawMessage `json:"value"`
	}
	seconds := max(1, int64(window(q).Seconds()))
	query := fmt.Sprintf("sum by (%s) (count_over_time(%s[%ds]))", podLabel, l.stem(q.Service), seconds)
	values := url.Values{"query": {query}, "time": {strconv.FormatInt(q.Until.UnixNano(), 10)}}
	if err := l.get(ctx, "/loki/api/v1/query", values, "vector", &vector); err != nil {
		return 0, nil, err
	}
	pods = map[string]int64{}
	for _, sample := range vector {
		n, err := strconv.ParseFloat(word(sample.Value[1]), 64)
		if err != nil {
			return 0, nil, blindGarbage("GET /loki/api/v1/query", "Loki", "a count that is not a number")
		}
		lines += int64(n)
		if pod := sample.Metric[podLabel]; pod != "" {
			pods[pod] += int64(n)
		}
	}
	return lines, pods, nil
}

// stream reads lines, newest first over all streams.
func (l *Loki) stream(ctx context.Context, q LogQuery, query string, limit int) ([]LogLine, error) {
	var streams []struct {
		Labels map[string]string   `json:"stream"`
		Values [][]json.RawMessage `json:"values"` // [time, line, structured metadata?]
	}
	values := url.Values{
		"query":     {query},
		"start":     {strconv.FormatInt(q.Since.UnixNano(), 10)},
		"end":       {strconv.FormatInt(q.Until.UnixNano()+1, 10)}, // the end is exclusive
		"limit":     {strconv.Itoa(limit)},
		"direction": {"backward"},
	}
	if err := l.get(ctx, "/loki/api/v1/query_range", values, "streams", &streams); err != nil {
		return nil, err
	}
	var lines []LogLine
	for _, s := range streams {
		for _, v := range s.Values {
			if len(v) < 2 {
				return nil, blindGarbage("GET /loki/api/v1/query_range", "Loki", "a line without a time")
			}
			nanos, err := strconv.ParseInt(word(v[0]), 10, 64)
			if err != nil {
				return nil, blindGarbage("GET /loki/api/v1/query_range", "Loki", "a time that is not a number")
			}
			lines = append(lines, LogLine{At: time.Unix(0, nanos).UTC(), Pod: s.Labels[podLabel], Text: word(v[1])})
		}
	}
	newestFirst(lines)
	return lines, nil
}

// get asks one endpoint and decodes the result of the expected type.
func (l *Loki) get(ctx context.Context, path string, values url.Values, kind string, into any) error {
	doing := "GET " + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+path+"?"+values.Encode(), nil)
	if err != nil {
		return &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: doing + ": the configured address is not a URL", Next: correct("logs.loki.url")}
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return blindNetwork(doing, diagnostics.Both("check that Loki runs and that the bot can reach logs.loki.url", "verifique se o Loki está rodando e se o bot alcança logs.loki.url"), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxLokiAnswer))
	if err != nil {
		return blindNetwork(doing, diagnostics.Text{}, err)
	}
	if resp.StatusCode != http.StatusOK {
		return blindStatus(doing, "Loki", resp.StatusCode, body)
	}
	var answer struct {
		Status string `json:"status"`
		Data   struct {
			ResultType string          `json:"resultType"`
			Result     json.RawMessage `json:"result"`
		} `json:"data"`
	}
	err = json.Unmarshal(body, &answer)
	if err == nil && answer.Data.ResultType != kind {
		err = errors.New("another type of result")
	}
	if err == nil {
		err = json.Unmarshal(answer.Data.Result, into)
	}
	if err != nil {
		return blindGarbage(doing, "Loki", kindOf(body))
	}
	return nil
}

// blindStatus says what a status other than 200 means, for systems that are
// asked over plain HTTP.
func blindStatus(doing, system string, status int, body []byte) *diagnostics.BlindError {
	blind := &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: fmt.Sprintf("%s: status %d", doing, status)}
	switch {
	case status == http.StatusTooManyRequests:
		blind.Reason, blind.Next = diagnostics.ReasonThrottled, diagnostics.Both("wait, or raise "+system+"'s limits",
			"aguarde, ou aumente os limites d"+inPortuguese(system))
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		blind.Reason, blind.Next = diagnostics.ReasonDenied, diagnostics.Both("give the bot credentials that "+system+" takes",
			"dê ao bot credenciais que "+inPortuguese(system)+" aceite")
	case status == http.StatusGatewayTimeout:
		blind.Reason = diagnostics.ReasonTimeout
	case status >= 500:
		blind.Reason, blind.Next = diagnostics.ReasonUnavailable, diagnostics.Both("look at "+system+" itself", "veja como está "+inPortuguese(system))
	case status >= 300 && status < 400, kindOf(body) == "an HTML page":
		return blindGarbage(doing, system, fmt.Sprintf("status %d, %s", status, kindOf(body)))
	default:
		blind.Detail += ": " + clean(string(body), maxDetail)
	}
	return blind
}
