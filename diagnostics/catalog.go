package diagnostics

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// CatalogSource is a folder of checks, one YAML file each. Files that end in
// .test.yaml try them: TryFixtures.
type CatalogSource struct {
	Name string // shown before the file's name in errors
	FS   fs.FS
}

// Catalog holds the checks that were loaded, in the order of the chain: a check
// comes after those that it needs.
type Catalog struct {
	checks []*Check
	byCode map[string]*Check
}

// LoadCatalog reads, type-checks and orders the checks of all folders. Every
// error of every file is reported at once, each with file, line, column, what
// is expected, and the line with a caret.
func LoadCatalog(sources []CatalogSource, probes []Probe, opts ...CatalogOption) (*Catalog, error) {
	compiler, err := newCompiler(probes)
	if err != nil {
		return nil, err
	}
	for _, opt := range opts {
		opt(compiler)
	}
	c := &Catalog{byCode: map[string]*Check{}}
	var errs []error
	for _, src := range sources {
		errs = append(errs, c.loadFolder(src, compiler))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, c.order()
}

func (c *Catalog) loadFolder(src CatalogSource, compiler *compiler) error {
	var errs []error
	err := fs.WalkDir(src.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !isCheckFile(name) {
			return nil
		}
		data, err := fs.ReadFile(src.FS, name)
		if err != nil {
			return err
		}
		errs = append(errs, c.loadFile(path.Join(src.Name, name), data, compiler))
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("read checks of %s: %w", src.Name, err))
	}
	return errors.Join(errs...)
}

func isCheckFile(name string) bool {
	return (path.Ext(name) == ".yaml" || path.Ext(name) == ".yml") && !strings.HasSuffix(name, fixtureSuffix)
}

func (c *Catalog) loadFile(name string, data []byte, compiler *compiler) error {
	file := newFileErrors(name, data)
	var raw checkFile
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("empty file: expected a check")
		}
		file.yaml(err)
		return file.err()
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		file.addAt(1, 1, "more than one document: expected one check a file")
	}
	check, facts := raw.check(file)
	check.program = compiler.compile(&raw, facts, file)
	if other, twice := c.byCode[check.Code]; twice {
		file.add(raw.Code, "code %s is taken by %s", check.Code, other.File)
	}
	c.byCode[check.Code] = check
	c.checks = append(c.checks, check)
	return file.err()
}

// order sorts the checks so that each comes after those that it needs, by row
// and code otherwise. It refuses unknown codes and cycles.
func (c *Catalog) order() error {
	slices.SortFunc(c.checks, func(a, b *Check) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Code, b.Code))
	})
	var errs []error
	for _, check := range c.checks {
		for _, need := range check.Needs {
			if c.byCode[need] == nil {
				errs = append(errs, fmt.Errorf("%s: check %s needs %s: expected the code of a check", check.File, check.Code, need))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	ordered := make([]*Check, 0, len(c.checks))
	state := map[string]int{} // 1: being visited, 2: done
	var visit func(check *Check, via []string) error
	visit = func(check *Check, via []string) error {
		via = append(via, check.Code)
		switch state[check.Code] {
		case 2:
			return nil
		case 1:
			return fmt.Errorf("%s: needs go in a circle: %s", check.File, strings.Join(via, " -> "))
		}
		state[check.Code] = 1
		for _, need := range check.Needs {
			if err := visit(c.byCode[need], via); err != nil {
				return err
			}
		}
		state[check.Code] = 2
		ordered = append(ordered, check)
		return nil
	}
	for _, check := range c.checks {
		if err := visit(check, nil); err != nil {
			return err
		}
	}
	c.checks = ordered
	return nil
}

// Checks lists the checks in the order of the chain.
func (c *Catalog) Checks() []*Check { return slices.Clone(c.checks) }

// Check returns the check of a code.
func (c *Catalog) Check(code string) (*Check, bool) {
	check, ok := c.byCode[code]
	return check, ok
}

// CommandFor is the command that a person could run instead of the check, for
// a service; empty when there is none.
func (c *Check) CommandFor(service Target) string {
	return c.program.command.render(inputs{service: service}.vars())
}

// Probe returns the probe that gathers one of the check's facts.
func (c *Check) Probe(fact string) (Probe, bool) {
	if f := c.fact(fact); f != nil {
		return f.probe, true
	}
	return Probe{}, false
}

// fact is one of the check's facts by its name; nil when there is none.
func (c *Check) fact(name string) *factProgram {
	for i, f := range c.program.facts {
		if f.name == name {
			return &c.program.facts[i]
		}
	}
	return nil
}

func (c *Check) factNames() string {
	names := make([]string, len(c.program.facts))
	for i, f := range c.program.facts {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// GrantUse is a right at Vault with the codes of the checks that need it.
type GrantUse struct {
	Grant
	Checks []string
}

// Grants lists the rights at Vault that the catalogue needs for the services,
// by path, each with the checks that need it.
func (c *Catalog) Grants(services []Target) ([]GrantUse, error) {
	byPath := map[string]*GrantUse{}
	for _, service := range services {
		for _, check := range c.checks {
			grants, err := check.grants(service)
			if err != nil {
				return nil, err
			}
			for _, g := range grants {
				use := byPath[g.Path]
				if use == nil {
					use = &GrantUse{Grant: Grant{Path: g.Path}}
					byPath[g.Path] = use
				}
				use.Capabilities = union(use.Capabilities, g.Capabilities...)
				use.Checks = union(use.Checks, check.Code)
			}
		}
	}
	uses := make([]GrantUse, 0, len(byPath))
	for _, use := range byPath {
		uses = append(uses, *use)
	}
	slices.SortFunc(uses, func(a, b GrantUse) int { return cmp.Compare(a.Path, b.Path) })
	return uses, nil
}

func (c *Check) grants(service Target) ([]Grant, error) {
	applies, err := c.applies(service, 0)
	if err != nil || !applies {
		return nil, err
	}
	var grants []Grant
	for _, f := range c.program.facts {
		if f.probe.Grants == nil {
			continue
		}
		args, err := f.arguments(service, 0)
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", c.Code, err)
		}
		grants = append(grants, f.probe.Grants(args)...)
	}
	return grants, nil
}

func union(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return sorted(list)
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// argsKey identifies a question: two facts with the same key are gathered once.
func argsKey(probe string, args any) (string, error) {
	data, err := json.Marshal(args)
	if err != nil {
		return "", fmt.Errorf("arguments of probe %s: %w", probe, err)
	}
	return probe + string(data), nil
}
