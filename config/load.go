package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile is far more than a true configuration has.
const maxFile = 1 << 20

// Load reads a configuration and fills in the defaults. It reports every error
// at once, as joined *Error.
func Load(file string) (*Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, &Error{File: file, Text: fmt.Sprintf("read the configuration: %v", errors.Unwrap(err))}
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("find the folder of %s: %w", file, err)
	}
	return Parse(file, data, dir)
}

// Parse is Load for a text that was read already. Name stands in errors; dir is
// what paths are relative to.
func Parse(name string, data []byte, dir string) (*Config, error) {
	found := &findings{file: name}
	root := tree(data, found)
	if root == nil {
		return nil, found.err()
	}
	var c Config
	d := decoder{findings: found, dir: dir, budget: maxNodes}
	d.into(root, reflect.ValueOf(&c).Elem(), "")
	if d.budget > 0 {
		validate(&c, root, found)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	c.setDefaults()
	return &c, nil
}

// tree parses YAML up to its nodes, or adds what is wrong and returns nil.
func tree(data []byte, found *findings) *yaml.Node {
	if len(data) > maxFile {
		found.add(&yaml.Node{}, "", "larger than 1 MiB: expected a configuration")
		return nil
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	err := dec.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF):
		found.add(&yaml.Node{}, "", "empty: expected a configuration; config/example.yaml shows one")
		return nil
	case err != nil:
		found.all = append(found.all, syntaxError(found.file, err))
		return nil
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		found.add(&more, "", "more than one document: expected one")
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// syntaxError takes the line out of the parser's text. The text is about YAML's
// grammar and has no value of the file in it, but for the names of anchors.
func syntaxError(file string, err error) *Error {
	text := err.Error()
	line := 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	return &Error{File: file, Line: line, Col: 1, Text: "not YAML: " + strings.TrimPrefix(text, "yaml: ")}
}
