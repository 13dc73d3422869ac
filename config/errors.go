package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Error is one thing that is wrong with the configuration. It never holds a
// value of the file.
type Error struct {
	File      string
	Line, Col int    // 1-based; 0 when the file cannot be read
	Path      string // like services.worker.job; empty for the whole file
	Text      string // what is wrong and what is expected
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Col)
	}
	if e.Path != "" {
		where += ": " + e.Path
	}
	return where + ": " + e.Text
}

// findings collects errors.
type findings struct {
	file string
	all  []*Error
}

func (f *findings) add(node *yaml.Node, path, format string, args ...any) {
	f.all = append(f.all, &Error{File: f.file, Line: node.Line, Col: node.Column, Path: path, Text: fmt.Sprintf(format, args...)})
}

// err joins what was found, in the order of the file.
func (f *findings) err() error {
	slices.SortStableFunc(f.all, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path))
	})
	errs := make([]error, 0, len(f.all))
	for _, e := range f.all {
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}
