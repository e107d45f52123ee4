package mutants

import (
	"slices"
	"strings"
)

// function is a function that is written out.
type function struct {
	params   []param
	result   string
	brace    int // its body's; -1 where the body is an expression
	from, to int // its body's tokens
}

type param struct{ name, typ string }

// findFunctions finds the functions by their bodies.
func (e *editor) findFunctions() {
	for i, t := range e.ts {
		switch {
		case t.text == "{" && e.isBlock(i):
			if open, ok := e.head(i); ok {
				e.addFunction(open, i, i+1, t.pair)
			}
		case t.text == "=>" && !e.l.Bare && e.at(i+1).text != "{":
			open, ok := e.head(i + 1)
			end := e.expression(i + 1)
			if end <= i+1 {
				continue
			}
			if ok {
				e.addFunction(open, -1, i+1, end)
			}
			e.functionResult(i+1, end)
		}
	}
}

// functionResult changes the result of a function that is an expression.
func (e *editor) functionResult(a, b int) {
	for n, with := range e.l.Results("") {
		e.replace(resultOperator(n), a, b, with)
	}
}

// expression is where the expression that begins at i ends.
func (e *editor) expression(i int) int {
	if i >= len(e.ts) {
		return i
	}
	parent := e.ts[i].parent
	j := i
	for ; j < len(e.ts); j++ {
		t := e.ts[j]
		if t.text == ";" || t.text == "," || t.parent != parent && t.pair < j && t.pair >= 0 || j > i && e.l.LineEnds && e.lineEnds(j) {
			break
		}
		if strings.Contains(")]}", t.text) && t.pair < i {
			break
		}
		if t.pair > j {
			j = t.pair
		}
	}
	return j
}

// head finds the bracket of the parameters before a body.
func (e *editor) head(body int) (open int, ok bool) {
	parent := e.at(body).parent
	for i := body - 1; i >= 0 && i > body-40; i-- {
		t := e.ts[i]
		switch {
		case t.text == ")":
			open = t.pair
			before := e.at(open - 1)
			arrow := e.at(i+1).text == "=>" || e.at(body-1).text == "=>"
			control := before.kind == name && slices.Contains([]string{"if", "for", "while", "switch", "catch", "match", "return", "with", "synchronized"}, before.text)
			return open, !control && (arrow || before.kind == name || before.text == ">")
		case t.text == "]":
			i = t.pair
		case t.parent != parent || t.text == ";" || t.text == "{" || t.text == "}" || t.text == "=" || t.text == "(":
			return 0, false
		}
	}
	return 0, false
}

func (e *editor) addFunction(open, brace, from, to int) {
	f := function{brace: brace, from: from, to: to}
	begin := open + 1
	depth := 0 // of < and >
	for i := open + 1; i <= e.ts[open].pair; i++ {
		t := e.ts[i]
		switch {
		case t.text == "<":
			depth++
		case t.text == ">":
			depth--
		case t.text == "," && t.parent == open && depth <= 0 || i == e.ts[open].pair:
			if i > begin {
				name, typ := e.l.Params(e.words(begin, i))
				if name != "" && name != "self" && name != "this" {
					f.params = append(f.params, param{name, typ})
				}
			}
			begin = i + 1
		case t.pair > i:
			i = t.pair
		}
	}
	if e.l.Result != nil && brace >= 0 {
		start := open - 1
		for start > 0 && e.ts[start-1].parent == e.ts[open].parent && !strings.Contains(";{}", e.ts[start-1].text) && !e.still[start-1] {
			start--
		}
		f.result = e.l.Result(e.words(start, open-1), e.words(e.ts[open].pair+1, brace))
	}
	e.functions = append(e.functions, f)
	if e.l.Bare && brace >= 0 && to > from {
		if results := e.l.Results(f.result); len(results) > 0 {
			e.replace("replace-body", from, to, results[0])
		}
	}
}

// isBody says whether a brace is that of a function which has a result.
func (e *editor) isBody(brace int) bool {
	return slices.ContainsFunc(e.functions, func(f function) bool { return f.brace == brace && brace >= 0 && f.result != "" })
}

// wrongNames has a function take one parameter for another of the same type.
func (e *editor) wrongNames(f function) {
	for i := f.from; i < f.to; i++ {
		t := e.ts[i]
		at := slices.IndexFunc(f.params, func(p param) bool { return p.name == t.text })
		if t.kind != name || at < 0 || e.still[i] || slices.Contains([]string{".", "->", "::", "?."}, e.at(i-1).text) || slices.Contains([]string{"(", ":", "=", "=>"}, e.at(i+1).text) {
			continue
		}
		for n := 1; n < len(f.params); n++ {
			if p := f.params[(at+n)%len(f.params)]; p.typ == f.params[at].typ && p.name != t.text {
				e.change("wrong-name", i, p.name)
				break
			}
		}
	}
}

func resultOperator(n int) string {
	if n == 0 {
		return "return-none"
	}
	return "return-constant"
}

// result changes what a function gives back; at says where, for its type.
func (e *editor) result(a, b, at int) {
	typ, size := "", len(e.ts)+1
	for _, f := range e.functions {
		if f.from <= at && at < f.to && f.to-f.from < size {
			typ, size = f.result, f.to-f.from
		}
	}
	for n, with := range e.l.Results(typ) {
		if with != e.source(a, b) {
			e.replace(resultOperator(n), a, b, with)
		}
	}
}

// condition changes what decides.
func (e *editor) condition(a, b int, fixed bool) {
	if b <= a {
		return
	}
	// The opposite of a single comparison is made where it stands.
	compares, joins := 0, 0
	for _, t := range e.ts[a:b] {
		if t.kind == operator && t.parent == e.ts[a].parent {
			compares += count(boundaries[t.text] != "")
			joins += count(t.text == "&&" || t.text == "||" || t.text == "?" || t.text == "=")
		}
	}
	if compares != 1 || joins > 0 {
		e.replace("negate-condition", a, b, "!("+e.source(a, b)+")")
	}
	if fixed {
		e.replace("fixed-condition", a, b, "true")
		e.replace("fixed-condition", a, b, "false")
	}
}

// conditions are those without brackets, up to the brace that ends a statement.
func (e *editor) conditions(a, b int, ends string) {
	if ends != "{" {
		return
	}
	for i := b - 1; i >= a; i-- {
		t := e.ts[i]
		if t.text == "let" {
			return // a pattern
		}
		if (t.text == "if" || t.text == "while") && t.parent == e.ts[a].parent {
			e.condition(i+1, b, t.text == "if")
			return
		}
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
