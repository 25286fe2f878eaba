package connectortest

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ownWays are what a connector has no use for: the host hands it another.
var ownWays = []struct {
	name    *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`^net\.(Dial.*|Listen.*|Lookup.*|DefaultResolver|Resolver)$`), "use Dial and Resolve of OpenInput"},
	{regexp.MustCompile(`^crypto/tls\.Dial.*$`), "use Dial of OpenInput"},
	{regexp.MustCompile(`^net/http\.(DefaultClient|DefaultTransport|Transport|Get|Head|Post|PostForm)$`), "use HTTP of OpenInput"},
	{regexp.MustCompile(`^time\.(Sleep|Tick)$`), "wait for a signal or the context"},
	{regexp.MustCompile(`^os\.(Get.*|Lookup.*|Set.*|Environ|Open.*|Create.*|ReadFile|ReadDir|WriteFile|Remove.*|Mkdir.*|Exit|Std.*|Args)$`), "settings come from OpenInput, and nothing is kept"},
	{regexp.MustCompile(`^(os/exec|plugin|unsafe|log)\..*$`), "a connector has no use for it"},
	{regexp.MustCompile(`^log/slog\.(Default|SetDefault|Debug|Info|Warn|Error|Log).*$`), "use Log of OpenInput"},
	{regexp.MustCompile(`^fmt\.Print.*$`), "use Log of OpenInput"},
}

// directory is where the connector's source code is.
func (h Harness) directory() string {
	if h.Package == "" {
		return "." // tests run in the directory of their package
	}
	return h.Package
}

// codeStaysInside reads the connector's source code: it knows no way out of its own, and keeps nothing in variables of
// the package.
func codeStaysInside(_ context.Context, h Harness) error {
	set := token.NewFileSet()
	files, err := parseSource(set, h.directory())
	if err != nil {
		return err
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	// What is imported stays unknown, which is enough to tell names of this package, imports and locals apart.
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	pkg, _ := config.Check("connector", set, files, info) // without its imports no package is free of errors
	var broken []error
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if what := forbidden(n, info, pkg); what != "" {
				at := set.Position(n.Pos())
				broken = append(broken, fmt.Errorf("%s:%d: %s", filepath.Base(at.Filename), at.Line, what))
			}
			return true
		})
	}
	return errors.Join(broken...)
}

func parseSource(set *token.FileSet, directory string) ([]*ast.File, error) {
	names, err := fs.Glob(os.DirFS(directory), "*.go")
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, filepath.Join(directory, name), nil, 0)
		if err != nil {
			return nil, fmt.Errorf("read the source code: %w", err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no source code in %s: set Package", directory)
	}
	return files, nil
}

// forbidden says what is wrong with a piece of code, if something is.
func forbidden(n ast.Node, info *types.Info, pkg *types.Package) string {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		x, ok := n.X.(*ast.Ident)
		if !ok {
			return ""
		}
		imported, ok := info.Uses[x].(*types.PkgName)
		if !ok {
			return ""
		}
		name := imported.Imported().Path() + "." + n.Sel.Name
		for _, w := range ownWays {
			if w.name.MatchString(name) {
				return name + ": " + w.instead
			}
		}
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			if name := shared(left, info, pkg); name != "" {
				return name + " is changed: a connector keeps nothing in variables of the package"
			}
		}
	case *ast.IncDecStmt:
		if name := shared(n.X, info, pkg); name != "" {
			return name + " is changed: a connector keeps nothing in variables of the package"
		}
	}
	return ""
}

// shared gives the name of the package's variable that an assignment changes.
func shared(left ast.Expr, info *types.Info, pkg *types.Package) string {
	for {
		switch e := left.(type) {
		case *ast.IndexExpr:
			left = e.X
		case *ast.SelectorExpr:
			left = e.X
		case *ast.StarExpr:
			left = e.X
		case *ast.ParenExpr:
			left = e.X
		case *ast.Ident:
			if v, ok := info.Uses[e].(*types.Var); ok && pkg != nil && v.Parent() == pkg.Scope() {
				return e.Name
			}
			return ""
		default:
			return ""
		}
	}
}

// noImports knows no package.
type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	return nil, errors.New("imports are not looked at")
}
