package mutants

import (
	"slices"
	"strconv"
	"strings"
)

var (
	boundaries = map[string]string{"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "===": "!==", "!==": "==="}
	// opposites are further from what was meant than the next boundary.
	opposites   = map[string][]string{"<": {">=", ">"}, "<=": {">", ">="}, ">": {"<=", "<"}, ">=": {"<", "<="}}
	arithmetic  = map[string]string{"+": "-", "-": "+", "*": "+", "/": "*", "%": "*"}
	otherwise   = map[string][]string{"+": {"*"}, "-": {"*"}, "*": {"-"}, "/": {"-", "%"}, "%": {"/", "-"}}
	assignments = map[string][]string{"+=": {"-=", "="}, "-=": {"+=", "="}, "*=": {"+=", "="}, "/=": {"*="}, "%=": {"*="}}
	bits        = map[string]string{"&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<", ">>>": "<<"}
)

// within are the changes of a single token.
func (e *editor) within(i int) {
	t, prev, next := e.at(i), e.at(i-1), e.at(i+1)
	switch t.kind {
	case operator:
		e.sign(i)
	case number:
		e.number(i)
	case text:
		if e.said[i] || len(t.text) <= 2 || prev.kind == text || next.kind == text || next.text == ":" || prev.kind == name && prev.text == "case" || e.named(i) {
			return
		}
		if !e.l.Bare || prev.text != "(" || e.at(i-2).text != "!" { // formats need their places
			e.change("empty-text", i, t.text[:1]+t.text[:1])
		}
		e.change("longer-text", i, t.text[:len(t.text)-1]+"x"+t.text[:1])
	case letter:
		if c := t.text[1]; len(t.text) == 3 && c != 'z' && c != 'Z' && c != '9' && (c >= 'a' && c < 'z' || c >= 'A' && c < 'Z' || c >= '0' && c < '9' || c == ' ') {
			with := string(c + 1)
			if c == ' ' {
				with = "_"
			}
			e.change("other-letter", i, "'"+with+"'")
		}
	case name:
		e.name(i)
	}
}

// named says whether a text at i is an argument that only names or explains:
// require("x"), expect("it is there").
func (e *editor) named(i int) bool {
	f := e.at(i - 2)
	return e.at(i-1).text == "(" && f.kind == name && slices.Contains([]string{"require", "expect", "import", "Symbol", "panic", "unreachable"}, f.text)
}

func (e *editor) name(i int) {
	t, prev, next := e.at(i), e.at(i-1), e.at(i+1)
	switch {
	case t.text == "true" && next.text != ":":
		e.change("swap-boolean", i, "false")
	case t.text == "false" && next.text != ":":
		e.change("swap-boolean", i, "true")
	case e.l.Functions[t.text] != "" && next.text == "(" && (prev.text == "." || prev.text == "->" || prev.text == "::" || !e.declared(i)):
		e.change("swap-function", i, e.l.Functions[t.text])
	}
}

// declared says whether the name at i is that of a function which is written
// here.
func (e *editor) declared(i int) bool {
	prev := e.at(i - 1)
	return prev.kind == name && prev.text != "return" || prev.text == "*" || prev.text == "&" || e.at(e.at(i+1).pair+1).text == "{"
}

// spaced says whether an operator stands as one between two values: with blanks
// on both sides or on none.
func (e *editor) spaced(i int) bool {
	before, after := e.at(i-1).end < e.ts[i].start, e.ts[i].end < e.at(i+1).start
	if e.l.Generics && strings.ContainsAny(e.ts[i].text, "<>") && len(e.ts[i].text) < 4 && !strings.HasSuffix(e.ts[i].text, "=") {
		return before && after
	}
	return before == after
}

func (e *editor) sign(i int) {
	t, prev, next := e.ts[i], e.at(i-1), e.at(i+1)
	cast := prev.text == ")" && e.at(i-2).kind == name && !e.l.operand(e.at(i-2)) && e.at(prev.pair-1).kind == operator
	two := e.l.operand(prev) && prev.text != "}" && e.spaced(i) && !cast
	texts := e.l.Typed && (prev.kind == text || next.kind == text)
	switch {
	case boundaries[t.text] != "" && two:
		e.change("swap-comparison", i, boundaries[t.text])
		for _, with := range opposites[t.text] {
			e.change("other-comparison", i, with)
		}
	case arithmetic[t.text] != "" && two && (t.text != "+" || !texts) && (t.text != "*" || next.text != ")" && next.text != "," && next.text != "*"):
		e.change("swap-arithmetic", i, arithmetic[t.text])
		for _, with := range otherwise[t.text] {
			e.change("other-arithmetic", i, with)
		}
		e.sides(i)
	case assignments[t.text] != nil && !texts:
		e.change("swap-assignment", i, assignments[t.text][0])
		for _, with := range assignments[t.text][1:] {
			e.change("other-arithmetic", i, with)
		}
	case (t.text == "++" || t.text == "--") && !e.inFor(i):
		e.change("swap-step", i, map[string]string{"++": "--", "--": "++"}[t.text])
	case t.text == "&&" && e.l.operand(prev):
		e.change("swap-logic", i, "||")
	case (t.text == "||" || t.text == "??") && e.l.operand(prev) && two:
		e.change("swap-logic", i, "&&")
	case t.text == "!" && !e.l.operand(prev) && (next.kind == name || next.text == "("):
		e.change("remove-not", i, "")
	case t.text == "-" && !e.l.operand(prev) && (next.kind == name || next.text == "("):
		e.change("remove-minus", i, "")
	case bits[t.text] != "" && two && e.l.operand(next) && !e.l.Bare || bits[t.text] != "" && two && t.text != "|" && t.text != "&":
		e.change("swap-bits", i, bits[t.text])
	case t.text == "." && next.kind == name && e.at(i+2).text == "(" && e.at(i+2).pair == i+3 && e.l.operand(prev) && !slices.Contains(kept, next.text) && (!e.l.Typed || prev.text[0] < 'A' || prev.text[0] > 'Z'):
		e.replace("remove-call", i, i+4, "")
	case (t.text == "[" || t.text == "{") && t.pair > i+1:
		e.collection(i)
	}
}

// kept are calls without which nothing compiles.
var kept = []string{"iter", "iter_mut", "into_iter", "clone", "cloned", "copied", "unwrap", "to_string", "to_owned", "collect", "chars", "stream", "next", "length", "size", "len", "as_str", "into", "lines"}

// collection empties a list or an object that is written out.
func (e *editor) collection(i int) {
	t, prev, after := e.ts[i], e.at(i-1), e.at(e.ts[i].pair+1)
	target := after.text == "=" || after.text == "=>" || after.text == ")" && (e.at(e.ts[i].pair+2).text == "=>" || e.at(e.ts[i].pair+2).text == "{" || e.at(e.ts[i].pair+2).text == ":")
	switch {
	case target || after.text == "of" || after.text == "in":
	case t.text == "[" && !e.l.operand(prev) && prev.text != "#" && (!e.l.Typed || prev.text == "!"),
		t.text == "{" && (prev.text == "=" || e.l.Typed && prev.text == "]" && !e.l.Bare || !e.l.Typed && slices.Contains([]string{"(", ",", "return", "[", "?"}, prev.text)):
		if prev.text == "const" || prev.text == "let" || prev.text == "var" {
			return
		}
		e.out = append(e.out, Edit{"empty-collection", t.end, e.ts[t.pair].start, ""})
	}
}

// inFor says whether a token is directly in the head of a for: a loop that
// counts the wrong way takes all the time there is.
func (e *editor) inFor(i int) bool {
	p := e.ts[i].parent
	return p > 0 && e.ts[p-1].text == "for"
}

// sides leave out one side of an operator, where it is a name or a number that
// nothing else clings to.
func (e *editor) sides(i int) {
	clings := func(j int) bool {
		t := e.at(j)
		return t.kind == operator && slices.Contains([]string{".", "(", "[", "*", "/", "%", "!", "::", "->", "?.", "**"}, t.text)
	}
	prev, next := e.ts[i-1], e.at(i+1)
	plain := func(t token) bool { return t.kind == number || t.kind == name && e.l.operand(t) }
	if plain(next) && !clings(i+2) {
		e.replace("one-side", i, i+2, "")
	}
	if plain(prev) && !clings(i-2) && e.ts[i].text != "-" {
		e.replace("one-side", i-1, i+1, "")
	}
}

// number are the changes of a whole number, or of one with a point.
func (e *editor) number(i int) {
	t, prev := e.ts[i], e.at(i-1)
	written := strings.NewReplacer("'", "", "_", "").Replace(t.text)
	digits := len(written) - len(strings.TrimLeft(written, "0123456789"))
	suffix := written[digits:]
	value, err := strconv.Atoi(written[:digits])
	if err != nil || strings.HasPrefix(suffix, "x") || strings.HasPrefix(suffix, "b") || strings.HasPrefix(suffix, "e") || prev.text == "." {
		return
	}
	if prev.text == "[" && e.at(i-2).kind == name && (e.at(i-3).kind == name || e.at(i-3).text == "*") && e.at(i-3).text != "return" || e.l.Bare && prev.text == ";" {
		return // how much room there is
	}
	index := prev.text == "[" && e.l.operand(e.at(i-2)) && e.at(i+1).text == "]"
	operator := "off-by-one"
	if index {
		operator = "wrong-index"
	}
	e.change(operator, i, strconv.Itoa(value+1)+suffix)
	switch {
	case value > 0:
		e.change("off-by-one-down", i, strconv.Itoa(value-1)+suffix)
	case !e.l.Unsigned && !index:
		e.change("off-by-one-down", i, "(-1"+suffix+")")
	}
}
