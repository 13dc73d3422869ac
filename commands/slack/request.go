package slack

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// The content types that Slack uses.
const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

const (
	maxBody    = 1 << 20  // far more than Slack sends
	smallBody  = 32 << 10 // what nearly all requests stay under
	maxBigOnes = 32       // read at once
	sslBody    = 4 << 10  // of the check of a certificate
)

// format is how the requests of one kind are read.
type format struct {
	contentType string
	parse       func(body []byte) (delivery, error)
}

// signedRequest is a request while it is read: what Slack signs, so that the body is
// held once.
type signedRequest struct {
	signature signature
	signed    []byte
	prefix    int
}

func newSignedRequest() any { return &signedRequest{signed: make([]byte, 0, 4<<10)} }

// body is what Slack sent; it is gone with the request.
func (p *signedRequest) body() []byte { return p.signed[p.prefix:] }

// release gives the memory to another request, unless it grew.
func (p *signedRequest) release(to *sync.Pool) {
	if cap(p.signed) <= smallBody {
		to.Put(p)
	}
}

// open reads a request and proves that it is Slack's, or says
// why it is not taken. Nothing long is read for who brings no signature.
func (e *endpoint) open(p *signedRequest, w http.ResponseWriter, r *http.Request) refusedRequest {
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		return refusedRequest{http.StatusMethodNotAllowed, dropMalformed}
	case !hasType(r, e.format.contentType):
		return refusedRequest{http.StatusUnsupportedMediaType, dropMalformed}
	case r.ContentLength > maxBody:
		w.Header().Set("Connection", "close")
		return refusedRequest{http.StatusRequestEntityTooLarge, dropTooLarge}
	case isCertificateCheck(r, e.format):
		p.prefix, p.signed = 0, append(p.signed[:0], "ssl_check=1"...)
		return refusedRequest{}
	}
	var why drop
	if p.signature, why = readSignature(r.Header, e.bot.opts.Now()); why != "" {
		return refusedRequest{http.StatusUnauthorized, why}
	}
	if refused := e.read(p, w, r); refused.status != 0 {
		return refused
	}
	return e.prove(p, r)
}

// prove says why a request that was read is not Slack's, or not for the first
// time. Slack signs a retry like the first attempt when it comes in the same
// second; whether that was acted on is told by the event's own id.
func (e *endpoint) prove(p *signedRequest, r *http.Request) refusedRequest {
	if !e.bot.http.verifier.verify(p.signature, p.signed) {
		return refusedRequest{http.StatusUnauthorized, dropUnsigned}
	}
	retried := e.format.contentType == typeJSON && r.Header.Get(headerRetry) != ""
	if !e.bot.http.replays.first(p.signature.sum) && !retried {
		return refusedRequest{http.StatusConflict, dropReplayed}
	}
	return refusedRequest{}
}

// read reads the body behind the prefix. Few may be long at once, so that a
// crowd that cannot sign takes no memory. A body is long when it turns out so:
// who only says it keeps nobody out.
func (e *endpoint) read(p *signedRequest, w http.ResponseWriter, r *http.Request) refusedRequest {
	p.signed = append(p.signed[:0], p.signature.prefix()...)
	p.prefix = len(p.signed)
	body := http.MaxBytesReader(w, r.Body, maxBody)
	err := p.fill(io.LimitReader(body, smallBody))
	if err == nil && len(p.body()) == smallBody {
		select {
		case e.bot.http.big <- struct{}{}:
			defer func() { <-e.bot.http.big }()
		default:
			return refusedRequest{http.StatusServiceUnavailable, dropBusy}
		}
		err = p.fill(body)
	}
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return refusedRequest{http.StatusRequestEntityTooLarge, dropTooLarge}
	}
	if err != nil {
		return refusedRequest{http.StatusRequestTimeout, dropMalformed}
	}
	return refusedRequest{}
}

// fill appends all that comes.
func (p *signedRequest) fill(from io.Reader) error {
	for {
		if len(p.signed) == cap(p.signed) {
			p.signed = append(p.signed, 0)[:len(p.signed)]
		}
		n, err := from.Read(p.signed[len(p.signed):cap(p.signed)])
		p.signed = p.signed[:len(p.signed)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func hasType(r *http.Request, want string) bool {
	got, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(got), want)
}

// isCertificateCheck says whether Slack only looks whether the address has a
// certificate that it trusts. It signs that not, and nothing is done for it.
func isCertificateCheck(r *http.Request, f format) bool {
	if f.contentType != typeForm || r.ContentLength < 0 || r.ContentLength > sslBody || len(r.Header[headerSignature]) > 0 {
		return false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, sslBody))
	fields, malformed := url.ParseQuery(string(body))
	return err == nil && malformed == nil && fields.Get("ssl_check") == "1"
}

// parseCommand reads a slash command. The check of a certificate is one without
// a command.
func parseCommand(body []byte) (delivery, error) {
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return delivery{}, fmt.Errorf("read a slash command: %w", err)
	}
	if fields.Get("ssl_check") == "1" {
		return delivery{command: &slash{}}, nil
	}
	if fields.Get("command") == "" {
		return delivery{}, errors.New("read a slash command: it has no command")
	}
	return delivery{command: &slash{
		Name: fields.Get("command"), Text: fields.Get("text"),
		TeamID: fields.Get("team_id"), UserID: fields.Get("user_id"), ChannelID: fields.Get("channel_id"),
		ResponseURL: fields.Get("response_url"), TriggerID: fields.Get("trigger_id"),
	}}, nil
}

// parseInteractionForm reads an interaction as it comes over HTTP.
func parseInteractionForm(body []byte) (delivery, error) {
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return delivery{}, fmt.Errorf("read an interaction: %w", err)
	}
	if fields.Get("ssl_check") == "1" {
		return delivery{command: &slash{}}, nil
	}
	return parseInteraction([]byte(fields.Get("payload")))
}

func parseDelivery(body []byte) (delivery, error) {
	e, err := parseEvent(body)
	return delivery{event: e}, err
}
