package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// answerTimeout bounds one look at whether a part is ready.
const answerTimeout = 2 * time.Second

// permanent is an error that trying again cannot mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// poll tries until there is no error, a permanent one, or ctx ends; it returns
// the last error.
func poll(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if final := (permanent{}); errors.As(err, &final) {
			return final.error
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(readyPoll):
		}
	}
}

// answersOK returns a check that the URL answers 200.
func answersOK(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := call(ctx, http.MethodGet, url, nil)
		return err
	}
}

// call makes one request, with a JSON body if there is one, and returns what
// came back if it was a success.
func call(ctx context.Context, method, target string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := newRequest(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	// Without kept connections nothing outlives the call.
	return send(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, request)
}

func newRequest(ctx context.Context, method, target string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	request.Header.Set("Content-Type", "application/json")
	return request, nil
}

// send does the request and turns every status but a success into an error.
func send(client *http.Client, request *http.Request) ([]byte, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", request.Method, request.URL, err)
	}
	if response.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s: %.2000s", request.Method, request.URL, response.Status, bytes.TrimSpace(content))
	}
	return content, nil
}

// hostPort takes the address out of a URL of the lab's own making.
func hostPort(target string) string {
	parsed, err := url.Parse(target)
	if err != nil {
		return target
	}
	return parsed.Host
}
