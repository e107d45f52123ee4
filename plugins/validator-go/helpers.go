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
// tracks put a helper for solutions there. Variables and constants stay away
// from a submission, as they hold what is expected. Empty when nothing is used.
func helpers(p *pkg) (content string, imports []string) {
	used := map[string]bool{}
	for _, s := range p.code {
		file, err := parser.ParseFile(token.NewFileSet(), s.path, s.content, parser.SkipObjectResolution)
		if file == nil || err != nil {
			return "", nil
		}
		identifiers(file, used)
	}
	var b strings.Builder
	for _, s := range p.tests {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, s.path, s.content, parser.SkipObjectResolution)
		if err != nil {
			return "", nil
		}
		kept := helpersOf(file)
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
			name := d.Name.Name
			if d.Recv == nil && (len(d.Type.Params.List) == 0 || isTestName(name, "Test") || isTestName(name, "Benchmark") || isTestName(name, "Fuzz")) {
				continue
			}
			empty := &ast.CallExpr{Fun: ast.NewIdent("panic"), Args: []ast.Expr{&ast.BasicLit{Kind: token.STRING, Value: `""`}}}
			out = append(out, &ast.FuncDecl{Recv: d.Recv, Name: d.Name, Type: d.Type, Body: &ast.BlockStmt{List: []ast.Stmt{&ast.ExprStmt{X: empty}}}})
		}
	}
	return out
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
