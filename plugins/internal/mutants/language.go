package mutants

import (
	"slices"
	"strings"
)

// Language is what has to be known of a language with braces.
type Language struct {
	// Keywords are names that are no values.
	Keywords []string
	// Ignored are the words that statements begin with in which nothing is
	// changed: imports and what only declares.
	Ignored []string
	// Raising are the words that statements begin with whose texts nobody tests.
	Raising []string
	// Literal is the length of a literal that begins a text and that only this
	// language has, or 0; after a value or not. Optional.
	Literal func(rest string, afterValue bool) int
	// Letters says that single quotes are for one character.
	Letters bool
	// LongTexts says that texts may hold line ends.
	LongTexts bool
	// NestedComments says that comments may hold comments.
	NestedComments bool
	// Directives says that lines may begin with # and are then for a preprocessor.
	Directives bool
	// Generics says that < and > also embrace types: between blanks they compare.
	Generics bool
	// LineEnds says that a statement may end with its line.
	LineEnds bool
	// Bare says that conditions have no brackets around them, and that the last
	// expression of a function is its result.
	Bare bool
	// Typed says that texts can't be subtracted and calls not be left out freely.
	Typed bool
	// Unsigned says that numbers below zero may not fit.
	Unsigned bool
	// Functions are names of functions that are taken for each other.
	Functions map[string]string
	// Nothing takes the place of a result of that type, as first of Results.
	Results func(result string) []string
	// Params splits a parameter into its name and its type; "" for no name.
	Params func(words []string) (name, typ string)
	// Result is the type of a function, from the words before its name and those
	// between its parameters and its body. Optional.
	Result func(before, after []string) string
}

// operand says whether a token ends a value, so that an operator after it has
// two sides and a bracket after it is an index or a call.
func (l *Language) operand(t token) bool {
	switch t.kind {
	case name:
		return !slices.Contains(l.Keywords, t.text)
	case number, text, letter, other:
		return true
	}
	return t.text == ")" || t.text == "]" || t.text == "}" || t.text == "++" || t.text == "--"
}

// Edits are all changes of a source, in the order of their places; none when it
// can't be read.
func (l *Language) Edits(src string) []Edit {
	tokens, ok := l.read(src)
	if !ok {
		return nil
	}
	e := &editor{l: l, src: src, ts: tokens, still: make([]bool, len(tokens)), said: make([]bool, len(tokens))}
	e.findFunctions()
	e.block(-1)
	for i, t := range tokens {
		if t.text == "{" && e.isBlock(i) {
			e.block(i)
		}
	}
	for i := range tokens {
		if !e.still[i] {
			e.within(i)
		}
	}
	for _, f := range e.functions {
		e.wrongNames(f)
	}
	out := e.out[:0]
	for _, x := range e.out {
		if src[x.Start:x.End] != x.With {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b Edit) int { return a.Start - b.Start })
	return out
}

// editor collects the changes of a source.
type editor struct {
	l         *Language
	src       string
	ts        []token
	still     []bool // tokens that stay as they are
	said      []bool // texts that nobody tests
	functions []function
	out       []Edit
}

// at is a token, or one of nothing.
func (e *editor) at(i int) token {
	if i < 0 || i >= len(e.ts) {
		return token{kind: operator, parent: -1, pair: -1}
	}
	return e.ts[i]
}

func (e *editor) change(operator string, i int, with string) {
	e.replace(operator, i, i+1, with)
}

// replace puts something in the place of the tokens from a up to b.
func (e *editor) replace(operator string, a, b int, with string) {
	for _, still := range e.still[a:b] {
		if still {
			return
		}
	}
	e.out = append(e.out, Edit{operator, e.ts[a].start, e.ts[b-1].end, with})
}

func (e *editor) source(a, b int) string { return e.src[e.ts[a].start:e.ts[b-1].end] }

func (e *editor) words(a, b int) (out []string) {
	for _, t := range e.ts[max(a, 0):max(a, b)] {
		out = append(out, t.text)
	}
	return out
}

// keep has tokens stay as they are.
func (e *editor) keep(a, b int) {
	for i := a; i < min(b, len(e.ts)); i++ {
		e.still[i] = true
	}
}

// isBlock says whether a brace begins statements, and not a value.
func (e *editor) isBlock(i int) bool {
	prev := e.at(i - 1)
	if i == 0 {
		return true
	}
	if prev.kind == operator {
		return strings.Contains(") ; { } => : >", prev.text) && prev.text != ":" || prev.text == ":" && e.l.Bare || prev.text == "]" && e.l.Bare
	}
	if prev.kind == name && e.l.Bare {
		return true
	}
	return prev.kind == name && !slices.Contains([]string{"return", "in", "of", "typeof", "new", "await", "yield", "case", "default", "throw", "export", "import", "const", "let", "var"}, prev.text) ||
		e.l.Bare
}

// block goes through the statements between a brace and its other, or those of
// the file.
func (e *editor) block(brace int) {
	end := len(e.ts)
	if brace >= 0 {
		end = e.ts[brace].pair
	}
	from := brace + 1
	for i := from; i <= end; i++ {
		switch t := e.at(i); {
		case i == end:
			e.statement(from, i, "}")
		case t.text == ";":
			e.statement(from, i, ";")
			from = i + 1
		case t.text == "{" && e.isBlock(i):
			e.statement(from, i, "{")
			i = t.pair
			from = i + 1
		case t.pair > i:
			i = t.pair
		}
		if e.l.LineEnds && i > from && i < end && e.lineEnds(i) {
			e.statement(from, i, "\n")
			from = i
			if t := e.at(i); t.pair > i || t.text == ";" {
				i-- // look at it again, as the first of its statement
			}
		}
	}
}

// lineEnds says whether the token at i begins a line and a statement.
func (e *editor) lineEnds(i int) bool {
	t, prev := e.at(i), e.at(i-1)
	return t.fresh && (t.kind == name || t.text == "{" || t.text == "}") && e.l.operand(prev) && !slices.Contains([]string{"in", "of", "instanceof", "as"}, t.text)
}

// statement changes a whole statement, whose tokens are from a up to b.
func (e *editor) statement(a, b int, ends string) {
	for a < b && (e.at(a).text == "else" || e.at(a).text == "do" || e.at(a).text == "unsafe") {
		a++
	}
	if a >= b {
		return
	}
	first := e.ts[a]
	switch {
	case e.annotation(a, b, ends):
	case slices.Contains(e.l.Ignored, first.text) && first.kind == name:
		e.keep(a, b)
	case first.kind == text && b == a+1:
		e.keep(a, b) // "use strict"
	case first.text == "case" || first.text == "default":
		for i := a; i < b; i++ {
			if e.ts[i].parent == first.parent && (e.ts[i].text == ":" || e.ts[i].text == "->") {
				e.statement(i+1, b, ends)
				return
			}
		}
	case e.l.Bare:
		e.conditions(a, b, ends)
		e.plain(a, b, ends)
	case (first.text == "if" || first.text == "while" || first.text == "for" || first.text == "switch") && e.at(a+1).text == "(":
		end := e.at(a + 1).pair
		if first.text == "if" || first.text == "while" {
			e.condition(a+2, end, first.text == "if")
		}
		e.statement(end+1, b, ends)
	default:
		e.plain(a, b, ends)
	}
}

// annotation goes over what is said about the next item.
func (e *editor) annotation(a, b int, ends string) bool {
	first := e.ts[a]
	var next int
	switch {
	case first.kind == name && strings.HasPrefix(first.text, "@"):
		next = a + 1
		if e.at(next).text == "(" {
			next = e.at(next).pair + 1
		}
	case first.text == "#" && e.at(a+1).text == "[":
		next = e.at(a+1).pair + 1
	case first.text == "#" && e.at(a+1).text == "!" && e.at(a+2).text == "[":
		next = e.at(a+2).pair + 1
	default:
		return false
	}
	e.keep(a, next)
	if e.l.Bare && strings.Contains(e.source(a, next), "test") && b < len(e.ts) && ends == "{" {
		e.keep(b, e.ts[b].pair+1)
	}
	e.statement(next, b, ends)
	return true
}

// plain is a statement that is no control structure.
func (e *editor) plain(a, b int, ends string) {
	first := e.ts[a]
	switch {
	case first.text == "return" && first.kind == name:
		if b > a+1 && ends != "{" {
			e.result(a+1, b, a)
		}
	case slices.Contains(e.l.Raising, first.text):
		for i := a; i < b; i++ {
			e.said[i] = true
		}
	case first.text == "continue" && b == a+1:
		e.change("leave-loop", a, "break")
	case e.l.Bare && ends == "}" && e.isBody(first.parent):
		e.result(a, b, a)
	case ends != "{" && e.removable(a, b, ends):
		with := ""
		if ends != ";" {
			with = ";"
		}
		e.replace("remove-statement", a, b, with)
	}
}

// removable are calls whose value nobody takes, and changes of a variable.
func (e *editor) removable(a, b int, ends string) bool {
	first, last := e.ts[a], e.ts[b-1]
	if first.kind != name || b-a < 2 || slices.Contains(e.l.Keywords, first.text) && first.text != "this" && first.text != "self" && first.text != "await" || first.text == "super" ||
		first.text == "this" && e.at(a+1).text == "(" || ends == "}" && !e.l.LineEnds {
		return false
	}
	calls := false
	for i := a; i < b; i++ {
		t := e.ts[i]
		switch {
		case t.parent != first.parent:
			continue
		case t.kind == operator && len(t.text) > 1 && strings.HasSuffix(t.text, "=") && !strings.Contains("== != <= >= === !==", t.text):
			return true
		case t.text == "++" || t.text == "--":
			return b-a == 2
		case t.text == "=": // of an item or a field; a name would only be missing later
			return i > a+1 && (e.ts[i-1].text == "]" || e.ts[i-2].text == "." || e.ts[i-2].text == "->")
		case t.text == ":" || t.text == "," || t.text == "=>":
			return false
		case t.kind == name && i > a && e.ts[i-1].kind == name && first.text != "await":
			return false // a declaration
		}
		calls = calls || t.text == "("
	}
	return calls && (last.text == ")" || last.text == "?")
}
