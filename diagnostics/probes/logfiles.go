package probes

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
)

const (
	maxLogRead = 64 << 20 // of all files of a service, per search
	logBlock   = 256 << 10
	maxLogLine = 1 << 20
)

// Files is a LogSource over files that services write, one JSON object a line.
type Files struct {
	globs map[string][]string
}

// NewFiles makes a source of the globs of each service's files, like
// /var/log/worker/*.log.
func NewFiles(globs map[string][]string) *Files { return &Files{globs: globs} }

// System implements LogSource.
func (f *Files) System() string { return "files" }

// Command implements LogSource.
func (f *Files) Command(q LogQuery) string {
	words := []string{"grep", "-hF"}
	for _, name := range q.Events {
		words = append(words, "-e", name)
	}
	if len(q.Events) == 0 {
		words = append(words, "-e", "")
	}
	command := shell(append(words, "--")...)
	for _, g := range f.globs[q.Service] {
		command += " " + quoteGlob(g)
	}
	if q.Reason != "" {
		command += " | " + shell("grep", "-F", "-e", q.Reason)
	}
	for _, id := range q.ids() {
		command += " | " + shell("grep", "-F", "-e", id)
	}
	if q.Text != "" {
		command += " | " + shell("grep", "-iF", "-e", q.Text)
	}
	return fmt.Sprintf("%s | tail -n %d", command, q.Limit)
}

// quoteGlob quotes all but the wildcards, which a shell expands as we do. What
// is escaped in the glob stands for itself in both.
func quoteGlob(glob string) string {
	var quoted, plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			quoted.WriteString(quote(plain.String()))
			plain.Reset()
		}
	}
	runes := []rune(glob)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == '\\' && i+1 < len(runes):
			i++
			plain.WriteRune(runes[i])
		case r == '^' && i > 0 && runes[i-1] == '[':
			quoted.WriteByte('!') // not, to every shell
		case strings.ContainsRune("*?[]", r):
			flush()
			quoted.WriteRune(r)
		default:
			plain.WriteRune(r)
		}
	}
	flush()
	return quoted.String()
}

// Search implements LogSource. It reads each file from its end, until a line is
// older than the window or the bound is reached.
func (f *Files) Search(ctx context.Context, q LogQuery) (LogPage, error) {
	files, err := f.files(q.Service)
	if err != nil {
		return LogPage{}, err
	}
	s := &fileSearch{query: q, left: maxLogRead, page: LogPage{Pods: map[string]int64{}}}
	for _, file := range files {
		if err := s.file(ctx, file); err != nil {
			return LogPage{}, err
		}
	}
	s.cut()
	s.page.Read = s.page.Lines + s.page.Bad
	return s.page, nil
}

// files are the files of a service, the one written last first.
func (f *Files) files(service string) ([]string, error) {
	globs := f.globs[service]
	if len(globs) == 0 {
		return nil, notConfigured("the log files of "+service, "logs.files."+service)
	}
	written := map[string]time.Time{}
	for _, g := range globs {
		names, err := filepath.Glob(g)
		if err != nil {
			return nil, &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: fmt.Sprintf("glob %q: %v", g, err), Next: correct("logs.files." + service), Err: err}
		}
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				written[name] = info.ModTime()
			}
		}
	}
	if len(written) == 0 {
		return nil, &diagnostics.BlindError{
			Reason: diagnostics.ReasonNoData,
			Detail: "no file matches " + strings.Join(globs, " "),
			Next: diagnostics.Both("check that the service writes there and correct logs.files."+service,
				"verifique se o serviço grava lá e corrija logs.files."+service),
		}
	}
	names := make([]string, 0, len(written))
	for name := range written {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(written[b].Compare(written[a]), strings.Compare(a, b)) })
	return names, nil
}

// fileSearch is a search under way.
type fileSearch struct {
	query LogQuery
	left  int64 // bytes that may still be read
	page  LogPage
}

// file searches one file backwards.
func (s *fileSearch) file(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return blindFile(name, err)
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return blindFile(name, err)
	}
	var tail []byte // the start of a line whose beginning is in the block before
	for end > 0 {
		if err := ctx.Err(); err != nil {
			return blindNetwork("read "+name, diagnostics.Text{}, err)
		}
		size := min(end, logBlock)
		if s.left < size {
			s.page.Truncated = true
			return nil
		}
		block := make([]byte, size, int(size)+len(tail))
		if _, err := f.ReadAt(block, end-size); err != nil && !errors.Is(err, io.EOF) {
			return blindFile(name, err)
		}
		end, s.left = end-size, s.left-size
		block = append(block, tail...)
		var older bool
		if tail, older = s.block(block, end == 0); older {
			return nil
		}
	}
	return nil
}

// block takes the whole lines of a block, the last first, and returns the rest
// of the first line, whose beginning lies before the block.
func (s *fileSearch) block(block []byte, first bool) (rest []byte, older bool) {
	for {
		i := bytes.LastIndexByte(block, '\n')
		if i < 0 {
			break
		}
		if s.line(block[i+1:]) {
			return nil, true
		}
		block = block[:i]
	}
	if first {
		return nil, s.line(block)
	}
	if len(block) > maxLogLine {
		return nil, false // no line of ours is that long
	}
	return block, false
}

// line takes one line, and reports whether it is older than the window.
func (s *fileSearch) line(line []byte) (older bool) {
	if len(bytes.TrimSpace(line)) == 0 {
		return false
	}
	fields, err := logFields(string(line))
	if err != nil {
		s.page.Bad++ // half a line, or a traceback: not ours
		return false
	}
	at := timeOf(fields["timestamp"])
	switch {
	case at.IsZero(), at.After(s.query.Until):
		return false
	case at.Before(s.query.Since):
		return true
	}
	s.page.Lines++
	if at.After(s.page.Newest) {
		s.page.Newest = at
	}
	pod := word(fields["pod"])
	if pod != "" {
		s.page.Pods[pod]++
	}
	if s.query.matches(line) {
		s.page.Matches = append(s.page.Matches, LogLine{At: at, Pod: pod, Text: string(line)})
	}
	if len(s.page.Matches) > 4*s.query.Limit {
		s.cut()
	}
	return false
}

// cut keeps the newest matches, as many as were asked for.
func (s *fileSearch) cut() {
	newestFirst(s.page.Matches)
	if len(s.page.Matches) > s.query.Limit {
		s.page.Matches, s.page.Truncated = s.page.Matches[:s.query.Limit], true
	}
}

// matches reports whether a line is one that was asked for. Lines without one
// of the names, which are most, are not taken apart once more.
func (q LogQuery) matches(line []byte) bool {
	named := func(name string) bool { return bytes.Contains(line, []byte(name)) }
	if len(q.Events) > 0 && !slices.ContainsFunc(q.Events, named) {
		return false
	}
	if slices.ContainsFunc(q.ids(), func(id string) bool { return !named(id) }) {
		return false
	}
	if len(q.Events) == 0 && q.SPIFFEID == "" && q.Reason == "" && len(q.Levels) == 0 && len(q.ids()) == 0 && q.Text == "" {
		return true
	}
	record, err := parseLogLine(string(line))
	return err == nil && q.keeps(record.event)
}

func newestFirst(lines []LogLine) {
	slices.SortStableFunc(lines, func(a, b LogLine) int { return b.At.Compare(a.At) })
}

func blindFile(name string, err error) *diagnostics.BlindError {
	blind := &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: "read " + name + ": " + clean(err.Error(), maxDetail), Err: err}
	if errors.Is(err, fs.ErrPermission) {
		blind.Reason, blind.Next = diagnostics.ReasonDenied, diagnostics.Both("let the bot's user read the file", "deixe o usuário do bot ler o arquivo")
	}
	return blind
}
