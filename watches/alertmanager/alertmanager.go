// Package alertmanager takes what Alertmanager sends to a webhook, and has the
// service that an alert is about looked at.
//
// Whoever sends has to know the token. A notification is acknowledged when it is
// kept, in one transaction with the job that looks: so Alertmanager repeats it
// when the database is away, and for no other reason. Labels and annotations are
// words of others: they are cut, secrets are taken out, and faces escape them.
package alertmanager

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics/redact"
	"tandem/i18n"
	"tandem/watches"
)

// Limits of one notification.
const (
	MaxBody     = 1 << 20 // bytes
	maxAlerts   = 1000
	maxServices = 20  // of one group, each of which is looked at
	maxText     = 300 // characters of a label or an annotation
	maxNames    = 5   // of alerts
	keepTime    = 8 * time.Second
)

// version of the payload that is understood, which Alertmanager 0.15 to 0.28 send.
const version = "4"

// Options are what a Receiver needs.
type Options struct {
	// Token returns what has to come with each request. It is read for each, so that
	// a rotated one is taken up.
	Token func() (string, error)
	// Heard keeps an alert, with the job that looks at it.
	Heard    func(context.Context, watches.Watch) error
	Channel  string // that is told
	Lang     i18n.Lang
	Labels   []string          // that name a service, the first that does counts
	Services map[string]string // by the name of an alert, whatever its labels say
	Known    []string          // the services that there are
	Alerts   []*regexp.Regexp  // of names; one has to match
	Log      *slog.Logger
	// Answered, if set, is told how a request ended: an HTTP status.
	Answered func(status int)
}

// Receiver is the http.Handler of the webhook.
type Receiver struct{ opts Options }

// New returns a receiver.
func New(o Options) (*Receiver, error) {
	if o.Token == nil || o.Heard == nil || o.Channel == "" {
		return nil, errors.New("make the receiver of alerts: a token, a channel and a store are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Receiver{opts: o}, nil
}

// payload is what Alertmanager sends, as far as it is of use.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
type payload struct {
	Version   string  `json:"version"`
	GroupKey  string  `json:"groupKey"`
	Status    string  `json:"status"` // firing while one alert of the group does
	Alerts    []alert `json:"alerts"`
	Truncated int     `json:"truncatedAlerts"`
}

type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	text   string // for whoever looks at Alertmanager's log
	err    error  // for our own; may be nil
}

func (r *refusal) Error() string { return r.text }

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status, text := http.StatusOK, "taken"
	if err := r.take(req); err != nil {
		refused, ok := errors.AsType[*refusal](err)
		if !ok {
			refused = &refusal{http.StatusInternalServerError, "the bot broke: its log says why", err}
		}
		status, text = refused.status, refused.text
		r.opts.Log.WarnContext(req.Context(), "a notification of Alertmanager was refused", "status", status, "why", text, "error", refused.err)
	}
	if r.opts.Answered != nil {
		r.opts.Answered(status)
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="tandem"`)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "10")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // whoever sent it does not wait for more
}

func (r *Receiver) take(req *http.Request) error {
	if req.Method != http.MethodPost {
		return &refusal{http.StatusMethodNotAllowed, "expected POST, as the webhook_configs of Alertmanager send it", nil}
	}
	if err := r.authenticate(req); err != nil {
		return err
	}
	p, err := read(req)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(req.Context(), keepTime)
	defer cancel()
	for _, w := range r.watches(p) {
		err := r.opts.Heard(ctx, w)
		if errors.Is(err, watches.ErrTooMany) { // which Alertmanager cannot mend by sending it again
			r.opts.Log.ErrorContext(ctx, "an alert is not looked at: there are too many watches", "service", w.Service, "error", err)
			continue
		}
		if err != nil {
			return &refusal{http.StatusServiceUnavailable, "the database of the bot does not answer: send it again", err}
		}
	}
	return nil
}

// authenticate compares hashes, in the same time for every token.
func (r *Receiver) authenticate(req *http.Request) error {
	token, err := r.opts.Token()
	if err != nil || token == "" {
		return &refusal{http.StatusServiceUnavailable, "the bot cannot read its own token: look at alertmanager.bearer_token", err}
	}
	scheme, given, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	want, got := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(strings.TrimSpace(given)))
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return &refusal{http.StatusUnauthorized, "the token is missing or wrong: set http_config.authorization.credentials of the receiver", nil}
	}
	return nil
}

// read reads a notification whole.
func read(req *http.Request) (payload, error) {
	var p payload
	if kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return p, &refusal{http.StatusUnsupportedMediaType, "expected application/json", nil}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, req.Body, MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return p, &refusal{http.StatusRequestEntityTooLarge, "larger than 1 MiB: set max_alerts of the receiver", nil}
	}
	if err != nil {
		return p, &refusal{http.StatusBadRequest, "the request broke off", nil}
	}
	switch err := json.Unmarshal(body, &p); {
	case err != nil:
		return p, &refusal{http.StatusBadRequest, "not the JSON of a notification", nil}
	case p.Version != version:
		return p, &refusal{http.StatusBadRequest, fmt.Sprintf("a notification of version %.10q: expected %q", p.Version, version), nil}
	case p.GroupKey == "", p.Status != "firing" && p.Status != "resolved", len(p.Alerts) == 0:
		return p, &refusal{http.StatusBadRequest, "not a notification: groupKey, status firing or resolved, and alerts are needed", nil}
	case len(p.Alerts) > maxAlerts:
		return p, &refusal{http.StatusRequestEntityTooLarge, "more than 1000 alerts: set max_alerts of the receiver", nil}
	}
	return p, nil
}

// watches are what to look at: each service that an alert of the group is about.
// An alert that names none which is known is told as that, once for the group.
func (r *Receiver) watches(p payload) []watches.Watch {
	byService := map[string]*watches.Watch{}
	var order []string
	for _, a := range p.Alerts {
		name := a.Labels["alertname"]
		if !slices.ContainsFunc(r.opts.Alerts, func(want *regexp.Regexp) bool { return want.MatchString(name) }) {
			continue
		}
		service, said := r.service(a)
		w := byService[service]
		if w == nil {
			if len(order) == maxServices {
				r.opts.Log.Warn("a group of alerts is about too many services: the others are not looked at", "most", maxServices)
				break
			}
			w = &watches.Watch{Service: service, Channel: r.opts.Channel, By: "alertmanager", Lang: r.opts.Lang, Alert: &watches.Alert{
				Group: short(p.GroupKey), Resolved: true, Summary: summary(a), Service: text(said), Labels: r.opts.Labels,
			}}
			if service == "" {
				w.Alert.Known = r.opts.Known
			}
			byService[service], order = w, append(order, service)
		}
		join(w.Alert, a, p.Status)
	}
	var all []watches.Watch
	for _, service := range order {
		all = append(all, *byService[service])
	}
	return all
}

// join adds an alert of the group to what is said of its service. The names are
// those that fire; of a group that is over, all.
func join(w *watches.Alert, a alert, group string) {
	fires := group == "firing" && a.Status == "firing"
	name := text(a.Labels["alertname"])
	if fires && w.Resolved {
		w.Resolved, w.Names, w.Began = false, nil, time.Time{}
	}
	if !w.Resolved && !fires {
		return
	}
	if !slices.Contains(w.Names, name) && len(w.Names) < maxNames {
		w.Names = append(w.Names, name)
	}
	if w.Began.IsZero() || a.StartsAt.Before(w.Began) {
		w.Began = a.StartsAt
	}
	w.Summary = cmp.Or(w.Summary, summary(a))
}

// service is the service that an alert is about; said is what its labels say when
// that is none.
func (r *Receiver) service(a alert) (service, said string) {
	if service := r.opts.Services[a.Labels["alertname"]]; service != "" {
		return service, ""
	}
	for _, label := range r.opts.Labels {
		value := a.Labels[label]
		at := slices.IndexFunc(r.opts.Known, func(known string) bool { return strings.EqualFold(known, value) })
		if at >= 0 {
			return r.opts.Known[at], ""
		}
		said = cmp.Or(said, value)
	}
	return "", said
}

// summary is what an alert says of itself.
func summary(a alert) string {
	return text(cmp.Or(a.Annotations["summary"], a.Annotations["description"], a.Annotations["message"]))
}

// text is a text from outside, on one line, cut, and without what looks like a
// secret.
func text(s string) string {
	if len(s) > 8*maxText {
		s = s[:8*maxText]
	}
	s = strings.Join(strings.Fields(strings.ToValidUTF8(redact.String(s), "")), " ")
	if runes := []rune(s); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}
	return s
}

// short is a group's key, or what stands for one that is long.
func short(key string) string {
	if len(key) <= maxText {
		return strings.ToValidUTF8(key, "?")
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
