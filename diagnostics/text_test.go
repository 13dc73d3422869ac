package diagnostics_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestTextsOfCodeAreInBothLanguages holds that what code says to people is made
// by Both, of two texts that differ: a next step in English only would be read
// in the middle of an answer in Portuguese.
func TestTextsOfCodeAreInBothLanguages(t *testing.T) {
	made := 0
	for _, pattern := range []string{"*.go", "probes/*.go", "../cmd/bot/*.go", "../approvals/*.go", "../approvals/remedies/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources like %s: %v", pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			tree, err := parser.ParseFile(fset, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if len(n.Args) == 2 && (named(n.Fun, "Both") || named(n.Fun, "both")) {
						made++
						if en, pt := written(n.Args[0]), written(n.Args[1]); en == pt && en != "" || (en == "") != (pt == "") {
							t.Errorf("%s: %q and %q are not two languages", fset.Position(n.Pos()), en, pt)
						}
					}
				case *ast.KeyValueExpr:
					if _, isText := n.Value.(*ast.BasicLit); isText && named(n.Key, "Next") {
						t.Errorf("%s: a next step in one language", fset.Position(n.Pos()))
					}
				case *ast.CompositeLit:
					technical := strings.Contains(file, "approvals/") // details that faces set apart
					if named(n.Type, "Text") && len(n.Elts) == 1 && !technical {
						t.Errorf("%s: a text in one language", fset.Position(n.Pos()))
					}
				}
				return true
			})
		}
	}
	if made < 50 {
		t.Errorf("only %d texts are found: this test looks in the wrong place", made)
	}
}

// named says whether an expression is that name, of this package or another.
func named(e ast.Expr, name string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == name
	case *ast.SelectorExpr:
		return e.Sel.Name == name
	}
	return false
}

// written is what the literals in an expression say together.
func written(e ast.Expr) string {
	var all strings.Builder
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			all.WriteString(lit.Value)
		}
		return true
	})
	return all.String()
}
