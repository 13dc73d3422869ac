package slack

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tandem/lab/npm"
)

// manifests are the forms that the manifest takes.
func manifests(t *testing.T) map[string]Manifest {
	t.Helper()
	all := map[string]Manifest{}
	for name, address := range map[string]string{"socket": "", "http": "https://bot.example.org/"} {
		m, err := NewManifest("/vault", address)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = m
	}
	return all
}

func TestTheManifestKeepsToTheLimits(t *testing.T) {
	limits, err := jsonschema.NewCompiler().Compile("testdata/manifest/limits.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	judge := func(m Manifest) error {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(encode(t, m)))
		if err != nil {
			t.Fatal(err)
		}
		return limits.Validate(document)
	}
	for name, m := range manifests(t) {
		if err := judge(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		m.Features.SlashCommands[0].Command = "/" + strings.Repeat("x", 32)
		if judge(m) == nil {
			t.Errorf("%s: a command that is too long passes: the limits are not held", name)
		}
	}
}

// TestTheManifestIsOneForSlacksOwnTypes compiles the manifest as a value of the
// type that the official JavaScript SDK has for it, which knows every scope and
// event.
func TestTheManifestIsOneForSlacksOwnTypes(t *testing.T) {
	installed, err := npm.Install(t.Context(), "testdata/manifest")
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range manifests(t) {
		if out, err := compile(t, installed, encode(t, m)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	m := manifests(t)["http"]
	m.OAuth.Scopes.Bot = []string{"chat:wrote"}
	if out, err := compile(t, installed, encode(t, m)); err == nil || !strings.Contains(out, "chat:wrote") {
		t.Errorf("a scope that does not exist passes: %v\n%s", err, out)
	}
}

// compile checks a manifest against the types that are installed in a folder.
func compile(t *testing.T, installed, manifest string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	source := "import type { AppsManifestValidateArguments } from '@slack/web-api';\n" +
		"export const manifest: AppsManifestValidateArguments['manifest'] = " + manifest + ";\n"
	if err := os.WriteFile(filepath.Join(dir, "manifest.ts"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	tsc := filepath.Join(installed, "node_modules", "typescript", "bin", "tsc")
	cmd := exec.CommandContext(t.Context(), "node", tsc, "--noEmit", "--strict", "--skipLibCheck",
		"--module", "node16", "--moduleResolution", "node16", "manifest.ts")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func encode(t *testing.T, m Manifest) string {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
