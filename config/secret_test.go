package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const canary = "CANARY-hvs.hunter2"

func TestASecretCannotBeSaid(t *testing.T) {
	s := struct{ Token Secret }{NewSecret(canary)}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", s, s.Token)
	}
	fmt.Fprint(&out, s.Token.String(), s.Token.GoString(), &s)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "s", s, "t", s.Token)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "s", s, "t", s.Token)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		data, err := marshal(map[string]any{"s": s, "k": map[string]Secret{"t": s.Token}})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	if strings.Contains(out.String(), "CANARY") || strings.Contains(out.String(), "hunter2") {
		t.Errorf("the secret was said:\n%s", out.String())
	}
	if !strings.Contains(out.String(), redacted) {
		t.Errorf("nothing shows %s:\n%s", redacted, out.String())
	}
	if s.Token.Reveal() != canary {
		t.Error("Reveal does not give the value")
	}
}

func TestRefReads(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TANDEM_TEST_SECRET", canary)
	t.Setenv("TANDEM_TEST_EMPTY", "")
	for name, content := range map[string]string{"good": canary + "\n", "empty": "\n", "huge": strings.Repeat("x", maxSecret+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) Path { return Path(filepath.Join(dir, name)) }
	for name, tt := range map[string]struct {
		ref  Ref
		want string // in the error; empty: the canary is read
	}{
		"file":        {ref: Ref{File: in("good")}},
		"env":         {ref: Ref{Env: "TANDEM_TEST_SECRET"}},
		"empty file":  {ref: Ref{File: in("empty")}, want: "expected the secret and nothing else, found 1 bytes"},
		"huge file":   {ref: Ref{File: in("huge")}, want: "expected the secret and nothing else"},
		"no file":     {ref: Ref{File: in("absent")}, want: "no such file or directory"},
		"unset env":   {ref: Ref{Env: "TANDEM_TEST_ABSENT"}, want: "environment variable TANDEM_TEST_ABSENT is not set"},
		"empty env":   {ref: Ref{Env: "TANDEM_TEST_EMPTY"}, want: "environment variable TANDEM_TEST_EMPTY is not set"},
		"no ref":      {ref: Ref{}, want: "not configured: set it to {file: PATH} or {env: NAME}"},
		"file folder": {ref: Ref{File: Path(dir)}, want: "is a directory"},
	} {
		tt.ref.path = "a.b"
		got, err := tt.ref.Read()
		switch {
		case tt.want == "" && (err != nil || got.Reveal() != canary):
			t.Errorf("%s: got error %v", name, err)
		case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "a.b: ") || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got error %v, want %q", name, err, tt.want)
		}
	}
}

func TestCheckSecretsReadsEveryReference(t *testing.T) {
	c := parse(t, `
vault: {address: "http://v:8200", identity: {token_file: /absent/token}}
slack: {bot_token: {env: TANDEM_TEST_ABSENT}, app_token: {file: /absent/app}}
mongodb: {uris: {worker: {file: /absent/uri}}}
services: {worker: }
`)
	err := c.CheckSecrets()
	if err == nil {
		t.Fatal("no error")
	}
	for _, place := range []string{"vault.identity.token_file", "slack.bot_token", "slack.app_token", "mongodb.uris.worker"} {
		if !strings.Contains(err.Error(), place+": ") {
			t.Errorf("the error does not name %s:\n%v", place, err)
		}
	}
}

func TestCheckSecretsReadsTheTokenOfKubernetes(t *testing.T) {
	c := parse(t, `vault: {address: "http://v:8200", identity: {kubernetes: {role: r, token_file: /absent/token}}}`)
	if err := c.CheckSecrets(); err == nil || !strings.HasPrefix(err.Error(), "vault.identity.kubernetes.token_file: ") {
		t.Errorf("got %v", err)
	}
}
