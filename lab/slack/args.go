package slack

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxRequest is the largest request body that is read at all.
const maxRequest = 1 << 20

const argLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// args are the arguments of one API call. A form gives strings, JSON gives any value; either way a list or an object
// may also come as a string that holds its JSON.
type args map[string]json.RawMessage

// apiRequest is what one API call says: its arguments, its token, and what Slack would grumble about.
type apiRequest struct {
	args    args
	token   string
	warning string
	json    bool
}

// parseArgs reads the arguments and the token, which comes in the Authorization header or, with a form, in its field.
func parseArgs(r *http.Request) (apiRequest, error) {
	req := apiRequest{token: bearerOf(r)}
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if charset != "" && charset != "utf-8" && charset != "iso-8859-1" {
		return req, refuse("invalid_charset")
	}
	var err error
	switch kind {
	case "application/json":
		if charset == "" {
			req.warning = "missing_charset"
		}
		req.json = true
		req.args, err = parseJSONArgs(r.Body)
	case "", "application/x-www-form-urlencoded", "multipart/form-data":
		if kind == "" && r.ContentLength > 0 {
			return req, refuse("missing_post_type")
		}
		if charset != "" {
			req.warning = "superfluous_charset"
		}
		err = req.parseForm(r)
	default:
		return req, refuse("invalid_post_type")
	}
	if err == nil {
		err = req.args.named()
	}
	return req, err
}

// parseForm takes the token from the form, but not from the address, where proxies would log it.
func (req *apiRequest) parseForm(r *http.Request) error {
	var err error
	req.args, err = parseFormArgs(r)
	if r.URL.Query().Has("token") {
		return refuse("invalid_auth")
	}
	if req.token == "" {
		req.token = req.args.str("token")
	}
	delete(req.args, "token")
	return err
}

// named refuses arguments whose names no method has.
func (a args) named() error {
	for key := range a {
		switch {
		case strings.ContainsRune(key, '['):
			return refuse("invalid_array_arg")
		case strings.Trim(key, argLetters) != "" || len(key) > maxID:
			return refuse("invalid_arg_name")
		}
	}
	return nil
}

func bearerOf(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}

func parseJSONArgs(body io.Reader) (args, error) {
	raw, err := io.ReadAll(io.LimitReader(body, maxRequest))
	if err != nil {
		return nil, refuse("invalid_json")
	}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return args{}, nil
	}
	a := args{}
	switch err := json.Unmarshal(raw, &a); {
	case err != nil && json.Valid(raw):
		return nil, refuse("json_not_object")
	case err != nil:
		return nil, refuse("invalid_json")
	}
	return a, nil
}

func parseFormArgs(r *http.Request) (args, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxRequest)
	err := r.ParseMultipartForm(maxRequest)
	if err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil, refuse("invalid_form_data")
	}
	return fromForm(r.Form), nil
}

func fromForm(form url.Values) args {
	a := args{}
	for key, values := range form {
		quoted, err := json.Marshal(values[0])
		if err == nil {
			a[key] = quoted
		}
	}
	return a
}

// str is the argument as text; absent and null are empty.
func (a args) str(key string) string {
	raw := a[key]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func (a args) flag(key string) bool {
	text := a.str(key)
	return text == "true" || text == "1"
}

func (a args) number(key string, byDefault int) int {
	n, err := strconv.Atoi(a.str(key))
	if err != nil {
		return byDefault
	}
	return n
}

// raw is the argument as JSON, whether it came as a value or as a string that holds one. It is nil when there is none.
func (a args) raw(key string) json.RawMessage {
	switch text := strings.TrimSpace(a.str(key)); text {
	case "", "null":
		return nil
	default:
		return json.RawMessage(text)
	}
}

// logged is the arguments as texts for the call log, without what entitles to something.
func (a args) logged() map[string]string {
	texts := make(map[string]string, len(a))
	for key := range a {
		switch key {
		case "token":
		case "trigger_id":
			texts[key] = "[redacted]"
		default:
			texts[key] = a.str(key)
		}
	}
	return texts
}
