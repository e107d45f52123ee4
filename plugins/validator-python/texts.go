package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

var summaryUnproven = validator.Text("python.unproven",
	"Your program runs. The task has no tests, so nothing more is proven.",
	"Tu programa se ejecuta. La tarea no tiene pruebas, así que no se demuestra nada más.")

func summary(r *validator.Report) validator.Message {
	var passed, all int
	for _, t := range r.Tests {
		switch t.Status {
		case validator.Pass:
			passed++
			all++
		case validator.Fail, validator.Error:
			all++
		}
	}
	switch r.Verdict {
	case validator.TimedOut:
		return validator.Text("python.timed-out", "Your program took too long and was stopped.", "Tu programa tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return validator.Text("python.out-of-memory", "Your program used more memory than it may.", "Tu programa usó más memoria de la permitida.")
	case validator.OutputLimit:
		return validator.Text("python.output-limit", "Your program printed more than it may.", "Tu programa imprimió más de lo permitido.")
	case validator.Unproven:
		return validator.Text("python.all-skipped", "All tests were skipped, so nothing is proven.", "Se omitieron todas las pruebas, así que no se demuestra nada.")
	}
	if all == 0 {
		return validator.Text("python.killed", "Your program was ended by the system.", "El sistema terminó tu programa.")
	}
	return validator.Text("python.passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", all)
}

func leftOut(name string) validator.Finding {
	return validator.Finding{
		File: name, Rule: "left-out", Severity: validator.SeverityWarning,
		Message: validator.Text("python.left-out", "{file} was left out, as it would configure or replace the tests.",
			"{file} no se tuvo en cuenta, porque configuraría o reemplazaría las pruebas.", "file", name),
	}
}

// addresses differ from run to run and mean nothing to a learner.
var addresses = regexp.MustCompile(` at 0x[0-9a-f]{6,}`)

// short is a value that fits into a sentence.
func short(s string) string {
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:200]) + " …"
	}
	return s
}

// explain says in words what an exception means.
func explain(f *failure) validator.Message {
	if f == nil {
		return validator.Text("python.failed", "The test failed.", "La prueba falló.")
	}
	for _, s := range []*string{&f.Message, &f.Expected, &f.Actual} {
		*s = addresses.ReplaceAllString(*s, "")
	}
	var atEN, atES string
	if f.Learner != nil {
		line := strings.TrimSpace(f.Learner.Text)
		atEN = fmt.Sprintf(" (%s, line %d: %s)", f.Learner.File, f.Learner.Line, line)
		atES = fmt.Sprintf(" (%s, línea %d: %s)", f.Learner.File, f.Learner.Line, line)
	}
	text := func(id, en, es string, params ...any) validator.Message {
		return validator.Text("python."+id, en, es, append(params, "message", f.Message, "type", f.Type, "at_en", atEN, "at_es", atES)...)
	}
	missing := f.ImportName
	switch f.Type {
	case "AssertionError", "Failed":
		if f.Expected != "" || f.Actual != "" {
			return text("compared", "The test expected {expected}, but got {actual}.\n{message}", "La prueba esperaba {expected}, pero obtuvo {actual}.\n{message}", "expected", short(f.Expected), "actual", short(f.Actual))
		}
		if f.Message == "" {
			line := ""
			if f.Test != nil {
				line = strings.TrimSpace(f.Test.Text)
			}
			return text("asserted", "This was not true: {line}", "Esto no se cumplió: {line}", "line", line)
		}
		return text("asserted-message", "The test failed: {message}", "La prueba falló: {message}")
	case "ModuleNotFoundError":
		return text("no-module", "Python finds no module {name}{at_en}. Is your file named {name}.py, as the task says?", "Python no encuentra el módulo {name}{at_es}. ¿Tu archivo se llama {name}.py, como dice la tarea?", "name", missing)
	case "ImportError":
		return text("import", "The tests want a name that your module does not define{at_en}: {message}", "Las pruebas piden un nombre que tu módulo no define{at_es}: {message}")
	case "NameError", "UnboundLocalError":
		return text("name", "A name is used that is not defined here{at_en}: {message}. Is it spelled right, and set before it is used?", "Se usa un nombre que no está definido aquí{at_es}: {message}. ¿Está bien escrito, y tiene un valor antes de usarse?")
	case "AttributeError":
		if strings.Contains(f.Message, "'NoneType'") {
			return text("none", "A value is None where an object was needed{at_en}: {message}. Does a function return nothing?", "Un valor es None donde se necesitaba un objeto{at_es}: {message}. ¿Hay una función que no devuelve nada?")
		}
		return text("attribute", "The object does not have what was asked of it{at_en}: {message}", "El objeto no tiene lo que se le pidió{at_es}: {message}")
	case "IndexError":
		return text("index", "A position is outside of the list{at_en}: {message}", "Una posición está fuera de la lista{at_es}: {message}")
	case "KeyError":
		return text("key", "The dictionary has no key {message}{at_en}.", "El diccionario no tiene la clave {message}{at_es}.")
	case "RecursionError":
		return text("recursion", "A function calls itself without end{at_en}. Is there a case in which it stops?", "Una función se llama a sí misma sin fin{at_es}. ¿Hay un caso en el que se detiene?")
	case "SystemExit":
		return text("exit", "Your code ended the program{at_en}; tests need it to go on.", "Tu código terminó el programa{at_es}; las pruebas necesitan que continúe.")
	case "Skipped", "SkipTest", "XFailed":
		return text("learner-skips", "Your code skipped the test{at_en}; only the task may do that.", "Tu código omitió la prueba{at_es}; solo la tarea puede hacerlo.")
	case "UnexpectedSuccess":
		return text("unexpected-pass", "The test was expected to fail, but it passed.", "Se esperaba que la prueba fallara, pero pasó.")
	}
	if f.Learner == nil {
		return text("raised-in-test", "The test raised {type}: {message}", "La prueba lanzó {type}: {message}")
	}
	return text("raised", "Your code raised {type}{at_en}: {message}", "Tu código lanzó {type}{at_es}: {message}")
}
