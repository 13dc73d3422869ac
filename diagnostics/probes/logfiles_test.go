package probes

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/diagnostics"
)

// logLine is a line of so long ago.
func logLine(ago time.Duration, event string) string {
	return fmt.Sprintf(`{"event":%q,"timestamp":%q}`, event, at.Add(-ago).Format(time.RFC3339Nano))
}

func writeLog(t *testing.T, dir, name string, lines ...string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFilesSearch(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, "worker.log", logLine(2*time.Hour, "jwt_invalid"), logLine(30*time.Minute, "other"), "Traceback:", `{"half`, "", logLine(10*time.Minute, "jwt_invalid"), logLine(5*time.Minute, "other"), logLine(-time.Minute, "jwt_invalid")+"\n")
	writeLog(t, dir, "worker.log.1", logLine(3*time.Hour, "jwt_invalid"), logLine(20*time.Minute, "jwt_invalid"))
	writeLog(t, dir, "registry.log", logLine(time.Minute, "jwt_invalid"))
	source := NewFiles(map[string][]string{"worker": {filepath.Join(dir, "worker.log*")}})

	page, err := source.Search(soon(t), query(10, "jwt_invalid"))
	if err != nil {
		t.Fatal(err)
	}
	want := LogPage{Lines: 4, Newest: at.Add(-5 * time.Minute), Pods: map[string]int64{}, Read: 6, Bad: 2, Matches: []LogLine{
		{At: at.Add(-10 * time.Minute), Text: logLine(10*time.Minute, "jwt_invalid")},
		{At: at.Add(-20 * time.Minute), Text: logLine(20*time.Minute, "jwt_invalid")},
	}}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Error(diff)
	}

	page, err = source.Search(soon(t), query(1))
	if err != nil || len(page.Matches) != 1 || !page.Truncated || page.Lines != 4 || !page.Matches[0].At.Equal(at.Add(-5*time.Minute)) {
		t.Errorf("limited: %+v, %v", page, err)
	}
}

// Lines lie across blocks in every way that a block can cut them.
func TestFilesReadAcrossBlocks(t *testing.T) {
	var lines []string
	for i := range 9000 {
		lines = append(lines, fmt.Sprintf(`{"event":"e","n":%d,"timestamp":%q,"pad":%q}`, i, at.Add(-time.Duration(9000-i)*time.Second/10).Format(time.RFC3339Nano), strings.Repeat("x", i%97)))
	}
	dir := t.TempDir()
	file := writeLog(t, dir, "worker.log", lines...)
	if info, err := os.Stat(file); err != nil || info.Size() < 2*logBlock {
		t.Fatalf("the file is too small to tell anything: %v, %v", info.Size(), err)
	}
	page, err := NewFiles(map[string][]string{"worker": {file}}).Search(soon(t), query(9000))
	if err != nil {
		t.Fatal(err)
	}
	if page.Lines != 9000 || page.Bad != 0 || len(page.Matches) != 9000 {
		t.Fatalf("%d lines, %d bad, %d matches", page.Lines, page.Bad, len(page.Matches))
	}
	for i, m := range page.Matches {
		if want := lines[len(lines)-1-i]; m.Text != want {
			t.Fatalf("line %d is %s, want %s", i, m.Text, want)
		}
	}
}

func TestFilesReadIsBounded(t *testing.T) {
	file := writeLog(t, t.TempDir(), "worker.log", strings.Repeat(logLine(time.Minute, "e")+"\n", 20_000))
	s := &fileSearch{query: query(10), left: 2 * logBlock}
	if err := s.file(soon(t), file); err != nil {
		t.Fatal(err)
	}
	if !s.page.Truncated || s.left != 0 || s.page.Lines == 0 || s.page.Lines > 20_000 {
		t.Errorf("truncated %t, left %d, lines %d", s.page.Truncated, s.left, s.page.Lines)
	}
}

func TestFilesCommandCanBePasted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with $space and 'quote'")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	writeLog(t, dir, "worker.log", `{"event":"it's"}`, `{"event":"other"}`)
	source := NewFiles(map[string][]string{"worker": {filepath.Join(dir, "*.log")}})
	for want, words := range map[string][]string{"{\"event\":\"it's\"}\n": {"it's", "none"}, "{\"event\":\"it's\"}\n{\"event\":\"other\"}\n": nil} {
		out, err := exec.CommandContext(soon(t), "sh", "-c", source.Command(query(10, words...))).Output()
		if err != nil || strings.TrimSpace(string(out)) != strings.TrimSpace(want) {
			t.Errorf("%s gives %q, %v, want %q", source.Command(query(10, words...)), out, err, want)
		}
	}
}

// The shell finds the files that we find, whatever their names are made of.
func TestGlobsCanBePasted(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a b.log", "a;b.log", "a*b.log", "axb.log", "a'b.log", "a\nb.log", "a$b.log", "{a,b}.log", "~.log", "a^b.log", "a&b.log", "a!b.log", `a\b.log`, "a#b.log"} {
		writeLog(t, dir, name, logLine(time.Minute, "e"))
	}
	t.Chdir(dir)
	for _, glob := range []string{
		"a b*", "a;b.*", `a\*b.log`, "a?b.log", "a'*", "a[ ;]b.log", "a[^*]b.log", "a[x-z]b.log", "a$*", "{a,b}.*", "~*", "a[x^]b.log", `a\\b.log`, "a\nb*", "a&*", "#*", "a#*",
		"*",
	} {
		want, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		script := "for f in " + quoteGlob(glob) + `; do test -e "$f" && printf '%s\0' "$f"; done; :`
		out, err := exec.CommandContext(soon(t), "sh", "-c", script).Output()
		got := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
		slices.Sort(got)
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s, quoted as %s, gives %q and %v, want %q", glob, quoteGlob(glob), got, err, want)
		}
	}
}

// Nothing from the configuration can end the command and begin another.
func TestFilesCommandIsOneCommand(t *testing.T) {
	dir := t.TempDir()
	source := NewFiles(map[string][]string{"worker": {filepath.Join(dir, "none; touch broken #*.log")}})
	q := query(10, "x; touch broken", "$(touch broken)")
	q.Reason = "`touch broken`"
	command := exec.CommandContext(soon(t), "sh", "-c", source.Command(q))
	command.Dir = dir
	_ = command.Run() // there is no such file
	if _, err := os.Stat(filepath.Join(dir, "broken")); err == nil {
		t.Errorf("%s runs another command", source.Command(q))
	}
}

// Other events of a busy service count neither as found nor against the limit.
func TestFilesFilterBeforeTheyCut(t *testing.T) {
	lines := []string{`{"event":"jwt_invalid","reason":"expired","spiffe_id":"spiffe://x/mine","pod":"r-0","timestamp":"` + at.Add(-50*time.Minute).Format(time.RFC3339) + `"}`}
	for range 5000 {
		lines = append(lines, `{"event":"jwt_invalid","reason":"expired","spiffe_id":"spiffe://x/other","pod":"r-1","timestamp":"`+at.Add(-time.Minute).Format(time.RFC3339)+`"}`)
	}
	source := NewFiles(map[string][]string{"worker": {writeLog(t, t.TempDir(), "worker.log", lines...)}})
	args := EventsArgs{Service: "worker", Events: []string{"jwt_invalid"}, Since: time.Hour, SPIFFEID: "spiffe://x/mine", Reason: "expired"}
	facts, evidence, err := logProbes{source: source, now: now}.events(soon(t), args)
	wantSeen(t, facts, evidence, err)
	if facts.Matched != 1 || facts.Truncated || facts.Read != 5001 || facts.Last.Pod != "r-0" {
		t.Errorf("facts are %+v", facts)
	}
	page, err := source.Search(soon(t), query(10))
	if err != nil || page.Pods["r-0"] != 1 || page.Pods["r-1"] != 5000 || !page.Truncated {
		t.Errorf("%d lines of %v, truncated %t, %v", page.Lines, page.Pods, page.Truncated, err)
	}
}

func TestFilesBlind(t *testing.T) {
	dir := t.TempDir()
	file := writeLog(t, dir, "worker.log", logLine(time.Minute, "e"))
	for name, c := range map[string]struct {
		globs []string
		want  diagnostics.Reason
	}{
		"none":     {nil, diagnostics.ReasonNotConfigured},
		"no match": {[]string{filepath.Join(dir, "none*")}, diagnostics.ReasonNoData},
		"folder":   {[]string{dir}, diagnostics.ReasonNoData},
		"pattern":  {[]string{"[a"}, diagnostics.ReasonError},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewFiles(map[string][]string{"worker": c.globs}).Search(soon(t), query(1))
			if got := blindOf(t, err).Reason; got != c.want {
				t.Errorf("blind for %s, want %s", got, c.want)
			}
		})
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	_, err := NewFiles(map[string][]string{"worker": {file}}).Search(ctx, query(1))
	if got := blindOf(t, err).Reason; got != diagnostics.ReasonTimeout {
		t.Errorf("blind for %s", got)
	}
}
