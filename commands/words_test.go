package commands

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"tandem/diagnostics"
)

// texts reads a file of texts as they are: id to forms.
func texts(t *testing.T, lang diagnostics.Lang) map[string]map[string]string {
	t.Helper()
	files, err := filepath.Glob("locales/active.*" + string(lang) + ".yaml")
	if err != nil || len(files) < 2 {
		t.Fatal("no texts", files, err)
	}
	raw := map[string]any{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		some := map[string]any{}
		if err := yaml.Unmarshal(data, &some); err != nil {
			t.Fatal(err)
		}
		for id, text := range some {
			if raw[id] != nil {
				t.Errorf("%s is in two files", id)
			}
			raw[id] = text
		}
	}
	all := map[string]map[string]string{}
	for id, v := range raw {
		forms := map[string]string{}
		switch v := v.(type) {
		case string:
			forms["other"] = v
		case map[string]any:
			for form, text := range v {
				forms[form] = text.(string)
			}
		}
		all[id] = forms
	}
	return all
}

var blank = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

// blanks are those of all forms of a text, without those that are always there.
func blanks(forms map[string]string) []string {
	found := map[string]bool{}
	for _, text := range forms {
		for _, m := range blank.FindAllStringSubmatch(text, -1) {
			found[m[1]] = true
		}
	}
	delete(found, "Prog")
	return slices.Sorted(maps.Keys(found))
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	en, pt := texts(t, diagnostics.English), texts(t, diagnostics.Portuguese)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(pt))); diff != "" {
		t.Fatalf("ids (-en +pt-BR):\n%s", diff)
	}
	for id := range en {
		if diff := cmp.Diff(blanks(en[id]), blanks(pt[id])); diff != "" {
			t.Errorf("%s has other blanks (-en +pt-BR):\n%s", id, diff)
		}
		if en[id]["other"] == "" || pt[id]["other"] == "" {
			t.Errorf("%s is empty in a language", id)
		}
	}
}

// use is a call that says a text.
type use struct {
	at    string
	pairs []string // names of the blanks that it fills
}

// uses finds the calls of Say and Count in the packages that speak with these
// texts.
func uses(t *testing.T) map[string][]use {
	t.Helper()
	found := map[string][]use{}
	for _, dir := range []string{".", "slack", "../cmd/bot"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				usesIn(t, file, found)
			}
		}
	}
	return found
}

func usesIn(t *testing.T, file string, found map[string][]use) {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Say" && sel.Sel.Name != "Count" {
			return true
		}
		id := literal(call.Args[0])
		u := use{at: fset.Position(call.Pos()).String()}
		first := 1
		if sel.Sel.Name == "Count" {
			u.pairs, first = []string{"N"}, 2
		}
		for i := first; i < len(call.Args); i += 2 {
			u.pairs = append(u.pairs, literal(call.Args[i]))
		}
		found[id] = append(found[id], u)
		return true
	})
}

// literal is the value of a string literal, or "".
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		s, _ := strconv.Unquote(l.Value)
		return s
	}
	return ""
}

// approvalIDs are the texts that are named after words of the approvals, which
// their source has as constants.
func approvalIDs(t *testing.T) []string {
	t.Helper()
	prefixes := map[string][]string{"Why": {"why_", "next_"}, "State": {"state_"}, "Risk": {"risk_"}, "Deed": {"deed_"}}
	files, err := filepath.Glob("../approvals/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources of the approvals", err)
	}
	var ids []string
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			kind, _ := spec.Type.(*ast.Ident)
			for i := 0; kind != nil && i < len(prefixes[kind.Name]); i++ {
				ids = append(ids, prefixes[kind.Name][i]+literal(spec.Values[0]))
			}
			return true
		})
	}
	return ids
}

// helpIDs are the texts that help makes from the grammar.
func helpIDs(t *testing.T) []string {
	t.Helper()
	var ids []string
	for _, face := range []Face{InChat, InTerminal} {
		app, err := newApp(face.grammar())
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range leaves(app.Model.Node) {
			ids = append(ids, aboutID(leaf))
			for _, p := range leaf.Positional {
				ids = append(ids, argID(p.Name))
			}
			if leaf.Tag.Has("more") {
				ids = append(ids, moreID(leaf))
			}
			for _, group := range leaf.AllFlags(false) {
				for _, f := range group {
					ids = append(ids, flagID(f))
					if !f.IsBool() && isArg(f) {
						ids = append(ids, argID(f.PlaceHolder))
					}
				}
			}
		}
	}
	return ids
}

func TestEveryTextIsUsedAndThere(t *testing.T) {
	en, used := texts(t, diagnostics.English), uses(t)
	for _, id := range helpIDs(t) {
		used[id] = append(used[id], use{at: "the grammar"})
	}
	for _, id := range approvalIDs(t) {
		used[id] = append(used[id], use{at: "the approvals"})
	}
	for id := range en {
		if len(used[id]) == 0 {
			t.Errorf("nothing says %s", id)
		}
	}
	for id, places := range used {
		forms, ok := en[id]
		for _, place := range places {
			switch {
			case id == "" || strings.HasPrefix(place.at, "slack/") && !ok:
				continue // made by the grammar, or a text of that package
			case !ok:
				t.Errorf("%s says %s, which does not exist", place.at, id)
			}
			for _, b := range blanks(forms) {
				if !slices.Contains(place.pairs, b) {
					t.Errorf("%s does not fill the blank %s of %s", place.at, b, id)
				}
			}
		}
	}
}

func TestEveryKindOfErrorHasItsText(t *testing.T) {
	vocab, err := NewVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	kinds := []UsageKind{
		UnknownCommand, MissingCommand, UnknownFlag, MissingArgument, ExtraArgument, MissingValue,
		UnwantedValue, BadDuration, BadChoice, BadParam, BadQuotes, BadCharacter, TooLong,
	}
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		w := vocab.Words(lang, "/vault")
		seen := map[string]UsageKind{}
		for _, kind := range kinds {
			text, known := w.Explain(&UsageError{Kind: kind, Path: []string{"diagnose"}, Flag: "--f", Word: "code", Nearest: "near", Choices: []string{"a"}})
			if !known || strings.Contains(text, "<no value>") || strings.Contains(text, "[") {
				t.Errorf("%s in %s: %q", kind, lang, text)
			}
			if !strings.Contains(text, "/vault help diagnose") {
				t.Errorf("%s in %s has no next step: %q", kind, lang, text)
			}
			if other, twice := seen[text]; twice {
				t.Errorf("%s and %s say the same in %s", kind, other, lang)
			}
			seen[text] = kind
		}
	}
}

func TestExplainKnowsItsOwnErrorsOnly(t *testing.T) {
	w := words(t, diagnostics.English)
	if text, known := w.Explain(os.ErrPermission); known || text != "" {
		t.Errorf("Explain of a foreign error = %q", text)
	}
	text, known := w.Explain(&UnknownServiceError{Name: "wroker", Known: []string{"orchestrator", "worker"}})
	want := "I know no service called \"wroker\".\nDid you mean /vault diagnose worker?\nKnown services: orchestrator, worker."
	if !known || text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

func TestLangOf(t *testing.T) {
	for locale, want := range map[string]struct {
		lang diagnostics.Lang
		ok   bool
	}{
		"pt-BR": {diagnostics.Portuguese, true}, "pt_BR.UTF-8": {diagnostics.Portuguese, true}, "pt-PT": {diagnostics.Portuguese, true},
		"PT": {diagnostics.Portuguese, true}, "en-GB": {diagnostics.English, true}, "de-DE": {diagnostics.English, false}, "": {diagnostics.English, false},
	} {
		if lang, ok := LangOf(locale); lang != want.lang || ok != want.ok {
			t.Errorf("LangOf(%q) = %s, %v", locale, lang, ok)
		}
	}
}

// words are the texts as a person in chat reads them.
func words(t *testing.T, lang diagnostics.Lang) Words {
	t.Helper()
	vocab, err := NewVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	return vocab.Words(lang, "/vault")
}

// TestEveryCommandHasAType holds that the grammar's commands are Commands, so
// that parse never meets one of no type.
func TestEveryCommandHasAType(t *testing.T) {
	for _, grammar := range []any{&chatGrammar{}, &terminalGrammar{}} {
		app, err := newApp(grammar)
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range leaves(app.Model.Node) {
			if leaf.Type != kong.CommandNode || !leaf.Target.Type().Implements(reflect.TypeFor[Command]()) {
				t.Errorf("%s is no Command", commandPath(leaf))
			}
		}
	}
}
