package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

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
	if m, ok := explainCheck(f, text); ok {
		return m
	}
	if m, ok := explainBuiltin(f, text); ok {
		return m
	}
	switch {
	case f.Type == "Gone":
		return textEnded
	case f.Type == "thrown":
		return text("thrown", "A value that is no Error was thrown: {message}", "Se lanzó un valor que no es un Error: {message}")
	case f.Module != "":
		return text("no-module", "There is no module {name}. Is your file named as the task says?", "No existe el módulo {name}. ¿Tu archivo se llama como dice la tarea?", "name", f.Module)
	case f.Learner == nil:
		return text("raised-in-test", "The test threw {type}: {message}", "La prueba lanzó {type}: {message}")
	}
	return text("raised", "Your code threw {type}{at_en}: {message}", "Tu código lanzó {type}{at_es}: {message}")
}

// texter makes a message that may use the failure's own parts.
type texter func(id, en, es string, params ...any) validator.Message

// explainCheck explains what a test has checked.
func explainCheck(f *failure, text texter) (validator.Message, bool) {
	switch f.Type {
	case "TimedOut":
		return text("never-settled", "The test did not come to its end. Is there a promise that never settles, or a callback that is never called?",
			"La prueba no llegó a su fin. ¿Hay una promesa que nunca se resuelve, o una función que nunca se llama?"), true
	case "ExpectError", "AssertionError":
		if f.Expected != "" && f.Actual != "" {
			said := ""
			if f.Type == "AssertionError" && f.Message != "" {
				said = "\n" + f.Message
			}
			return text("compared", "The test expected {expected}, but got {actual}.{said}", "La prueba esperaba {expected_es}, pero obtuvo {actual_es}.{said}",
				"expected", short(f.Expected), "actual", short(f.Actual), "expected_es", spanish(short(f.Expected)), "actual_es", spanish(short(f.Actual)), "said", said), true
		}
		if f.Message == "" {
			line := ""
			if f.Test != nil {
				line = strings.TrimSpace(f.Test.Text)
			}
			return text("asserted", "This was not true: {line}", "Esto no se cumplió: {line}", "line", line), true
		}
		return text("asserted-message", "The test failed: {message}", "La prueba falló: {message}"), true
	}
	return validator.Message{}, false
}

// explainBuiltin explains the exceptions of the language itself.
func explainBuiltin(f *failure, text texter) (validator.Message, bool) {
	switch f.Type {
	case "ReferenceError":
		if m := notDefined.FindStringSubmatch(f.Message); m != nil {
			return text("name", "The name {name} is used but not defined{at_en}. Is it spelled right, and declared before it is used?",
				"Se usa el nombre {name} sin haberlo definido{at_es}. ¿Está bien escrito y declarado antes de usarse?", "name", m[1]), true
		}
	case "TypeError":
		if notFunction.MatchString(f.Message) && f.Learner == nil {
			return text("no-function", "The tests use something that your code does not have, or that is of another kind: {message}. Does your code export it under this name?",
				"Las pruebas usan algo que tu código no tiene, o que es de otro tipo: {message}. ¿Tu código lo exporta con ese nombre?"), true
		}
		if m := ofNothing.FindStringSubmatch(f.Message); m != nil {
			return text("nothing-there", "A value is {value} where an object was needed{at_en}: {message}. Does a function return nothing?",
				"Un valor es {value} donde se necesitaba un objeto{at_es}: {message}. ¿Hay una función que no devuelve nada?", "value", m[1]), true
		}
	case "RangeError":
		if strings.Contains(f.Message, "call stack") {
			return text("recursion", "A function calls itself without end{at_en}. Is there a case in which it stops?", "Una función se llama a sí misma sin fin{at_es}. ¿Hay un caso en el que se detiene?"), true
		}
	case "SyntaxError":
		if m := noExport.FindStringSubmatch(f.Message); m != nil {
			return text("no-export", "Something is imported that its module does not export: {name}. Is there an export in front of it?", "Se importa algo que su módulo no exporta: {name}. ¿Lleva export delante?", "name", m[1]), true
		}
	}
	return validator.Message{}, false
}
