package main

import (
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// edit is one small change of a source.
type edit struct {
	operator      string
	source        *source
	from, to      int // bytes
	line          int
	before, after string
}

// mutants makes small faulty variants of a solution. It reads the text only,
// and always makes the same.
func mutants(ctx context.Context, req *validator.Request, limit int) ([]validator.Mutant, error) {
	var all []edit
	for _, s := range arrange(req).sources {
		if !s.learner || s.isTest() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		all = append(all, edits(s)...)
	}
	var out []validator.Mutant
	count := map[string]int{}
	for _, e := range choose(all, limit) {
		place := fmt.Sprintf("%s:%s:%d", e.operator, e.source.path, e.line)
		count[place]++
		out = append(out, validator.Mutant{
			ID: fmt.Sprintf("%s:%d", place, count[place]), Operator: e.operator,
			Description: validator.Text("go.mutant", "{file}, line {line}: {before} became {after}.", "{file}, línea {line}: {before} se convirtió en {after}.",
				"file", e.source.path, "line", e.line, "before", short(e.before), "after", short(e.after)),
			Files: []validator.File{{Path: e.source.path, Content: slices.Concat(e.source.content[:e.from], []byte(e.after), e.source.content[e.to:])}},
		})
	}
	return out, nil
}

// swaps are operators that are easily confused, and compile in each other's
// place.
var swaps = map[token.Token]struct {
	operator string
	with     token.Token
}{
	token.LSS: {"swap-comparison", token.LEQ}, token.LEQ: {"swap-comparison", token.LSS},
	token.GTR: {"swap-comparison", token.GEQ}, token.GEQ: {"swap-comparison", token.GTR},
	token.EQL: {"swap-comparison", token.NEQ}, token.NEQ: {"swap-comparison", token.EQL},
	token.ADD: {"swap-arithmetic", token.SUB}, token.SUB: {"swap-arithmetic", token.ADD},
	token.MUL: {"swap-arithmetic", token.ADD}, token.QUO: {"swap-arithmetic", token.MUL}, token.REM: {"swap-arithmetic", token.MUL},
	token.LAND: {"swap-boolean", token.LOR}, token.LOR: {"swap-boolean", token.LAND},
	token.AND: {"swap-bits", token.OR}, token.OR: {"swap-bits", token.AND}, token.SHL: {"swap-bits", token.SHR}, token.SHR: {"swap-bits", token.SHL},
	token.ADD_ASSIGN: {"swap-assignment", token.SUB_ASSIGN}, token.SUB_ASSIGN: {"swap-assignment", token.ADD_ASSIGN}, token.MUL_ASSIGN: {"swap-assignment", token.ADD_ASSIGN},
}

// editor collects the changes of a source.
type editor struct {
	set *token.FileSet
	s   *source
	out []edit
}

// edits are all changes of a source, in the order of their places.
func edits(s *source) []edit {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, s.path, s.content, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	e := &editor{set: set, s: s}
	ast.Inspect(file, func(n ast.Node) bool {
		// Imports, types and constants decide on whether it compiles.
		if d, ok := n.(*ast.GenDecl); ok && d.Tok != token.VAR {
			return false
		}
		e.operators(n)
		e.values(n)
		return true
	})
	slices.SortStableFunc(e.out, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	return e.out
}

func (e *editor) add(operator string, from, to token.Pos, after string) {
	a, b := e.set.Position(from), e.set.Position(to)
	e.out = append(e.out, edit{operator, e.s, a.Offset, b.Offset, a.Line, string(e.s.content[a.Offset:b.Offset]), after})
}

func (e *editor) swap(at token.Pos, op token.Token) {
	if to, ok := swaps[op]; ok {
		e.add(to.operator, at, at+token.Pos(len(op.String())), to.with.String())
	}
}

func (e *editor) operators(n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op != token.ADD || !isText(n.X) && !isText(n.Y) { // texts have no minus
			e.swap(n.OpPos, n.Op)
		}
	case *ast.AssignStmt:
		if !isText(n.Rhs[0]) {
			e.swap(n.TokPos, n.Tok)
		}
	case *ast.IncDecStmt:
		with := token.DEC
		if n.Tok == token.DEC {
			with = token.INC
		}
		e.add("swap-step", n.TokPos, n.TokPos+2, with.String())
	}
}

func (e *editor) values(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		cond := e.s.content[e.set.Position(n.Cond.Pos()).Offset:e.set.Position(n.Cond.End()).Offset]
		e.add("negate-condition", n.Cond.Pos(), n.Cond.End(), "!("+string(cond)+")")
	case *ast.BasicLit:
		if v, err := strconv.ParseInt(n.Value, 0, 32); n.Kind == token.INT && err == nil {
			e.add("change-constant", n.Pos(), n.End(), strconv.FormatInt(v+1, 10))
		}
	case *ast.Ident:
		if other := map[string]string{"true": "false", "false": "true"}[n.Name]; other != "" {
			e.add("change-constant", n.Pos(), n.End(), other)
		}
	case *ast.BranchStmt:
		if n.Tok == token.CONTINUE && n.Label == nil {
			e.add("swap-branch", n.Pos(), n.End(), "break")
		}
	case *ast.ExprStmt:
		if _, call := n.X.(*ast.CallExpr); call {
			e.add("remove-statement", n.Pos(), n.End(), "{}")
		}
	}
}

func isText(e ast.Expr) bool {
	l, ok := e.(*ast.BasicLit)
	return ok && (l.Kind == token.STRING || l.Kind == token.CHAR)
}

// choose takes at most limit edits, of all operators in turn, spread over the
// code.
func choose(all []edit, limit int) []edit {
	if len(all) <= limit {
		return all
	}
	var operators []string
	by := map[string][]edit{}
	for _, e := range all {
		if by[e.operator] == nil {
			operators = append(operators, e.operator)
		}
		by[e.operator] = append(by[e.operator], e)
	}
	slices.Sort(operators)
	share := map[string]int{}
	for left := limit; left > 0; {
		for _, o := range operators {
			if left > 0 && share[o] < len(by[o]) {
				share[o]++
				left--
			}
		}
	}
	var out []edit
	for _, o := range operators {
		for i := range share[o] {
			out = append(out, by[o][i*len(by[o])/share[o]])
		}
	}
	slices.SortStableFunc(out, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.source.path, b.source.path), cmp.Compare(a.from, b.from))
	})
	return out
}
