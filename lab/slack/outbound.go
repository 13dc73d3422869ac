package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer is the largest immediate answer that is read.
const maxAnswer = 1 << 20

// outbound brings envelopes to an app that listens on HTTP, signed as Slack signs.
type outbound struct {
	secret string
	limit  time.Duration
	now    func() time.Time
	wiring *wiring
	client *http.Client
}

func newOutbound(secret string, limit time.Duration, now func() time.Time, w *wiring) *outbound {
	return &outbound{
		secret: secret, limit: limit, now: now, wiring: w,
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (o *outbound) close() { o.client.CloseIdleConnections() }

// httpError is an answer that is not the 200 that Slack wants.
type httpError struct {
	status  int
	noRetry bool // the app asked for no redelivery
}

// Error is what people read after a slash command.
func (e *httpError) Error() string {
	if e.status >= http.StatusInternalServerError {
		return "http_service_error"
	}
	return "http_client_error"
}

// deliver sends env to the address of its kind and returns the body of the answer as a payload.
func (o *outbound) deliver(ctx context.Context, to HTTP, env envelope, note *Delivered) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, errNoAck)
	defer cancel()
	switch env.Type {
	case "slash_commands":
		fields := url.Values{}
		for key, v := range env.Payload {
			fields.Set(key, fmt.Sprint(v))
		}
		address := to.CommandsURL
		if env.address != "" {
			address = env.address
		}
		return o.postForm(ctx, address, fields, note)
	case "interactive":
		raw, err := json.Marshal(env.Payload)
		if err != nil {
			return nil, err
		}
		return o.postForm(ctx, to.InteractiveURL, url.Values{"payload": {string(raw)}}, note)
	}
	if err := o.challenge(ctx, to.EventsURL, env.Payload["token"]); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(env.Payload)
	if err != nil {
		return nil, err
	}
	_, err = o.post(ctx, to.EventsURL, "application/json", raw, retryHeaders(env), note)
	return nil, err
}

func retryHeaders(env envelope) http.Header {
	if env.RetryAttempt == 0 {
		return nil
	}
	return http.Header{
		"X-Slack-Retry-Num": {strconv.Itoa(env.RetryAttempt)}, "X-Slack-Retry-Reason": {env.RetryReason},
	}
}

// challenge makes the events URL prove that it is the app's, once.
func (o *outbound) challenge(ctx context.Context, address string, token any) error {
	if address == "" || o.wiring.hasVerified(address) {
		return nil
	}
	challenge := rand.Text()
	raw, err := json.Marshal(object{"type": "url_verification", "token": token, "challenge": challenge})
	if err != nil {
		return err
	}
	answer, err := o.post(ctx, address, "application/json", raw, nil, &Delivered{})
	if err != nil {
		return err
	}
	if !answer.echoes(challenge) {
		return errors.New("url_verification_failed")
	}
	o.wiring.verify(address)
	return nil
}

func (o *outbound) postForm(ctx context.Context, address string, fields url.Values, note *Delivered) (json.RawMessage, error) {
	answer, err := o.post(ctx, address, "application/x-www-form-urlencoded", []byte(fields.Encode()), nil, note)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, &httpError{status: answer.status}
	}
	return answer.payload()
}

// answered is what the app's server said.
type answered struct {
	status int
	kind   string
	body   []byte
}

// post sends one signed request. Any answer outside 2xx is an error.
func (o *outbound) post(ctx context.Context, address, kind string, body []byte, extra http.Header, note *Delivered) (answered, error) {
	if address == "" {
		return answered{}, errNotConnected
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return answered{}, errNotConnected
	}
	o.sign(req.Header, kind, body, extra)
	resp, err := o.client.Do(req)
	if err != nil {
		return answered{}, outboundError(ctx)
	}
	defer resp.Body.Close()
	note.Status = resp.StatusCode
	read, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answered{}, outboundError(ctx)
	}
	if resp.StatusCode/100 != 2 {
		return answered{}, &httpError{status: resp.StatusCode, noRetry: resp.Header.Get("X-Slack-No-Retry") == "1"}
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return answered{status: resp.StatusCode, kind: media, body: read}, nil
}

// outboundError tells a server that is slow, or a workspace that closes, from one that is not there.
func outboundError(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errNotConnected
}

func (o *outbound) sign(h http.Header, kind string, body []byte, extra http.Header) {
	at := strconv.FormatInt(o.now().Unix(), 10)
	h.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	h.Set("Accept", "application/json,*/*")
	h.Set("Content-Type", kind)
	h.Set("X-Slack-Request-Timestamp", at)
	h.Set("X-Slack-Signature", signature(o.secret, at, body))
	for key, values := range extra {
		h[key] = values
	}
}

// signature is Slack's v0 signature of a request.
func signature(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "v0:%s:%s", at, body) // a hash takes everything
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// payload is the answer as the payload of an acknowledgement: JSON as it is, a plain text as a message.
func (a answered) payload() (json.RawMessage, error) {
	text := strings.TrimSpace(string(a.body))
	switch {
	case text == "":
		return nil, nil
	case a.kind == "application/json":
		return json.RawMessage(text), nil
	}
	return json.Marshal(object{"text": text})
}

// echoes reports whether the answer repeats the challenge, in any of the forms that Slack takes.
func (a answered) echoes(challenge string) bool {
	switch a.kind {
	case "application/json":
		var echo struct {
			Challenge string `json:"challenge"`
		}
		return json.Unmarshal(a.body, &echo) == nil && echo.Challenge == challenge
	case "application/x-www-form-urlencoded":
		fields, err := url.ParseQuery(string(a.body))
		return err == nil && fields.Get("challenge") == challenge
	}
	return strings.TrimSpace(string(a.body)) == challenge
}

// sslCheck asks the commands URL whether it is there. Only a 200 is an answer.
func (o *outbound) sslCheck(ctx context.Context, address, token string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, errNoAck)
	defer cancel()
	_, err := o.postForm(ctx, address, url.Values{"ssl_check": {"1"}, "token": {token}}, &Delivered{})
	return err
}
