package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// suite is what the test files of one package declare.
type suite struct {
	pkg      *pkg
	tests    []declared
	fuzz     []declared
	examples []shown
	testMain *declared
	names    map[string]bool // identifiers that tests in the package itself use
}

// declared is a function of a test file.
type declared struct {
	name     string
	external bool
}

// shown is an example with output.
type shown struct {
	declared
	output    string
	unordered bool
}

// suites reads the packages with tests. An error is the task's fault.
func (l *layout) suites() ([]*suite, error) {
	var out []*suite
	found := false
	for _, p := range l.testedPkgs() {
		s := &suite{pkg: p, names: map[string]bool{}}
		if err := l.importsThere(slices.Concat(p.tests, p.external)); err != nil {
			return nil, err
		}
		if err := s.read(p.tests, false); err != nil {
			return nil, err
		}
		if err := s.read(p.external, true); err != nil {
			return nil, err
		}
		if len(s.expected()) > 0 {
			found = true
			out = append(out, s)
		}
	}
	if len(out) > 32 {
		return nil, validator.TaskErrorf("the task's tests lie in %d packages: at most 32 can be judged", len(out))
	}
	if !found {
		return nil, validator.TaskErrorf("the task's test files hold no test: there is no func TestXxx(t *testing.T) in a file whose name ends with _test.go")
	}
	return out, nil
}

// importsThere looks for imports of the task's that no submission could bring.
func (l *layout) importsThere(sources []*source) error {
	for _, s := range sources {
		for _, i := range s.imports {
			if l.resolve(i) == nil && !isStandard(i) && i != l.module && !strings.HasPrefix(i, l.module+"/") {
				return validator.TaskErrorf("the task's file %s imports %s, which is not here: put it into the tests' folder vendor/%s, as go mod vendor does", s.path, i, i)
			}
		}
	}
	return nil
}

func (s *suite) read(sources []*source, external bool) error {
	set := token.NewFileSet()
	var files []*ast.File
	for _, src := range sources {
		file, err := parser.ParseFile(set, src.path, src.content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return validator.TaskErrorf("the task's tests can't be read: %v", err)
		}
		files = append(files, file)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Type.TypeParams == nil {
				s.take(f, external)
			}
		}
		if !external {
			ast.Inspect(file, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					s.names[id.Name] = true
				}
				return true
			})
		}
	}
	for _, e := range doc.Examples(files...) {
		if e.Output != "" || e.EmptyOutput {
			s.examples = append(s.examples, shown{declared{"Example" + e.Name, external}, e.Output, e.Unordered})
		}
	}
	return nil
}

// take keeps a function that the go command would run.
func (s *suite) take(f *ast.FuncDecl, external bool) {
	name := f.Name.Name
	switch {
	case name == "TestMain" && takes(f, "M"):
		s.testMain = &declared{name, external}
	case isTestName(name, "Test") && takes(f, "T"):
		s.tests = append(s.tests, declared{name, external})
	case isTestName(name, "Fuzz") && takes(f, "F"):
		s.fuzz = append(s.fuzz, declared{name, external})
	}
}

// takes says whether the function takes one pointer to that type of testing.
func takes(f *ast.FuncDecl, typeName string) bool {
	if f.Type.Results != nil && len(f.Type.Results.List) > 0 || len(f.Type.Params.List) != 1 || len(f.Type.Params.List[0].Names) > 1 {
		return false
	}
	star, ok := f.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	switch t := star.X.(type) {
	case *ast.Ident: // of a dot import
		return t.Name == typeName
	case *ast.SelectorExpr:
		return t.Sel.Name == typeName
	}
	return false
}

func isTestName(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return false
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || !unicode.IsLower(r)
}

// expected are the ids of the tests that must report.
func (s *suite) expected() []string {
	var out []string
	for _, list := range [][]declared{s.tests, s.fuzz} {
		for _, d := range list {
			out = append(out, s.id(d.name))
		}
	}
	for _, e := range s.examples {
		out = append(out, s.id(e.name))
	}
	return out
}

// id is stable over runs: the folder of the package unless it is the root, and
// what go test calls the test.
func (s *suite) id(name string) string {
	if s.pkg.dir == "." {
		return name
	}
	return s.pkg.dir + "::" + name
}

func (s *suite) uses(external bool) bool {
	is := func(d declared) bool { return d.external == external }
	return slices.ContainsFunc(s.tests, is) || slices.ContainsFunc(s.fuzz, is) || s.testMain != nil && s.testMain.external == external ||
		slices.ContainsFunc(s.examples, func(e shown) bool { return e.external == external })
}

func (s *suite) mainImports() []string {
	out := []string{"testing", harnessPath}
	if s.uses(false) {
		out = append(out, s.pkg.path)
	}
	if s.uses(true) {
		out = append(out, s.pkg.path+"_test")
	}
	return out
}

// code is the main package of the test binary.
func (s *suite) code() string {
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"testing\"\n\n\tjudge " + strconv.Quote(harnessPath) + "\n")
	if s.uses(false) {
		fmt.Fprintf(&b, "\tp %q\n", s.pkg.path)
	}
	if s.uses(true) {
		fmt.Fprintf(&b, "\tx %q\n", s.pkg.path+"_test")
	}
	b.WriteString(")\n\nfunc main() {\n")
	ref := func(d declared) string {
		if d.external {
			return "x." + d.name
		}
		return "p." + d.name
	}
	fmt.Fprintf(&b, "\tjudge.Main(%q, []testing.InternalTest{\n", s.pkg.path)
	for _, d := range s.tests {
		fmt.Fprintf(&b, "\t\t{Name: %q, F: %s},\n", d.name, ref(d))
	}
	b.WriteString("\t}, []testing.InternalExample{\n")
	for _, e := range s.examples {
		fmt.Fprintf(&b, "\t\t{Name: %q, F: %s, Output: %q, Unordered: %t},\n", e.name, ref(e.declared), e.output, e.unordered)
	}
	b.WriteString("\t}, []testing.InternalFuzzTarget{\n")
	for _, d := range s.fuzz {
		fmt.Fprintf(&b, "\t\t{Name: %q, Fn: %s},\n", d.name, ref(d))
	}
	b.WriteString("\t}, ")
	if s.testMain != nil {
		b.WriteString(ref(*s.testMain))
	} else {
		b.WriteString("nil")
	}
	b.WriteString(")\n}\n")
	return b.String()
}
