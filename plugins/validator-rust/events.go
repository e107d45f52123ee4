package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/plugins/internal/native"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// collected is what the events of a test program come to.
type collected struct {
	forkparent.Progress

	tests  []validator.Test
	output string
}

func collect(events []forkparent.Event, l *layout, program string) *collected {
	k := &collected{}
	for i := range events {
		e := &events[i]
		e.Output = settled(e.Output)
		switch e.Kind {
		case forkparent.Started:
			k.Running = e.ID
			k.output += e.Output
			continue
		case forkparent.Printed:
			k.output += e.Output
			continue
		case forkparent.OutputLimit:
			k.OutputLimit, k.Running = true, e.ID
			continue
		case forkparent.Finished:
			k.Finished = true
			continue
		case forkparent.Died, forkparent.Reported:
		}
		if e.ID == "" {
			k.Died = true
			k.output += e.Output
			continue
		}
		k.Running = ""
		if program == unitProgram && !slices.Contains(l.expected, e.ID) {
			continue // a test of the submission's own
		}
		t := validator.Test{ID: e.ID, Name: forkparent.TestName(e.ID), Output: strings.TrimRight(e.Output, "\n")}
		if e.Kind == forkparent.Died {
			t.Status, t.Message = validator.Error, death(e)
		} else {
			read(&t, e, l)
		}
		if !slices.ContainsFunc(k.tests, func(o validator.Test) bool { return o.ID == t.ID }) {
			k.tests = append(k.tests, t)
		}
	}
	return k
}

// read takes over what a test has reported.
func read(t *validator.Test, e *forkparent.Event, l *layout) {
	parts := strings.Split(e.Text, "\x1f")
	for len(parts) < 3 {
		parts = append(parts, "")
	}
	switch e.Status {
	case 'p':
		t.Status = validator.Pass
		return
	case 's':
		t.Status, t.Message = validator.Skip, words.Skipped()
		if e.Text != "" {
			t.Message = validator.Text("rust.skipped", "Skipped: {reason}", "Omitida: {reason}", "reason", e.Text)
		}
		return
	}
	t.Status = validator.Fail
	switch parts[0] {
	case "returned":
		t.Message = validator.Text("rust.returned", "The test returned an error: {error}", "La prueba devolvió un error: {error}", "error", native.Short(strings.Join(parts[1:], "")))
	case "silent":
		t.Message = validator.Text("rust.no-panic", "A panic was expected here, but there was none.", "Aquí se esperaba un pánico, pero no lo hubo.")
	case "otherwise":
		t.Expected, t.Actual = parts[1], strings.Join(parts[2:], "\x1f")
		t.Message = validator.Text("rust.other-panic", "A panic that says {expected} was expected, but it said {actual}.", "Se esperaba un pánico que dijera {expected}, pero dijo {actual}.",
			"expected", native.Short(fmt.Sprintf("%q", t.Expected)), "actual", native.Short(fmt.Sprintf("%q", t.Actual)))
	default:
		why := strings.Join(parts[2:], "\x1f")
		t.Message = panicMessage(parts[1], why, l)
		if m := compared.FindStringSubmatch(why); m != nil && m[1] == "==" {
			t.Actual, t.Expected = m[3], m[4]
		}
	}
}

var (
	compared = regexp.MustCompile("(?s)^assertion (?:failed: )?[`(]?left (==|!=) right[`)]?(?: failed)?(?:: (.*?))?\n\\s*left: `?(.*?)`?,?\n\\s*right: `?(.*?)`?(?:: (.*))?$")
	asserted = regexp.MustCompile(`(?s)^assertion failed: (.*)$`)
	onNone   = regexp.MustCompile("called `Option::unwrap\\(\\)` on a `None` value")
	onErr    = regexp.MustCompile("(?s)called `Result::unwrap\\(\\)` on an `Err` value: (.*)")
	outside  = regexp.MustCompile(`index out of bounds: the len is (\d+) but the index is (\d+)`)
	overflow = regexp.MustCompile(`attempt to (\w+)(?: \w+)* with overflow`)
)

// panicMessage says in a sentence why a test panicked.
func panicMessage(at, why string, l *layout) validator.Message {
	file, rest, _ := strings.Cut(at, ":")
	line, _, _ := strings.Cut(rest, ":")
	atEN, atES := "", ""
	if file = strings.TrimPrefix(strings.TrimPrefix(file, validator.WorkDir+"/"), "./"); line != "" && !strings.HasPrefix(file, "/") {
		atEN, atES = " ("+file+", line "+line+")", " ("+file+", línea "+line+")"
	}
	text := func(id, en, es string, params ...any) validator.Message {
		return validator.Text("rust."+id, en, es, append(params, "at_en", atEN, "at_es", atES, "message", native.Short(why))...)
	}
	own := l == nil || slices.Contains(l.names, file)
	if m := compared.FindStringSubmatch(why); m != nil {
		note := ""
		if n := m[2] + m[5]; n != "" {
			note = " (" + native.Short(n) + ")"
		}
		if m[1] == "!=" {
			return text("same", "Two values should differ, but both are {actual}{at_en}.{note}", "Dos valores deberían ser distintos, pero ambos son {actual}{at_es}.{note}", "actual", native.Short(m[3]), "note", note)
		}
		return text("compared", "Two values should be equal: {left} and {right}{at_en}.{note}", "Dos valores deberían ser iguales: {left} y {right}{at_es}.{note}", "left", native.Short(m[3]), "right", native.Short(m[4]), "note", note)
	}
	if m := asserted.FindStringSubmatch(why); m != nil {
		return text("asserted", "This was not true: {expression}{at_en}", "Esto no se cumplió: {expression}{at_es}", "expression", native.Short(m[1]))
	}
	switch {
	case onNone.MatchString(why):
		return text("none", "unwrap was called on None: there is no value{at_en}.", "Se llamó a unwrap sobre None: no hay valor{at_es}.")
	case onErr.MatchString(why):
		return text("err", "unwrap was called on an error: {error}{at_en}", "Se llamó a unwrap sobre un error: {error}{at_es}", "error", native.Short(onErr.FindStringSubmatch(why)[1]))
	case outside.MatchString(why):
		m := outside.FindStringSubmatch(why)
		return text("index", "The index {index} lies outside of something with {len} elements{at_en}; the last one is its length minus one.", "El índice {index} está fuera de algo con {len} elementos{at_es}; el último es su longitud menos uno.", "index", m[2], "len", m[1])
	case overflow.MatchString(why):
		return text("overflow", "A calculation does not fit its type{at_en}: {message}.", "Un cálculo no cabe en su tipo{at_es}: {message}.")
	case strings.Contains(why, "divide by zero") || strings.Contains(why, "divisor of zero"):
		return text("zero", "The program divides by zero{at_en}.", "El programa divide por cero{at_es}.")
	case strings.HasPrefix(why, "not yet implemented") || strings.HasPrefix(why, "not implemented"):
		return text("todo", "This is not written yet{at_en}: {message}", "Esto todavía no está escrito{at_es}: {message}")
	case own:
		return text("panicked", "Your code panicked{at_en}: {message}", "Tu código entró en pánico{at_es}: {message}")
	}
	return text("panicked-test", "The test panicked{at_en}: {message}", "La prueba entró en pánico{at_es}: {message}")
}

// threadID is one that differs from run to run.
var threadID = regexp.MustCompile(`(?m)^(thread '.*') \(\d+\) `)

// settled is output without what differs from run to run.
func settled(output string) string { return threadID.ReplaceAllString(output, "$1 ") }

// short is a value that fits into a sentence.
