package remedies

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tandem/approvals"
)

// mischief is done to one request on its way to Vault and back.
type mischief func(via http.RoundTripper, r *http.Request) (*http.Response, error)

// cut is a connection that ends after the request has arrived.
func cut(via http.RoundTripper, r *http.Request) (*http.Response, error) {
	response, err := via.RoundTrip(r)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	return nil, errors.Join(err, io.ErrUnexpectedEOF)
}

// lost is a connection that ends before.
func lost(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
	drain(r)
	return nil, io.ErrUnexpectedEOF
}

// drain takes what is sent, as every carrier must.
func drain(r *http.Request) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
}

// saying answers in Vault's place.
func saying(status int, body string) mischief {
	return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		drain(r)
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
	}
}

// gateway stands before Vault and answers for it, after it has done what it was
// asked to.
func gateway(status int) mischief {
	return func(via http.RoundTripper, r *http.Request) (*http.Response, error) {
		_, _ = cut(via, r)
		return saying(status, "<html>"+canary+"</html>")(via, r)
	}
}

// spoilt does mischief to the requests to one path.
type spoilt struct {
	via  http.RoundTripper
	path string
	do   mischief
}

func (s spoilt) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == s.path {
		return s.do(s.via, r)
	}
	return s.via.RoundTrip(r)
}

// spoil does mischief to the requests under privileges to a path, for as long as
// the test lasts.
func (b *bench) spoil(t *testing.T, path string, do mischief) {
	t.Helper()
	was := b.lent.via
	b.lent.via = spoilt{via: was, path: path, do: do}
	t.Cleanup(func() { b.lent.via = was })
}

// TestTheCallGoesWrong holds that people are told what is done and what is not,
// whatever became of the call.
func TestTheCallGoesWrong(t *testing.T) {
	b := startBench(t)
	for name, tc := range map[string]struct {
		do   mischief
		says string // begins so; empty: it went well
		done bool
	}{
		"cut after it arrived":         {do: cut, done: true},
		"lost on the way":              {do: lost, says: "not done, as a look shows: PUT /v1/secret/undelete/orchestrator/mongodb"},
		"forbidden":                    {do: saying(403, `{"errors":["permission denied `+canary+`"]}`), says: "nothing was changed by PUT"},
		"does not fit":                 {do: saying(400, `{"errors":["`+canary+`"]}`), says: "nothing was changed by PUT"},
		"sealed":                       {do: saying(503, `{"errors":["Vault is sealed"]}`), says: "nothing was changed by PUT"},
		"a quota":                      {do: saying(429, `{"errors":["too many"]}`), says: "nothing was changed by PUT"},
		"a defect of Vault's":          {do: saying(500, `{"errors":["`+canary+`"]}`), says: "not done, as a look shows"},
		"a gateway that lost Vault":    {do: gateway(502), done: true},
		"a gateway that has no Vault":  {do: saying(503, "<html>"+canary+"</html>"), says: "not done, as a look shows"},
		"a gateway that says 503 late": {do: gateway(503), done: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.deleted(t)
			b.spoil(t, "/v1/secret/undelete/orchestrator/mongodb", tc.do)
			act := &record{}
			err := b.remedy(t, p.Remedy).Execute(soon(t), p, act)
			if tc.says == "" {
				check(t, err)
			} else if text := troubleOf(t, err); !strings.HasPrefix(text, tc.says) {
				t.Errorf("it says: %s", text)
			}
			noCanary(t, act)
			b.wantGivenBack(t, act)
			if got := b.state(t).state(1, b.deps.Now()) == live; got != tc.done {
				t.Errorf("done is %t", got)
			}
		})
	}
}

// TestNobodyKnows holds that what cannot be seen is not guessed.
func TestNobodyKnows(t *testing.T) {
	b := startBench(t)
	p := b.deleted(t)
	t.Run("sealed in the middle", func(t *testing.T) {
		b.spoil(t, "/v1/secret/undelete/orchestrator/mongodb", func(via http.RoundTripper, r *http.Request) (*http.Response, error) {
			_, err := cut(via, r)
			check(t, b.root.Sys().SealWithContext(soon(t)))
			return nil, err
		})
		act := &record{}
		text := b.fails(t, p, act)
		if !strings.HasPrefix(text, "nobody knows whether it was done") || !strings.Contains(text, "look by hand") {
			t.Errorf("it says: %s", text)
		}
		if len(act.Said) != 1 || !strings.Contains(act.Said[0], "could not be given back") {
			t.Errorf("of the privilege it says %q", act.Said)
		}
	})
	b.unseal(t)
	b.again(t, p) // its being repeatable mends it
}

// TestSealed holds that a Vault that is sealed, at any moment, is told as such.
func TestSealed(t *testing.T) {
	b := startBench(t)
	p := b.deleted(t)
	for name, moment := range map[string]string{"before the login": "log in to Vault's role tandem-kv-undelete", "before the call": p.Calls[0].What} {
		t.Run(name, func(t *testing.T) {
			defer b.unseal(t)
			act := &record{before: func(call string) {
				if call == moment {
					check(t, b.root.Sys().SealWithContext(soon(t)))
				}
			}}
			text := b.fails(t, p, act)
			if !strings.HasPrefix(text, "nothing was changed") || !strings.Contains(text, "vault status") {
				t.Errorf("it says: %s", text)
			}
		})
	}
	params := map[string]map[string]string{
		"kv-undelete": mongodb(), "kv-rollback": mongodb(), "kv-write": mongodb(), "token-renew": {"accessor": "abcdefghijklmnop"}, "policy-fix": nil,
		"database-role-write": nil, "lease-revoke": {"lease": "database/creds/temporal-orchestrator/abc"},
	}
	if len(params) != len(vaultRemedies) {
		t.Error("a remedy is not tried")
	}
	b.forEach(t, params, "sealed", func() { check(t, b.root.Sys().SealWithContext(soon(t))) }, "answers 503", "vault status")
	b.unseal(t)
	b.forEach(t, params, "forbidden", func() { b.deps.Vault.Client.SetToken("dead") }, "answers 403", "bot policy vault")
	b.forEach(t, params, "away", func() { check(t, b.deps.Vault.Client.SetAddress("http://"+freeAddress(t))) }, "no answer", "vault status")
}

// forEach holds that no remedy plans blindly, and that people learn what to do.
func (b *bench) forEach(t *testing.T, params map[string]map[string]string, name string, mischief func(), parts ...string) {
	t.Helper()
	mischief()
	b.deps.Vault.Client.SetMaxRetries(0)
	for _, remedy := range slices.Sorted(maps.Keys(params)) {
		t.Run(name+"/"+remedy, func(t *testing.T) {
			_, err := b.remedy(t, remedy).Plan(soon(t), approvals.Want{Service: "orchestrator", Params: params[remedy]})
			if why := refusal(t, err); why != approvals.WhyBlind {
				t.Errorf("refused since %s", why)
			}
			for _, part := range parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is missing in: %v", part, err)
				}
			}
		})
	}
}

// TestSomethingElseAnswers holds that what is not Vault's answer is not taken for
// one, nor repeated.
func TestSomethingElseAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"a page": "<html>" + canary + "</html>", "another shape": `{"data":{"current_version":"` + canary + `"}}`, "nothing": "", "no data": `{"x":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			a := &answers{status: http.StatusOK, body: oneVersion}
			d, _ := waiting(t, a)
			a.body = body
			_, err := d.planWrite(t.Context(), approvals.Want{Service: "orchestrator"})
			if why := refusal(t, err); why != approvals.WhyBlind {
				t.Errorf("refused since %s", why)
			}
		})
	}
	a := &answers{status: http.StatusOK, body: oneVersion}
	d, _ := waiting(t, a)
	a.status, a.body = http.StatusNotFound, `{"errors":["no handler for route"]}`
	_, err := d.planWrite(t.Context(), approvals.Want{Service: "orchestrator"})
	if why := refusal(t, err); why != approvals.WhyBlind || !strings.Contains(err.Error(), "vault secrets list") {
		t.Errorf("of a mount that is not there: %v", err)
	}
}

// TestTheOtherCallsGoWrong tries the remedies that make more than one call.
func TestTheOtherCallsGoWrong(t *testing.T) {
	b := startBench(t)
	b.connectDatabase(t)
	for name, tc := range map[string]struct {
		remedy, path string
		do           mischief
		says         string // has it in it; empty: it went well
	}{
		"read":        {"kv-rollback", "/v1/secret/data/orchestrator/mongodb", reading(1, saying(500, canary)), "nothing was changed: version 1"},
		"nothing":     {"kv-rollback", "/v1/secret/data/orchestrator/mongodb", reading(1, saying(200, `{"data":{"data":null}}`)), "nothing was changed: version 1"},
		"write":       {"kv-rollback", "/v1/secret/data/orchestrator/mongodb", writing(cut), ""},
		"lost":        {"kv-rollback", "/v1/secret/data/orchestrator/mongodb", writing(lost), "not done, as a look shows"},
		"compare":     {"kv-rollback", "/v1/secret/data/orchestrator/mongodb", reading(3, saying(500, canary)), "is written, and could not be read to compare"},
		"another":     {"kv-rollback", "/v1/secret/data/orchestrator/mongodb", reading(3, saying(200, `{"data":{"data":{"uri":"`+canary+`"}}}`)), "holds something else"},
		"policy":      {"policy-fix", "/v1/sys/policies/acl/orchestrator-policy", cut, ""},
		"role":        {"database-role-write", "/v1/database/roles/temporal-orchestrator", cut, ""},
		"mint":        {"database-role-write", "/v1/database/creds/temporal-orchestrator", cut, "is written, and no credential could be taken of it: no answer"},
		"mint page":   {"database-role-write", "/v1/database/creds/temporal-orchestrator", saying(200, `{"data":{"password":"`+canary+`"}}`), "no lease of the role"},
		"mint revoke": {"database-role-write", "/v1/sys/leases/revoke", lost, "the one that was taken could not be revoked"},
		"lease":       {"lease-revoke", "/v1/sys/leases/revoke", cut, ""},
		"lease lost":  {"lease-revoke", "/v1/sys/leases/revoke", lost, "not done, as a look shows"},
		"renew":       {"token-renew", "/v1/auth/token/renew-accessor", cut, ""},
		"renew lost":  {"token-renew", "/v1/auth/token/renew-accessor", lost, "not done, as a look shows"},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.plan(t, tc.remedy, b.ailing(t, tc.remedy))
			b.spoil(t, tc.path, tc.do)
			act := &record{}
			err := b.remedy(t, p.Remedy).Execute(soon(t), p, act)
			if tc.says == "" {
				check(t, err)
			} else if text := troubleOf(t, err); !strings.Contains(text, tc.says) {
				t.Errorf("it says: %s", text)
			}
			noCanary(t, act)
			b.wantGivenBack(t, act)
			await(t, func() error { // a privilege takes what it made with it
				if users := b.dynamicUsers(t); tc.remedy == "database-role-write" && len(users) > 0 {
					return errors.New("a credential lives on: " + strings.Join(users, ", "))
				}
				return nil
			})
		})
	}
}

// ailing makes something for a remedy to mend, and names it.
func (b *bench) ailing(t *testing.T, remedy string) map[string]string {
	t.Helper()
	switch remedy {
	case "kv-undelete":
		b.write(t, "secret/delete/orchestrator/mongodb", map[string]any{"versions": []int{1}})
		return mongodb()
	case "kv-write":
		_, err := b.root.Logical().DeleteWithContext(soon(t), "secret/metadata/orchestrator/mongodb")
		check(t, err)
		return mongodb()
	case "kv-rollback":
		_, err := b.root.Logical().DeleteWithContext(soon(t), "secret/metadata/orchestrator/mongodb")
		check(t, err)
		b.put(t, canary+"-1")
		b.put(t, canary+"-2")
		return mongodb("version", "1")
	case "policy-fix":
		check(t, b.root.Sys().PutPolicyWithContext(soon(t), "orchestrator-policy", `path "x" {}`))
	case "database-role-write":
		_, err := b.root.Logical().DeleteWithContext(soon(t), "database/roles/temporal-orchestrator")
		check(t, err)
	case "lease-revoke":
		b.write(t, "database/roles/temporal-orchestrator", b.deps.Vault.DatabaseRoles[0].data())
		id, _ := b.credential(t)
		t.Cleanup(func() { check(t, b.root.Sys().RevokeWithContext(context.WithoutCancel(t.Context()), id)) })
		return map[string]string{"lease": id}
	case "token-renew":
		return accessor(b.aged(t))
	}
	return nil
}

// reading does mischief to the reading of one version.
func reading(version int, do mischief) mischief {
	return func(via http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && r.URL.Query().Get("version") == jsonOf(version) {
			return do(via, r)
		}
		return via.RoundTrip(r)
	}
}

// writing does mischief to what writes.
func writing(do mischief) mischief {
	return func(via http.RoundTripper, r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut {
			return do(via, r)
		}
		return via.RoundTrip(r)
	}
}
