package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"tandem/lab/world"
)

func TestStatusTable(t *testing.T) {
	var out strings.Builder
	err := table(&out, []world.ProcessStatus{
		{Name: "vault", PID: 42, Address: "http://127.0.0.1:18200", State: "running"},
		{Name: "service-registry", Address: "127.0.0.1:1", State: "stopped"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "PART              PID  ADDRESS                 STATE\n" +
		"vault             42   http://127.0.0.1:18200  running\n" +
		"service-registry  -    127.0.0.1:1             stopped\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestServeRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(`{"addr":"127.0.0.1:1","colour":"red"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"nobody": "service-registry", "slack": "colour"} {
		err := serveCmd{Name: name, Config: file}.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("serve %s: %v, want %q in it", name, err, want)
		}
	}
}

func TestCommandsNeedALab(t *testing.T) {
	at := where{Dir: t.TempDir()}
	for name, run := range map[string]func(context.Context) error{
		"down": downCmd{at}.Run, "status": statusCmd{where: at}.Run,
	} {
		if err := run(t.Context()); err == nil || !strings.Contains(err.Error(), "go run ./lab up --dir "+at.Dir) {
			t.Errorf("%s without a lab: %v, want the next step", name, err)
		}
	}
}

func TestNextStepsNameTheFolderAndTheBot(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, c := range map[string]struct {
		cmd     upCmd
		dir     string
		has     []string
		without string
	}{
		"plain": {upCmd{}, ".lab", []string{".lab/bin/bot diagnose worker --config .lab/tandem.yaml", "lab down "}, "--dir"},
		"elsewhere": {upCmd{}, "x", []string{
			"x/bin/bot diagnose", "lab down --dir x ", "lab status --dir x ", "inject --dir x NAME", "fault clear --dir x\n",
		}, ".lab"},
		"without a bot": {upCmd{NoBot: true}, ".lab", []string{"go run ./cmd/bot diagnose worker --config .lab/tandem.yaml"}, "bin/bot"},
	} {
		text := c.cmd.next(world.State{Dir: filepath.Join(dir, c.dir)})
		for _, want := range c.has {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
		if strings.Contains(text, c.without) {
			t.Errorf("%s: %q in\n%s", name, c.without, text)
		}
	}
}

func TestGrammar(t *testing.T) {
	for line, ok := range map[string]bool{
		"up --ttl 20s --dir x": true, "up --ttl soon": false, "down": true, "status --json": true,
		"serve slack": false, "": false,
	} {
		parser, err := kong.New(&cli{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(strings.Fields(line)); (err == nil) != ok {
			t.Errorf("%q: %v, want it accepted: %t", line, err, ok)
		}
	}
}
