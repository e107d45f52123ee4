package main

import "github.com/goals-tracker/tracker/sdk/validator"

var (
	textEnded = validator.Text("go.ended", "The program ended before this test had reported. Does your code end the program?",
		"El programa terminó antes de que esta prueba informara. ¿Tu código termina el programa?")
	textGroup      = validator.Text("go.group", "Some of its subtests did not pass.", "Algunas de sus subpruebas no pasaron.")
	textNotReached = validator.Text("go.not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
	textTime       = validator.Text("go.ran-too-long", "Time ran out during this test. Is there a loop that never ends, or a goroutine that waits for ever?",
		"El tiempo se agotó durante esta prueba. ¿Hay un bucle que nunca termina, o una goroutine que espera para siempre?")
	textMemory   = validator.Text("go.memory", "Memory ran out during this test.", "La memoria se agotó durante esta prueba.")
	textOutput   = validator.Text("go.output", "Your program printed too much during this test.", "Tu programa imprimió demasiado durante esta prueba.")
	textAfter    = validator.Text("go.after-tests", "The tests passed, but the check after them failed.", "Las pruebas pasaron, pero falló la comprobación posterior.")
	textUnproven = validator.Text("go.unproven", "Your program runs. The task has no tests, so nothing more is proven.",
		"Tu programa se ejecuta. La tarea no tiene pruebas, así que no se demuestra nada más.")
	textCompiles = validator.Text("go.compiles", "Your code compiles. The task has no tests, so nothing more is proven.",
		"Tu código compila. La tarea no tiene pruebas, así que no se demuestra nada más.")
	textNothing = validator.Text("go.nothing", "There is no Go file to judge: submit your code.", "No hay ningún archivo de Go que evaluar: envía tu código.")
)

func summary(r *validator.Report) validator.Message {
	var passed, all int
	for i := range r.Tests {
		t := &r.Tests[i]
		if t.Weight == groupWeight {
			continue
		}
		switch t.Status {
		case validator.Pass:
			passed++
			all++
		case validator.Fail, validator.Error:
			all++
		case validator.Skip:
		}
	}
	switch r.Verdict {
	case validator.TimedOut:
		return validator.Text("go.timed-out", "Your program took too long and was stopped.", "Tu programa tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return validator.Text("go.out-of-memory", "Your program used more memory than it may.", "Tu programa usó más memoria de la permitida.")
	case validator.OutputLimit:
		return validator.Text("go.output-limit", "Your program printed more than it may.", "Tu programa imprimió más de lo permitido.")
	case validator.Unproven:
		return validator.Text("go.all-skipped", "All tests were skipped, so nothing is proven.", "Se omitieron todas las pruebas, así que no se demuestra nada.")
	default:
	}
	return validator.Text("go.passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", all)
}

// invalid says where the first error is.
func invalid(findings []validator.Finding) validator.Message {
	for i := range findings {
		if f := &findings[i]; f.Severity == validator.SeverityError && f.File != "" {
			return validator.Text("go.invalid", "{file} does not compile yet: see line {line}.", "{file} todavía no compila: mira la línea {line}.", "file", f.File, "line", f.Line)
		}
	}
	return validator.Text("go.invalid-with-tests", "Your code does not compile together with the tests.", "Tu código no compila junto con las pruebas.")
}
