package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sidecard/internal/flaw"
)

func TestEveryFlawIsCaughtByARow(t *testing.T) {
	t.Parallel()
	proved := map[flaw.Flaw]int{}
	for _, m := range mutants {
		proved[m.Flaw]++
		if _, err := m.row(); err != nil {
			t.Error(err)
		}
		if m.Sentence == "" {
			t.Errorf("%s is caught by any sentence", m.Flaw)
		}
	}
	for _, e := range flaw.List {
		if proved[e.Flaw] != 1 {
			t.Errorf("%s is to be caught by %d rows, want 1", e.Flaw, proved[e.Flaw])
		}
		delete(proved, e.Flaw)
	}
	for f := range proved {
		t.Errorf("%s is not in the list of flaws", f)
	}
}

func TestEveryFlawIsHookedOrRewritten(t *testing.T) {
	t.Parallel()
	hooked := hooks(t)
	for _, m := range mutants {
		if inProduct, inDatabase := hooked[m.Flaw], len(m.Rewrites) > 0; inProduct == inDatabase {
			t.Errorf("%s: hook in the product %v, rewrites of the database %v; want one of them", m.Flaw, inProduct, inDatabase)
		}
		delete(hooked, m.Flaw)
	}
	for f := range hooked {
		t.Errorf("a hook asks for %s, which no row is to catch", f)
	}
}

// hooks are the flaws that the product asks for.
func hooks(t *testing.T) map[flaw.Flaw]bool {
	t.Helper()
	names, found := constants(t), map[flaw.Flaw]bool{}
	hook := regexp.MustCompile(`flaw\.On\(flaw\.(\w+)\)`)
	err := filepath.WalkDir("../../internal", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range hook.FindAllSubmatch(text, -1) {
			found[names[string(match[1])]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// constants are the flaws by the names of their constants.
func constants(t *testing.T) map[string]flaw.Flaw {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../internal/flaw/flaw.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]flaw.Flaw{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				values[spec.Names[0].Name] = flaw.Flaw(strings.Trim(literal.Value, `"`))
			}
		}
		return true
	})
	return values
}

// TestRewritesFindWhatTheyReplace looks at the newest definition of each function. Whoever changes it learns here,
// and not only when the mutants run, that a flaw has to be written anew.
func TestRewritesFindWhatTheyReplace(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../migrations/postgres/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %d files, %v", len(files), err)
	}
	slices.Sort(files)
	for _, m := range mutants {
		for _, edit := range m.Rewrites {
			if definition := newestDefinition(t, files, edit.Function); !strings.Contains(definition, edit.From) {
				t.Errorf("%s: function %s holds no %q", m.Flaw, edit.Function, edit.From)
			}
		}
	}
}

func newestDefinition(t *testing.T, files []string, function string) (definition string) {
	t.Helper()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, after, ok := strings.Cut(string(text), "function "+function+"(")
		if !ok {
			continue
		}
		definition, _, _ = strings.Cut(after, "end $$")
	}
	return definition
}
