package chunk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// goUnits are the declarations of a Go file, or nil when it doesn't parse.
func goUnits(content string) []unit {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || len(file.Decls) == 0 {
		return nil
	}
	offset := func(pos token.Pos) int { return files.File(file.Pos()).Offset(pos) }
	units := make([]unit, 0, len(file.Decls)+1)
	units = append(units, unit{start: 0})
	for _, decl := range file.Decls {
		start, name := decl.Pos(), ""
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Doc != nil {
				start = d.Doc.Pos()
			}
			name = d.Name.Name
			if d.Recv != nil && len(d.Recv.List) > 0 {
				name = receiver(d.Recv.List[0].Type) + name
			}
		case *ast.GenDecl:
			if d.Doc != nil {
				start = d.Doc.Pos()
			}
			if len(d.Specs) > 0 && d.Tok == token.TYPE {
				if spec, ok := d.Specs[0].(*ast.TypeSpec); ok {
					name = spec.Name.Name
				}
			}
		}
		at := offset(start)
		if line := strings.LastIndexByte(content[:at], '\n') + 1; strings.TrimSpace(content[line:at]) == "" {
			at = line
		}
		units[len(units)-1].end = at
		units = append(units, unit{start: at, name: name})
	}
	units[len(units)-1].end = len(content)
	if units[0].end == 0 {
		units = units[1:]
	}
	return units
}

// receiver is "Stack." for a method of Stack.
func receiver(expr ast.Expr) string {
	for {
		switch t := expr.(type) {
		case *ast.StarExpr:
			expr = t.X
		case *ast.IndexExpr:
			expr = t.X
		case *ast.IndexListExpr:
			expr = t.X
		case *ast.Ident:
			return t.Name + "."
		default:
			return ""
		}
	}
}
