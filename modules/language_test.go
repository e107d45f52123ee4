package modules_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Who reads Spanish reads all of a refusal in Spanish: formats of errs.Define say
// the same in both languages, and parts of a message that are sentences are
// errs.Say. Both are seen in the source.
func TestNoRefusalMixesLanguages(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		positions := token.NewFileSet()
		file, err := parser.ParseFile(positions, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		ast.Inspect(file, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok {
				for _, problem := range mixed(call) {
					t.Errorf("modules/%s: %s", positions.Position(call.Pos()), problem)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("read %d files: %v", files, err)
	}
	for _, bad := range []string{
		`errs.Forbidden.New("only teachers do")`, `errs.BadInput.New(fmt.Sprintf("%d is too much", n))`, `ErrX.New(a + " is no UUID")`, `ErrX.New(1, err.Error())`,
		`errs.Define(c, "r", "%s and %d", "%d y %s")`, `errs.Define(c, "r", "Same.", "Same.")`, `errs.Define(c, "r", "A.", "")`, `errs.Say("%s is bad", "es malo", x)`,
	} {
		call, err := parser.ParseExpr(bad)
		if err != nil {
			t.Fatal(err)
		}
		if len(mixed(call.(*ast.CallExpr))) == 0 {
			t.Errorf("%s passes", bad)
		}
	}
}

// mixed says what of a call is in one language only.
func mixed(call *ast.CallExpr) (problems []string) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	on := nameOf(method.X)
	switch {
	case on == "errs" && method.Sel.Name == "Define" && len(call.Args) == 4:
		return twice(call.Args[2], call.Args[3])
	case on == "errs" && method.Sel.Name == "Say" && len(call.Args) >= 2:
		return twice(call.Args[0], call.Args[1])
	case method.Sel.Name == "New" && kindName.MatchString(on):
		for _, arg := range call.Args {
			if sentence(arg) {
				problems = append(problems, fmt.Sprintf("%s.New is given a sentence in one language: use errs.Say", on))
			}
		}
	}
	return problems
}

// kindName are names of an *errs.Kind.
var kindName = regexp.MustCompile(`^(Err[A-Z]\w*|err[A-Z]\w*|BadInput|Forbidden|Busy|NotSignedIn|Malformed)$`)

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// sentence reports whether an argument is text of more than one word, or an
// error's.
func sentence(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return e.Kind == token.STRING && err == nil && strings.Contains(strings.TrimSpace(text), " ")
	case *ast.BinaryExpr:
		return e.Op == token.ADD && (worded(e.X) || worded(e.Y))
	case *ast.CallExpr:
		method, ok := e.Fun.(*ast.SelectorExpr)
		return ok && (method.Sel.Name == "Error" && len(e.Args) == 0 || method.Sel.Name == "Sprintf" && len(e.Args) > 0 && sentence(e.Args[0]))
	}
	return false
}

func worded(e ast.Expr) bool {
	if lit, ok := e.(*ast.BasicLit); ok {
		text, err := strconv.Unquote(lit.Value)
		return err == nil && len(strings.Fields(text)) > 1
	}
	return sentence(e)
}

var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*[\d.]*[a-zA-Z]`)

// twice compares a text's two languages.
func twice(english, spanish ast.Expr) []string {
	en, okEN := literal(english)
	es, okES := literal(spanish)
	switch {
	case !okEN || !okES:
		return nil
	case es == "" || en == es:
		return []string{fmt.Sprintf("%q has no Spanish", en)}
	case !strings.Contains(en+es, "%[") && !slices.Equal(verb.FindAllString(en, -1), verb.FindAllString(es, -1)):
		return []string{fmt.Sprintf("%q and %q take other arguments", en, es)}
	}
	return nil
}

// literal is a text that stands in the source, or several that are added.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		x, okX := literal(e.X)
		y, okY := literal(e.Y)
		return x + y, okX && okY && e.Op == token.ADD
	}
	return "", false
}
