package main

import (
	"cmp"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// mutate makes small faulty variants of a solution. It reads the text only,
// and always makes the same.
func mutate(ctx context.Context, req *validator.Request, limit int) ([]validator.Mutant, error) {
	var sources []mutants.Source
	for _, s := range slices.SortedStableFunc(slices.Values(arrange(req).sources), func(a, b *source) int { return cmp.Compare(a.path, b.path) }) {
		if !s.learner || s.isTest() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sources = append(sources, mutants.Source{Path: s.path, Text: string(s.content), Edits: edits(s)})
	}
	return mutants.Make("go.mutant", sources, limit), nil
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
	token.LAND: {"swap-logic", token.LOR}, token.LOR: {"swap-logic", token.LAND},
	token.AND: {"swap-bits", token.OR}, token.OR: {"swap-bits", token.AND}, token.SHL: {"swap-bits", token.SHR}, token.SHR: {"swap-bits", token.SHL},
	token.ADD_ASSIGN: {"swap-assignment", token.SUB_ASSIGN}, token.SUB_ASSIGN: {"swap-assignment", token.ADD_ASSIGN}, token.MUL_ASSIGN: {"swap-assignment", token.ADD_ASSIGN},
}

// others are what takes the place of an operator besides the change above.
var others = map[token.Token]struct {
	operator string
	with     []token.Token
}{
	token.LSS: {"other-comparison", []token.Token{token.GEQ, token.GTR}}, token.LEQ: {"other-comparison", []token.Token{token.GTR, token.GEQ}},
	token.GTR: {"other-comparison", []token.Token{token.LEQ, token.LSS}}, token.GEQ: {"other-comparison", []token.Token{token.LSS, token.LEQ}},
	token.ADD: {"other-arithmetic", []token.Token{token.MUL}}, token.SUB: {"other-arithmetic", []token.Token{token.MUL}},
	token.MUL: {"other-arithmetic", []token.Token{token.SUB}}, token.QUO: {"other-arithmetic", []token.Token{token.SUB}}, token.REM: {"other-arithmetic", []token.Token{token.QUO, token.SUB}},
	token.ADD_ASSIGN: {"other-arithmetic", []token.Token{token.ASSIGN}}, token.SUB_ASSIGN: {"other-arithmetic", []token.Token{token.ASSIGN}},
}

// editor collects the changes of a source.
type editor struct {
	set *token.FileSet
	s   *source
	// counts are the steps of loops, which would take all the time there is.
	counts map[ast.Node]bool
	out    []mutants.Edit
}

// edits are all changes of a source.
func edits(s *source) []mutants.Edit {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, s.path, s.content, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	e := &editor{set: set, s: s, counts: map[ast.Node]bool{}}
	ast.Inspect(file, func(n ast.Node) bool {
		// Imports, types and constants decide on whether it compiles.
		if d, ok := n.(*ast.GenDecl); ok && d.Tok != token.VAR {
			return false
		}
		if f, ok := n.(*ast.ForStmt); ok && f.Post != nil {
			e.counts[f.Post] = true
		}
		e.operators(n)
		e.values(n)
		e.functions(n)
		return true
	})
	return e.out
}

func (e *editor) add(operator string, from, to token.Pos, after string) {
	a, b := e.set.Position(from).Offset, e.set.Position(to).Offset
	if string(e.s.content[a:b]) != after {
		e.out = append(e.out, mutants.Edit{Operator: operator, Start: a, End: b, With: after})
	}
}

func (e *editor) text(n ast.Node) string {
	return string(e.s.content[e.set.Position(n.Pos()).Offset:e.set.Position(n.End()).Offset])
}

func (e *editor) swap(at token.Pos, op token.Token) {
	end := at + token.Pos(len(op.String()))
	if to, ok := swaps[op]; ok {
		e.add(to.operator, at, end, to.with.String())
	}
	for _, with := range others[op].with {
		e.add(others[op].operator, at, end, with.String())
	}
}
