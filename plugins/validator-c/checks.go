package main

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/native"
	"github.com/goals-tracker/tracker/sdk/validator"
)

var (
	unityLine = regexp.MustCompile(`(?s)^(.*?):(\d+):(\w+):FAIL(?:: (.*))?$`)
	unityWas  = regexp.MustCompile(`(?s)Expected (.*) Was (.*?)(?:\. (.*?))?\.?\s*$`)
)

// explainCheck says which check of a test did not hold, from what its framework
// wrote.
func explainCheck(t *validator.Test, text string, l *layout) {
	if rest, ok := strings.CutPrefix(text, "assert\x1f"); ok {
		explainAssert(t, strings.Split(rest, "\x1f"), l)
		return
	}
	if code, ok := strings.CutPrefix(text, "returned "); ok {
		t.Message = validator.Text("c.returned", "The test program ended with the exit code {code}.", "El programa de prueba terminó con el código de salida {code}.", "code", code)
		return
	}
	if strings.Contains(text, "\x1e") {
		explainCatch(t, text)
		return
	}
	// Unity's line is the last: tests may print words of their own before it.
	said := strings.TrimSpace(text)
	m := unityLine.FindStringSubmatch(said)
	if m == nil {
		t.Message = validator.Text("c.failed", "The test failed: {message}", "La prueba falló: {message}", "message", native.Short(said))
		return
	}
	why := strings.TrimSpace(m[4])
	if w := unityWas.FindStringSubmatch(why); w != nil {
		t.Expected, t.Actual = w[1], w[2]
		before, _, _ := strings.Cut(why, "Expected ")
		note := strings.Trim(before+w[3], " .")
		if note != "" {
			note = " (" + note + ")"
		}
		t.Message = validator.Text("c.compared", "The test expected {expected}, but got {actual}.{note}", "La prueba esperaba {expected}, pero obtuvo {actual}.{note}",
			"expected", native.Short(w[1]), "actual", native.Short(w[2]), "note", note)
		return
	}
	if why == "" {
		why = "line " + m[2]
	}
	t.Message = validator.Text("c.failed", "The test failed: {message}", "La prueba falló: {message}", "message", native.Short(why))
}

func explainAssert(t *validator.Test, parts []string, l *layout) {
	if len(parts) < 4 {
		return
	}
	file, expression := place(parts[0]), strings.Join(parts[3:], "\x1f")
	for _, n := range l.names {
		if n == file {
			t.Message = validator.Text("c.own-assert", "An assert in your code does not hold ({file}, line {line}): {expression}",
				"Un assert de tu código no se cumple ({file}, línea {line}): {expression}", "file", file, "line", parts[1], "expression", native.Short(expression))
			return
		}
	}
	t.Message = validator.Text("c.assert", "This was not true: {expression} ({file}, line {line})", "Esto no se cumplió: {expression} ({file}, línea {line})",
		"file", file, "line", parts[1], "expression", native.Short(expression))
}

// Results of Catch2's assertions, by number.
const (
	catchExplicit   = 0x10 | 2
	catchThrew      = 0x10 | 0x100 | 1
	catchDidNot     = 0x10 | 0x100 | 2
	catchFatal      = 0x200 | 0x10
	catchThrewMaybe = 0x100
)

// explainCatch reads file, line, result, expression, expansion and notes of each
// check that failed.
func explainCatch(t *validator.Test, text string) {
	var en, es []string
	id := "c.check"
	for record := range strings.SplitSeq(strings.TrimSuffix(text, "\x1e"), "\x1e") {
		f := strings.Split(record, "\x1f")
		if len(f) < 6 || len(en) >= 5 {
			continue
		}
		at := f[0] + ":" + f[1]
		code, _ := strconv.Atoi(f[2])
		note := ""
		if f[5] != "" {
			note = " (" + native.Short(f[5]) + ")"
		}
		switch {
		case code&catchThrewMaybe != 0 && code == catchThrew:
			en = append(en, at+": an exception was thrown that nothing caught: "+native.Short(f[5]))
			es = append(es, at+": se lanzó una excepción que nadie atrapó: "+native.Short(f[5]))
		case code == catchDidNot:
			en = append(en, at+": an exception was expected, but none was thrown: "+f[3])
			es = append(es, at+": se esperaba una excepción, pero no se lanzó ninguna: "+f[3])
		case code == catchExplicit || f[3] == "":
			en = append(en, at+": the test failed: "+native.Short(f[5]))
			es = append(es, at+": la prueba falló: "+native.Short(f[5]))
		default:
			with := ""
			if f[4] != "" && f[4] != f[3] {
				with = ", " + native.Short(f[4])
				if t.Expected == "" {
					if left, right, ok := strings.Cut(f[4], " == "); ok && !strings.Contains(right, " == ") {
						t.Actual, t.Expected = strings.TrimSpace(left), strings.TrimSpace(right)
					}
				}
			}
			en = append(en, at+": this was not true: "+f[3]+with+note)
			es = append(es, at+": esto no se cumplió: "+f[3]+with+note)
		}
	}
	if len(en) == 0 {
		t.Message = validator.Text("c.no-check", "The test failed.", "La prueba falló.")
		return
	}
	t.Message = validator.Message{ID: id, Text: map[string]string{"en": strings.Join(en, "\n"), "es": strings.Join(es, "\n")}}
}
