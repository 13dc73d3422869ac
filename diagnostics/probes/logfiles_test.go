package probes

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
