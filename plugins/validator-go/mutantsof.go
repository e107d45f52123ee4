package main

import (
	"go/ast"
	"go/token"
	"strconv"
)

func (e *editor) operators(n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op != token.ADD || !isText(n.X) && !isText(n.Y) { // texts have no minus
			e.swap(n.OpPos, n.Op)
		}
		if swaps[n.Op].operator == "swap-arithmetic" && n.Op != token.SUB {
			e.add("one-side", n.Pos(), n.End(), e.text(n.Y))
		}
		if swaps[n.Op].operator == "swap-arithmetic" {
			e.add("one-side", n.Pos(), n.End(), e.text(n.X))
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			e.add("remove-not", n.OpPos, n.OpPos+1, "")
		}
		if _, number := n.X.(*ast.BasicLit); n.Op == token.SUB && !number {
			e.add("remove-minus", n.OpPos, n.OpPos+1, "")
		}
	case *ast.AssignStmt:
		if !isText(n.Rhs[0]) && !e.counts[n] {
			e.swap(n.TokPos, n.Tok)
		}
		if _, name := n.Lhs[0].(*ast.Ident); n.Tok != token.DEFINE && !e.counts[n] && (n.Tok != token.ASSIGN || !name) {
			e.add("remove-statement", n.Pos(), n.End(), "{}")
		}
	case *ast.IncDecStmt:
		with := token.DEC
		if n.Tok == token.DEC {
			with = token.INC
		}
		if !e.counts[n] {
			e.add("swap-step", n.TokPos, n.TokPos+2, with.String())
		}
	}
}

func (e *editor) values(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		// The opposite of a single comparison is made where it stands.
		if b, ok := n.Cond.(*ast.BinaryExpr); !ok || b.Op == token.LAND || b.Op == token.LOR {
			e.add("negate-condition", n.Cond.Pos(), n.Cond.End(), "!("+e.text(n.Cond)+")")
		}
		e.add("fixed-condition", n.Cond.Pos(), n.Cond.End(), "true")
		e.add("fixed-condition", n.Cond.Pos(), n.Cond.End(), "false")
	case *ast.BasicLit:
		if v, err := strconv.ParseInt(n.Value, 0, 32); n.Kind == token.INT && err == nil {
			e.add("off-by-one", n.Pos(), n.End(), strconv.FormatInt(v+1, 10))
			e.add("off-by-one-down", n.Pos(), n.End(), "("+strconv.FormatInt(v-1, 10)+")")
		}
	case *ast.Ident:
		if other := map[string]string{"true": "false", "false": "true"}[n.Name]; other != "" {
			e.add("swap-boolean", n.Pos(), n.End(), other)
		}
	case *ast.BranchStmt:
		if n.Tok == token.CONTINUE && n.Label == nil {
			e.add("leave-loop", n.Pos(), n.End(), "break")
		}
	case *ast.ExprStmt:
		if _, call := n.X.(*ast.CallExpr); call {
			e.add("remove-statement", n.Pos(), n.End(), "{}")
		}
	}
}

// functions changes what a function gives back, and which of its parameters it
// takes.
func (e *editor) functions(n ast.Node) {
	var typ *ast.FuncType
	var body *ast.BlockStmt
	switch n := n.(type) {
	case *ast.FuncDecl:
		typ, body = n.Type, n.Body
	case *ast.FuncLit:
		typ, body = n.Type, n.Body
	}
	if body == nil {
		return
	}
	results := e.fields(typ.Results)
	params := e.fields(typ.Params)
	selected := map[*ast.Ident]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			for i, r := range n.Results {
				if len(n.Results) == len(results) {
					e.result(r, results[i].typ)
				}
			}
		case *ast.SelectorExpr:
			selected[n.Sel] = true
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				selected[key] = true
			}
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if name, ok := l.(*ast.Ident); ok {
					selected[name] = true
				}
			}
		case *ast.Ident:
			if !selected[n] {
				e.wrongName(n, params)
			}
		}
		return true
	})
}

type field struct{ name, typ string }

// fields are parameters or results, one by one.
func (e *editor) fields(list *ast.FieldList) (out []field) {
	if list == nil {
		return nil
	}
	for _, f := range list.List {
		for _, name := range f.Names {
			out = append(out, field{name.Name, e.text(f.Type)})
		}
		if len(f.Names) == 0 {
			out = append(out, field{"", e.text(f.Type)})
		}
	}
	return out
}

// result changes one of the results.
func (e *editor) result(r ast.Expr, typ string) {
	var with []string
	switch typ {
	case "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "byte", "rune":
		with = []string{"0", "1"}
	case "bool":
		with = []string{"false", "true"}
	case "string":
		with = []string{`""`, `"x"`}
	default:
		if typ == "error" || typ[0] == '[' || typ[0] == '*' || len(typ) > 4 && typ[:4] == "map[" {
			with = []string{"nil"}
		}
	}
	for i, w := range with {
		operator := "return-none"
		if i > 0 {
			operator = "return-constant"
		}
		e.add(operator, r.Pos(), r.End(), w)
	}
}

// wrongName takes the next parameter of the same type for one.
func (e *editor) wrongName(n *ast.Ident, params []field) {
	for at, p := range params {
		if p.name != n.Name {
			continue
		}
		for i := 1; i < len(params); i++ {
			if other := params[(at+i)%len(params)]; other.typ == p.typ && other.name != "_" && other.name != "" {
				e.add("wrong-name", n.Pos(), n.End(), other.name)
				return
			}
		}
	}
}

func isText(e ast.Expr) bool {
	l, ok := e.(*ast.BasicLit)
	return ok && (l.Kind == token.STRING || l.Kind == token.CHAR)
}
