package main

import (
	"fmt"
	"io"

	"tandem/commands"
)

// progress shows how far a diagnosis has come, on one line of a terminal that
// it takes away again. In a pipe it is quiet.
type progress struct {
	out     io.Writer // nil: quiet
	words   commands.Words
	service string
}

func (a *app) newProgress(service string) *progress {
	p := &progress{words: a.words, service: service}
	if isTerminal(a.stderr) && a.getenv("TERM") != "dumb" {
		p.out = a.stderr
	}
	p.show(commands.Progress{})
	return p
}

// eraseLine takes the cursor to the start of its line and empties it.
const eraseLine = "\r\x1b[K"

func (p *progress) show(now commands.Progress) {
	if p.out != nil {
		_, _ = fmt.Fprint(p.out, eraseLine, p.words.Progress(p.service, now))
	}
}

func (p *progress) clear() {
	if p.out != nil {
		_, _ = fmt.Fprint(p.out, eraseLine)
	}
}
