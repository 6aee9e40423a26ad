package ledger

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pure are the packages that the ledger may import: none of them has a clock, a
// random number, a goroutine, I/O or an order of its own.
var pure = map[string]bool{
	"container/heap": true, "errors": true, "fmt": true, "slices": true, "strings": true,
	"github.com/tidwall/btree":            true,
	"github.com/conncord/conncord/events": true,
}

// TestPurity reads the package's source: what would make two machines decide
// differently must not stand in it.
func TestPurity(t *testing.T) {
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		for _, spec := range f.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); !pure[path] {
				t.Errorf("%s imports %s", fset.Position(spec.Pos()), path)
			}
		}
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", compiled(t))}
	if _, err := config.Check("ledger", fset, files, info); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if what := impure(info, n); what != "" {
				t.Errorf("%s: %s", fset.Position(n.Pos()), what)
			}
			return true
		})
	}
}

// compiled opens the compiler's export data of a package that this one needs.
func compiled(t *testing.T) importer.Lookup {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
}

func impure(info *types.Info, n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "starts a goroutine"
	case *ast.SelectStmt, *ast.SendStmt:
		return "uses a channel"
	case *ast.RangeStmt:
		if _, ok := info.TypeOf(n.X).Underlying().(*types.Map); ok {
			return "ranges over a map"
		}
	case ast.Expr:
		if basic, ok := info.TypeOf(n).(*types.Basic); ok && basic.Info()&(types.IsFloat|types.IsComplex) != 0 {
			return "computes with fractions"
		}
	}
	return ""
}
