package main

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// helpers makes a file of what a submission may use of the test files in its
// package: types, and functions with parameters, without their bodies. Some
// tracks put a helper for solutions there. What the tests themselves call stays
// away from a submission, as it may say what is expected, and so do variables
// and constants. Empty when nothing is used.
func helpers(p *pkg) (content string, imports []string) {
	used := map[string]bool{}
	for _, s := range p.code {
		file, err := parser.ParseFile(token.NewFileSet(), s.path, s.content, parser.SkipObjectResolution)
		if file == nil || err != nil {
			return "", nil
		}
		identifiers(file, used)
	}
	own := ofTests(slices.Concat(p.tests, p.external))
	var b strings.Builder
	for _, s := range p.tests {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, s.path, s.content, parser.SkipObjectResolution)
		if err != nil {
			return "", nil
		}
		kept := slices.DeleteFunc(helpersOf(file), func(d ast.Decl) bool { return own[declaredName(d)] || own[receiver(d)] })
		if len(kept) == 0 {
			continue
		}
		if b.Len() > 0 || !slices.ContainsFunc(kept, func(d ast.Decl) bool { return used[declaredName(d)] }) {
			continue // one file with helpers is all that was ever seen
		}
		b.WriteString("package " + p.name + "\n\n")
		names := map[string]bool{}
		for _, d := range kept {
			identifiers(d, names)
		}
		for _, i := range file.Imports {
			importPath, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				continue
			}
			name := path.Base(importPath)
			if i.Name != nil {
				name = i.Name.Name
			}
			if names[name] {
				b.WriteString("import " + name + " " + i.Path.Value + "\n\n")
				imports = append(imports, importPath)
			}
		}
		for _, d := range kept {
			if printer.Fprint(&b, set, d) != nil {
				return "", nil
			}
			b.WriteString("\n\n")
		}
	}
	return b.String(), imports
}

// helpersOf returns the declarations that count, functions with an empty body.
func helpersOf(file *ast.File) []ast.Decl {
	var out []ast.Decl
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			if d.Tok == token.TYPE {
				out = append(out, d)
			}
		case *ast.FuncDecl:
			if d.Recv == nil && !isHelper(d) {
				continue
			}
			empty := &ast.CallExpr{Fun: ast.NewIdent("panic"), Args: []ast.Expr{&ast.BasicLit{Kind: token.STRING, Value: `""`}}}
			out = append(out, &ast.FuncDecl{Recv: d.Recv, Name: d.Name, Type: d.Type, Body: &ast.BlockStmt{List: []ast.Stmt{&ast.ExprStmt{X: empty}}}})
		}
	}
	return out
}

// ofTests are functions that tests call, directly or by others, and types with
// methods that they call.
func ofTests(sources []*source) map[string]bool {
	u := &usage{called: map[string]bool{}, selected: map[string]bool{}, bodies: map[string][]ast.Node{}}
	methods := map[string][]string{}
	var roots []ast.Node
	for _, s := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), s.path, s.content, parser.SkipObjectResolution)
		if err != nil {
			continue // said elsewhere
		}
		for _, d := range file.Decls {
			f, isFunc := d.(*ast.FuncDecl)
			if !isFunc {
				if d, ok := d.(*ast.GenDecl); ok && d.Tok != token.TYPE {
					roots = append(roots, d)
				}
				continue
			}
			if f.Recv != nil {
				methods[receiver(f)] = append(methods[receiver(f)], f.Name.Name)
			}
			switch {
			case f.Body == nil:
			case isHelper(f):
				u.bodies[f.Name.Name] = append(u.bodies[f.Name.Name], f.Body)
			default:
				roots = append(roots, f.Body)
			}
		}
	}
	for _, n := range roots {
		u.visit(n)
	}
	own := map[string]bool{}
	for name := range u.bodies {
		own[name] = u.called[name]
	}
	for name, all := range methods {
		own[name] = slices.ContainsFunc(all, func(m string) bool { return u.selected[m] && m != "String" && m != "Error" })
	}
	return own
}

// usage is what code names: functions, and what follows a dot.
type usage struct {
	called, selected map[string]bool
	// bodies are those of functions, which count once these are called.
	bodies map[string][]ast.Node
}

func (u *usage) visit(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			u.selected[n.Sel.Name] = true
			u.visit(n.X)
			return false
		case *ast.KeyValueExpr: // a key may be the name of a field
			if _, ok := n.Key.(*ast.Ident); ok {
				u.visit(n.Value)
				return false
			}
		case *ast.Field:
			u.visit(n.Type)
			return false
		case *ast.Ident:
			if !u.called[n.Name] {
				u.called[n.Name] = true
				for _, body := range u.bodies[n.Name] {
					u.visit(body)
				}
			}
		}
		return true
	})
}

// isHelper says whether a function is neither a test nor without parameters.
func isHelper(f *ast.FuncDecl) bool {
	name := f.Name.Name
	return f.Recv == nil && len(f.Type.Params.List) > 0 && name != "TestMain" && !isTestName(name, "Test") && !isTestName(name, "Benchmark") && !isTestName(name, "Fuzz")
}

// receiver is the name of a method's type, empty for anything else.
func receiver(d ast.Decl) string {
	f, ok := d.(*ast.FuncDecl)
	if !ok || f.Recv == nil || len(f.Recv.List) != 1 {
		return ""
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func declaredName(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return d.Name.Name
		}
	case *ast.GenDecl:
		if t, ok := d.Specs[0].(*ast.TypeSpec); ok {
			return t.Name.Name
		}
	}
	return ""
}

func identifiers(n ast.Node, into map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			into[id.Name] = true
		}
		return true
	})
}
