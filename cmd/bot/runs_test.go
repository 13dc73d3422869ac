package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tandem/diagnostics"
	"tandem/store"
)

// grab takes a word that a program said into the environment: grab NAME FILE REGEXP
func grab(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if len(m) != 2 {
		ts.Fatalf("%s has no %s", args[1], args[2])
	}
	ts.Setenv(args[0], m[1])
}

// plant keeps a run that has secrets in all of its texts, as a bot that does not
// know them would: plant FILE, which prints its id.
func plant(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{SQLite: ts.MkAbs(args[0])})
	ts.Check(err)
	id, err := s.SaveRun(ctx, leakyRun())
	ts.Check(err)
	ts.Check(s.Close())
	ts.Setenv("PLANTED", id)
}

// leakyRun has CANARY wherever a text from outside may stand.
func leakyRun() diagnostics.Run {
	both := func(text string) diagnostics.Text { return diagnostics.Both(text, text) }
	line := `{"event":"login","token":"hvs.CANARY0123456789","uri":"mongodb://u:CANARY@h/db"}` + "\npassword=CANARY"
	fixes := []diagnostics.Fix{{Remedy: "kv-write", Params: map[string]string{"note": "secret: CANARY"}}}
	return diagnostics.NewRun(diagnostics.Report{
		Target: "worker", At: time.Now(),
		Verdict: diagnostics.Verdict{
			Status: diagnostics.Fail, Headline: both("fails: password=CANARY"),
			Causes: []diagnostics.Cause{{Code: "VLT-001", Title: both("token: CANARY"), Remedy: both("Authorization: Bearer CANARY12345"), Fixes: fixes}},
		},
		Checks: []diagnostics.Result{
			{
				Code: "VLT-001", Status: diagnostics.Fail, Title: both("token: CANARY"), Summary: both("api_key=CANARY"), Fixes: fixes,
				Evidence: []diagnostics.Evidence{{Source: "logs", Invocation: "curl -H 'X-Vault-Token: CANARY' http://loki", Observed: line, At: time.Now()}},
			},
			{Code: "LOG-001", Status: diagnostics.Unknown, Blind: &diagnostics.BlindError{
				Reason: diagnostics.ReasonError, Detail: "dial postgres://u:CANARY@h/db", Next: both("look at password='CANARY'"),
			}},
		},
	}, diagnostics.FromSlack, time.Hour, true)
}

// unpack writes the files of a bundle into a folder: unpack FILE DIR
func unpack(ts *testscript.TestScript, _ bool, args []string) {
	file, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[1]), 0o700))
	archive := tar.NewReader(zipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		ts.Check(err)
		data, err := io.ReadAll(archive)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[1]), filepath.Base(header.Name)), data, 0o600))
	}
}

// pack writes the files of a folder, the manifest first, as a forger would:
// pack DIR FILE
func pack(ts *testscript.TestScript, _ bool, args []string) {
	names := []string{"manifest.json"}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, e := range entries {
		if e.Name() != names[0] {
			names = append(names, e.Name())
		}
	}
	file, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	zipped := gzip.NewWriter(file)
	archive := tar.NewWriter(zipped)
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(ts.MkAbs(args[0]), name))
		ts.Check(err)
		ts.Check(archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}))
		_, err = archive.Write(data)
		ts.Check(err)
	}
	ts.Check(errors.Join(archive.Close(), zipped.Close(), file.Close()))
}

// TestWhatIsKeptHasNoSecret keeps a report as `bot run` does, and looks at the
// bytes of the database.
func TestWhatIsKeptHasNoSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	s, err := store.Open(t.Context(), store.Options{SQLite: path})
	if err != nil {
		t.Fatal(err)
	}
	k := keeper{s, 7 * time.Minute}
	run := leakyRun()
	run.Since = 0
	id, err := k.SaveRun(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.FindRun(t.Context(), id)
	if err != nil || got.Since != 7*time.Minute || !strings.Contains(got.Report.Checks[0].Evidence[0].Observed, "[redacted]") {
		t.Errorf("it is kept as %+v, %v", got, err)
	}
	if strings.Contains(run.Report.Checks[0].Summary.EN, "redacted") {
		t.Error("the report that people read was changed")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil || strings.Contains(string(data), "CANARY") {
			t.Errorf("%s has a secret, or cannot be read: %v", file, err)
		}
	}
}
