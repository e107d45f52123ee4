package validator

import (
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/sdk/judging"
)

type testOptions struct {
	Style string            `json:"style" enum:"loud,quiet" doc:"How it speaks."`
	Words []string          `json:"words"`
	Limit int               `json:"limit"`
	Extra map[string]string `json:"extra"`
	Deep  struct {
		On bool `json:"on"`
	} `json:"deep"`
	Inner int `json:"-"`
}

func testSpec(change ...func(*Spec)) *Spec {
	s := &Spec{
		Name: "test", Version: "1.0.0", Languages: []Language{{Name: "text", Extensions: []string{".txt"}, DefaultFile: "a.txt"}},
		Options: testOptions{Style: "quiet", Words: []string{"a", "b"}, Limit: 3, Extra: map[string]string{"k": "v"}},
		Judge: func(context.Context, *Request) (*Report, error) {
			return &Report{Verdict: Passed, Score: 1}, nil
		},
	}
	for _, f := range change {
		f(s)
	}
	return s
}

func TestASpecIsRefusedWithAllThatIsWrongWithIt(t *testing.T) {
	err := (&Spec{Name: "Bad Name", Version: "one", Languages: []Language{{Name: "Py"}}, Options: 3, MaxRounds: 9,
		Plan: func(context.Context, *Request) ([]Step, error) { return nil, nil }}).Validate()
	for _, want := range []string{`"Bad Name"`, `"one"`, "Judge is required", "Runtimes is required", "needs an extension", "needs a default file", `language "Py"`, "options must be a struct", "max rounds is 9"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if err := testSpec().Validate(); err != nil {
		t.Error(err)
	}
}

func TestOptionsHaveASchema(t *testing.T) {
	raw, err := schemaOf(testSpec().Options)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		t.Fatal(err)
	}
	props := got["properties"].(map[string]any)
	want := map[string]any{
		"style": map[string]any{"type": "string", "enum": []any{"loud", "quiet"}, "default": "quiet", "description": "How it speaks."},
		"words": map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "default": []any{"a", "b"}},
		"limit": map[string]any{"type": "integer", "default": 3.0},
		"extra": map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}, "default": map[string]any{"k": "v"}},
		"deep":  map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{"on": map[string]any{"type": "boolean"}}},
	}
	if d := cmp.Diff(want, props); d != "" {
		t.Error(d)
	}
	if got["additionalProperties"] != false {
		t.Error("unknown options must not fit the schema")
	}
	for _, bad := range []any{struct{ C chan int }{}, struct {
		S string `enum:"a,b"`
	}{"c"}, struct {
		N int `enum:"1,2"`
	}{1}} {
		if _, err := schemaOf(bad); err == nil {
			t.Errorf("%T must be refused", bad)
		}
	}
}

func TestOptionsAreDecodedStrictlyIntoACopyOfTheDefaults(t *testing.T) {
	defaults := testSpec().Options.(testOptions)
	got, err := decodeOptions(defaults, []byte(`{"style":"loud","words":["x"],"extra":{"n":"m"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := defaults
	want.Style, want.Words, want.Extra = "loud", []string{"x"}, map[string]string{"n": "m"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(testSpec().Options, any(defaults)); d != "" {
		t.Errorf("the defaults were changed: %s", d)
	}
	for raw, want := range map[string]string{
		`{"sytle":"loud"}`:   `"sytle"; known options: deep, extra, limit, style, words`, //nolint:misspell // on purpose
		`{"style":"silent"}`: `style is "silent"; it must be one of loud,quiet`,
		`{"limit":"many"}`:   "limit",
		`[]`:                 "JSON object",
		`{} {}`:              "text after",
		`{"deep":{"off":1}}`: `"off"`,
	} {
		if _, err := decodeOptions(defaults, []byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q is missing in: %v", raw, want, err)
		}
	}
	if _, err := decodeOptions(nil, []byte(`{"x":1}`)); err == nil {
		t.Error("a plugin without options must refuse them")
	}
}

func TestAPanicOrANilReportIsAnErrorAndNeverAVerdict(t *testing.T) {
	for name, f := range map[string]func(context.Context, *Request) (*Report, error){
		"panic": func(context.Context, *Request) (*Report, error) { panic("oh") },
		"nil":   func(context.Context, *Request) (*Report, error) { return nil, nil },
		"error": func(context.Context, *Request) (*Report, error) { return nil, errors.New("no") },
	} {
		j, err := New(testSpec(func(s *Spec) { s.Judge = f }))
		if err != nil {
			t.Fatal(err)
		}
		if d, err := j.Judge(t.Context(), &judging.JudgeRequest{}); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestMoreAsksForAnotherRoundUntilTheLast(t *testing.T) {
	j, err := New(testSpec(func(s *Spec) {
		s.Runtimes = []Runtime{{ID: "r"}}
		s.More = func(_ context.Context, req *Request) ([]Step, error) {
			if req.Result("second") != nil {
				return nil, nil
			}
			return []Step{{ID: "second", Runtime: "r"}}, nil
		}
		s.MaxRounds = 3
	}))
	if err != nil {
		t.Fatal(err)
	}
	d, err := j.Judge(t.Context(), &judging.JudgeRequest{Round: 1})
	if err != nil || len(d.More) != 1 || d.Report != nil {
		t.Fatalf("%+v, %v", d, err)
	}
	d, err = j.Judge(t.Context(), &judging.JudgeRequest{Round: 2, Results: []judging.StepResult{{StepID: "second"}}})
	if err != nil || d.Report == nil {
		t.Fatalf("%+v, %v", d, err)
	}
}

func TestHelloWorldIsThirtyLinesAndOneImport(t *testing.T) {
	source, err := os.ReadFile("../../plugins/examples/hello/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(source), "\n"); lines > 30 {
		t.Errorf("it has %d lines", lines)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, imp := range file.Imports {
		if strings.Contains(imp.Path.Value, ".") {
			ours = append(ours, imp.Path.Value)
		}
	}
	if len(ours) != 1 {
		t.Errorf("beside the standard library it imports %v", ours)
	}
}

// An author who imports these packages must not meet what is behind them.
func TestNoExportedSignatureHasATypeOfTheWire(t *testing.T) {
	for _, dir := range []string{".", "../judging", "../validatortest", "../validatortest/conform"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, where := range foreignTypes(file) {
				t.Errorf("%s: %s", name, where)
			}
		}
	}
}

func TestTheSearchForForeignTypesFindsThem(t *testing.T) {
	const src = "package x\nimport g \"google.golang.org/grpc\"\ntype T struct { C []g.Server; hidden g.Server }\nfunc (T) M(g.Server) {}\nfunc F() (x map[string]*g.Server) { var y g.Server; return nil }\nfunc f(g.Server) {}\n"
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := foreignTypes(file); len(got) != 3 {
		t.Errorf("%v", got)
	}
}

// foreignTypes lists where the exported declarations of a file use types of
// packages that authors must not see.
func foreignTypes(file *ast.File) []string {
	foreign := map[string]bool{}
	for _, imp := range file.Imports {
		p, _ := strconv.Unquote(imp.Path.Value)
		for _, bad := range []string{"google.golang.org/", "hashicorp", "/sdk/gen/", "/pluginproto"} {
			if strings.Contains(p, bad) {
				name := path.Base(p)
				if imp.Name != nil {
					name = imp.Name.Name
				}
				foreign[name] = true
			}
		}
	}
	var out []string
	look := func(where string, n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BlockStmt:
				return false
			case *ast.Field:
				if len(n.Names) > 0 && n.Names[0].Name != "_" && !n.Names[0].IsExported() && strings.HasPrefix(where, "type ") {
					return false
				}
			case *ast.SelectorExpr:
				if id, ok := n.X.(*ast.Ident); ok && foreign[id.Name] {
					out = append(out, where+" uses "+id.Name+"."+n.Sel.Name)
				}
			}
			return true
		})
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() {
				look("func "+d.Name.Name, d.Type)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						look("type "+s.Name.Name, s.Type)
					}
				case *ast.ValueSpec:
					if s.Names[0].IsExported() && s.Type != nil {
						look("value "+s.Names[0].Name, s.Type)
					}
				}
			}
		}
	}
	return out
}
