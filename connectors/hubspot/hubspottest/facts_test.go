package hubspottest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// factRow is one row: behaviour, tag, test.
var factRow = regexp.MustCompile("^\\| [^|]+ \\| (spec|doc|obs|mem) \\| `(Test\\w+)` \\|$")

func TestEachFactNamesATestAndEachTestIsNamed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("FACTS.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Behaviour ") {
			continue
		}
		row := factRow.FindStringSubmatch(line)
		if row == nil {
			t.Errorf("not a row: %s", line)
			continue
		}
		named[row[2]] = true
	}
	there := tests(t)
	delete(there, t.Name())
	for name := range maps.Keys(named) {
		if !there[name] {
			t.Errorf("FACTS.md names %s, which is not there", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if !named[name] {
			t.Errorf("FACTS.md has no row for %s", name)
		}
	}
}

// tests are the tests of this folder.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				all[f.Name.Name] = true
			}
		}
	}
	return all
}
