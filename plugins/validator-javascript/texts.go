package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

var summaryUnproven = validator.Text("js.unproven",
	"Your program runs. The task has no tests, so nothing more is proven.",
	"Tu programa se ejecuta. La tarea no tiene pruebas, así que no se demuestra nada más.")

func summary(r *validator.Report, k *collected) validator.Message {
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
		return validator.Text("js.timed-out", "Your program took too long and was stopped.", "Tu programa tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return validator.Text("js.out-of-memory", "Your program used more memory than it may.", "Tu programa usó más memoria de la permitida.")
	case validator.OutputLimit:
		return validator.Text("js.output-limit", "Your program printed more than it may.", "Tu programa imprimió más de lo permitido.")
	case validator.Unproven:
		return validator.Text("js.all-skipped", "All tests were skipped, so nothing is proven.", "Se omitieron todas las pruebas, así que no se demuestra nada.")
	}
	if k.uncarriable != "" && r.Integrity == validator.IntegritySplit {
		return validator.Text("js.uncarriable", "Your code hands over a value that can't leave its process ({why}), and the course judges it apart from the tests.",
			"Tu código entrega un valor que no puede salir de su proceso ({why}), y el curso lo evalúa separado de las pruebas.", "why", k.uncarriable)
	}
	if all == 0 {
		return validator.Text("js.killed", "Your program ended before the tests could report.", "Tu programa terminó antes de que las pruebas pudieran informar.")
	}
	return validator.Text("js.passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", all)
}

func leftOut(name string) validator.Finding {
	return validator.Finding{
		File: name, Rule: "left-out", Severity: validator.SeverityWarning,
		Message: validator.Text("js.left-out", "{file} was left out, as it is no code of yours to read or would replace what judges.",
			"{file} no se tuvo en cuenta, porque no es código tuyo que se pueda leer o reemplazaría lo que evalúa.", "file", name),
	}
}

func skipMessage(reason string) validator.Message {
	if reason == "" || reason == "todo" {
		return validator.Text("js.skipped", "Skipped.", "Omitida.")
	}
	return validator.Text("js.skipped", "Skipped: {reason}", "Omitida: {reason}", "reason", reason)
}

var (
	textMemory     = validator.Text("js.memory", "Memory ran out during this test.", "La memoria se agotó durante esta prueba.")
	textOutput     = validator.Text("js.output", "Your program printed too much during this test.", "Tu programa imprimió demasiado durante esta prueba.")
	textNotReached = validator.Text("js.not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
)

var textEnded = validator.Text("js.ended", "The program ended before this test had reported. Does your code end the program?",
	"El programa terminó antes de que esta prueba informara. ¿Tu código termina el programa?")

// unreported says why an expected test has no result.
func (k *collected) unreported(id string, run *validator.StepResult) validator.Message {
	if f := k.brokenFiles[fileOf(id)]; f != nil {
		return explain(f)
	}
	this := id == k.running
	switch {
	case run.Outcome == validator.OutcomeTimedOut && this:
		return validator.Text("js.ran-too-long", "Time ran out during this test. Is there a loop that never ends?", "El tiempo se agotó durante esta prueba. ¿Hay un bucle que nunca termina?")
	case run.Outcome == validator.OutcomeOutOfMemory && this:
		return textMemory
	case (run.Outcome == validator.OutcomeOutputLimit || k.outputLimit) && this:
		return textOutput
	case k.uncarriable != "" && this:
		return validator.Text("js.not-carried", "A value of this test can't leave its process: {why}.", "Un valor de esta prueba no puede salir de su proceso: {why}.", "why", k.uncarriable)
	case run.Outcome != validator.OutcomeExited || k.outputLimit || k.uncarriable != "":
		return textNotReached
	case !k.finished:
		return textEnded
	}
	return validator.Text("js.unreported", "This test did not report.", "Esta prueba no informó de su resultado.")
}

// short is a value that fits into a sentence.
func short(s string) string {
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:200]) + " …"
	}
	return s
}

var (
	notDefined  = regexp.MustCompile(`^(\S+) is not defined`)
	notFunction = regexp.MustCompile(`is not a function|is not a constructor|is not iterable`)
	ofNothing   = regexp.MustCompile(`(?:of|from) (undefined|null)`)
	noExport    = regexp.MustCompile(`does not provide an export named '?([^']+)'?`)
)

// explain says in words what an exception means.
func explain(f *failure) validator.Message {
	if f == nil {
		return validator.Text("js.failed", "The test failed.", "La prueba falló.")
	}
	var atEN, atES string
	if f.Learner != nil {
		line := strings.TrimSpace(f.Learner.Text)
		atEN = fmt.Sprintf(" (%s, line %d: %s)", f.Learner.File, f.Learner.Line, line)
		atES = fmt.Sprintf(" (%s, línea %d: %s)", f.Learner.File, f.Learner.Line, line)
	}
	text := func(id, en, es string, params ...any) validator.Message {
		return validator.Text("js."+id, en, es, append(params, "message", f.Message, "type", f.Type, "at_en", atEN, "at_es", atES)...)
	}
	switch f.Type {
	case "Gone":
		return textEnded
	case "TimedOut":
		return text("never-settled", "The test did not come to its end. Is there a promise that never settles, or a callback that is never called?",
			"La prueba no llegó a su fin. ¿Hay una promesa que nunca se resuelve, o una función que nunca se llama?")
	case "ExpectError", "AssertionError":
		if f.Expected != "" && f.Actual != "" {
			said := ""
			if f.Type == "AssertionError" && f.Message != "" {
				said = "\n" + f.Message
			}
			return text("compared", "The test expected {expected}, but got {actual}.{said}", "La prueba esperaba {expected_es}, pero obtuvo {actual_es}.{said}",
				"expected", short(f.Expected), "actual", short(f.Actual), "expected_es", spanish(short(f.Expected)), "actual_es", spanish(short(f.Actual)), "said", said)
		}
		if f.Message == "" {
			line := ""
			if f.Test != nil {
				line = strings.TrimSpace(f.Test.Text)
			}
			return text("asserted", "This was not true: {line}", "Esto no se cumplió: {line}", "line", line)
		}
		return text("asserted-message", "The test failed: {message}", "La prueba falló: {message}")
	case "ReferenceError":
		if m := notDefined.FindStringSubmatch(f.Message); m != nil {
			return text("name", "The name {name} is used but not defined{at_en}. Is it spelled right, and declared before it is used?",
				"Se usa el nombre {name} sin haberlo definido{at_es}. ¿Está bien escrito y declarado antes de usarse?", "name", m[1])
		}
	case "TypeError":
		if notFunction.MatchString(f.Message) && f.Learner == nil {
			return text("no-function", "The tests use something that your code does not have, or that is of another kind: {message}. Does your code export it under this name?",
				"Las pruebas usan algo que tu código no tiene, o que es de otro tipo: {message}. ¿Tu código lo exporta con ese nombre?")
		}
		if m := ofNothing.FindStringSubmatch(f.Message); m != nil {
			return text("nothing-there", "A value is {value} where an object was needed{at_en}: {message}. Does a function return nothing?",
				"Un valor es {value} donde se necesitaba un objeto{at_es}: {message}. ¿Hay una función que no devuelve nada?", "value", m[1])
		}
	case "RangeError":
		if strings.Contains(f.Message, "call stack") {
			return text("recursion", "A function calls itself without end{at_en}. Is there a case in which it stops?", "Una función se llama a sí misma sin fin{at_es}. ¿Hay un caso en el que se detiene?")
		}
	case "SyntaxError":
		if m := noExport.FindStringSubmatch(f.Message); m != nil {
			return text("no-export", "Something is imported that its module does not export: {name}. Is there an export in front of it?", "Se importa algo que su módulo no exporta: {name}. ¿Lleva export delante?", "name", m[1])
		}
	case "thrown":
		return text("thrown", "A value that is no Error was thrown: {message}", "Se lanzó un valor que no es un Error: {message}")
	}
	if f.Module != "" {
		return text("no-module", "There is no module {name}. Is your file named as the task says?", "No existe el módulo {name}. ¿Tu archivo se llama como dice la tarea?", "name", f.Module)
	}
	if f.Learner == nil {
		return text("raised-in-test", "The test threw {type}: {message}", "La prueba lanzó {type}: {message}")
	}
	return text("raised", "Your code threw {type}{at_en}: {message}", "Tu código lanzó {type}{at_es}: {message}")
}
