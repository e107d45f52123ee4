package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// diff is the first place at which outputs differ.
type diff struct {
	line      int
	want, got string
	kind      string // "line", "missing", "extra", "spaces"
}

// difference compares outputs; nil when they are the same.
func difference(want, got string, o options) *diff {
	if o.Compare == "tokens" || o.Tolerance > 0 {
		return byTokens(want, got, o.Tolerance)
	}
	a, b := lines(want, o.Compare == "exact"), lines(got, o.Compare == "exact")
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return &diff{line: i + 1, got: b[i], kind: "extra"}
		case i >= len(b):
			return &diff{line: i + 1, want: a[i], kind: "missing"}
		case a[i] != b[i]:
			d := &diff{line: i + 1, want: a[i], got: b[i], kind: "line"}
			if strings.Join(strings.Fields(a[i]), "") == strings.Join(strings.Fields(b[i]), "") {
				d.kind = "spaces"
			}
			return d
		}
	}
	return nil
}

// lines are the lines of an output. Unless they must be exact, spaces at the
// ends of lines and empty lines at the end do not count.
func lines(s string, exact bool) []string {
	if exact {
		return strings.SplitAfter(s, "\n")
	}
	out := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range out {
		out[i] = strings.TrimRight(out[i], " \t\r")
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// token is a word with the line it stands in.
type token struct {
	text string
	line int
}

func tokens(s string) []token {
	var out []token
	n := 0
	for line := range strings.SplitSeq(s, "\n") {
		n++
		for word := range strings.FieldsSeq(line) {
			out = append(out, token{word, n})
		}
	}
	return out
}

func byTokens(want, got string, tolerance float64) *diff {
	a, b := tokens(want), tokens(got)
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return &diff{line: b[i].line, got: b[i].text, kind: "extra"}
		case i >= len(b):
			return &diff{line: a[i].line, want: a[i].text, kind: "missing"}
		case a[i].text != b[i].text && !near(a[i].text, b[i].text, tolerance):
			return &diff{line: b[i].line, want: a[i].text, got: b[i].text, kind: "line"}
		}
	}
	return nil
}

// near says whether two words are numbers that are close, absolutely or in
// relation to their size.
func near(want, got string, tolerance float64) bool {
	x, errX := strconv.ParseFloat(want, 64)
	y, errY := strconv.ParseFloat(got, 64)
	if tolerance <= 0 || errX != nil || errY != nil || math.IsNaN(y) || math.IsInf(y, 0) {
		return false
	}
	return math.Abs(x-y) <= tolerance*max(1, math.Abs(x))
}

func (d *diff) message(c *ioCase) validator.Message {
	if c.Hidden {
		return validator.Text("command.differs-hidden", "The output is not the one expected; this case is not shown.", "La salida no es la esperada; este caso no se muestra.")
	}
	params := []any{"line", d.line, "want", visible(d.want), "got", visible(d.got)}
	switch d.kind {
	case "missing":
		return validator.Text("command.missing", "Line {line} of the output is missing: {want}", "Falta la línea {line} de la salida: {want}", params...)
	case "extra":
		return validator.Text("command.extra", "Line {line} of the output is too much: {got}", "Sobra la línea {line} de la salida: {got}", params...)
	case "spaces":
		return validator.Text("command.spaces", "Line {line} of the output differs in its spaces: expected {want}, got {got}", "La línea {line} de la salida difiere en los espacios: se esperaba {want} y se obtuvo {got}", params...)
	}
	return validator.Text("command.line", "Line {line} of the output should be {want}, but is {got}", "La línea {line} de la salida debería ser {want}, pero es {got}", params...)
}

// visible is a text in quotes, with what can't be seen made visible.
func visible(s string) string {
	return fmt.Sprintf("%q", short(strings.ToValidUTF8(s, "\ufffd")))
}

// short is a text that fits into a sentence.
func short(s string) string {
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:200]) + " …"
	}
	return s
}
