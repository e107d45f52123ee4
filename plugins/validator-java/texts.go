package main

import (
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

var (
	summaryUnproven = validator.Text("java.unproven",
		"Your program runs. The task has no tests, so nothing more is proven.",
		"Tu programa se ejecuta. La tarea no tiene pruebas, así que no se demuestra nada más.")
	summaryCompiles = validator.Text("java.compiles",
		"Your code compiles. It has no main method to run and the task has no tests, so nothing more is proven.",
		"Tu código compila. No tiene un método main que ejecutar y la tarea no tiene pruebas, así que no se demuestra nada más.")
	summaryUnreadable = validator.Text("java.unreadable",
		"The Java compiler did not come to an end with your files: they are too large or nested too deeply.",
		"El compilador de Java no pudo terminar con tus archivos: son demasiado grandes o tienen demasiados niveles.")
	summaryRefused = validator.Text("java.refused",
		"Your code uses something that judged code may not use: see the finding.",
		"Tu código usa algo que el código evaluado no puede usar: mira la observación.")
	textUnfit = validator.Text("java.test-unfit",
		"This test can't be compiled with your code.", "Esta prueba no compila con tu código.")
	textEnded = validator.Text("java.ended",
		"The program ended before this test had reported.", "El programa terminó antes de que esta prueba informara.")
	textNotReached = validator.Text("java.not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
)

func summary(r *validator.Report) validator.Message {
	var passed, all int
	for _, t := range r.Tests {
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
		return validator.Text("java.timed-out", "Your program took too long and was stopped.", "Tu programa tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return validator.Text("java.out-of-memory", "Your program used more memory than it may.", "Tu programa usó más memoria de la permitida.")
	case validator.OutputLimit:
		return validator.Text("java.output-limit", "Your program printed more than it may.", "Tu programa imprimió más de lo permitido.")
	case validator.Unproven:
		return validator.Text("java.all-skipped", "All tests were skipped, so nothing is proven.", "Se omitieron todas las pruebas, así que no se demuestra nada.")
	default:
	}
	if all == 0 {
		return validator.Text("java.killed", "Your program ended before the tests could report.", "Tu programa terminó antes de que las pruebas pudieran informar.")
	}
	return validator.Text("java.passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", all)
}

func leftOut(name string) validator.Finding {
	return validator.Finding{
		File: name, Rule: "left-out", Severity: validator.SeverityWarning,
		Message: validator.Text("java.left-out", "{file} was left out: it is a test of your own, no code to read, or would replace what judges.",
			"{file} no se tuvo en cuenta: es una prueba tuya, no es código que se pueda leer o reemplazaría lo que evalúa.", "file", name),
	}
}

func refused(e *event) validator.Finding {
	return validator.Finding{
		File: e.File, Rule: "forbidden-class", Severity: validator.SeverityError,
		Message: validator.Text("java.forbidden-class", "Your code uses {name}, which reaches behind the language and is not allowed here.",
			"Tu código usa {name}, que va más allá del lenguaje y no se permite aquí.", "name", e.Name),
	}
}

func hides(e *event) validator.Finding {
	return validator.Finding{
		File: e.File, Rule: "hides-tests", Severity: validator.SeverityError,
		Message: validator.Text("java.hides-tests", "A class of yours has the name of one that the tests use ({name}); give it another name.",
			"Una clase tuya tiene el nombre de otra que usan las pruebas ({name}); dale otro nombre.", "name", e.Name),
	}
}

func skipMessage(reason string) validator.Message {
	if reason == "" || strings.HasSuffix(reason, " is @Disabled") {
		return validator.Text("java.skipped", "Skipped.", "Omitida.")
	}
	return validator.Text("java.skipped", "Skipped: {reason}", "Omitida: {reason}", "reason", reason)
}

// unreported says why an expected test has no result.
func (k *collected) unreported(id string, run *validator.StepResult) validator.Message {
	for container, f := range k.broken {
		if id == container || strings.HasPrefix(id, container+"::") {
			return explain(f)
		}
	}
	if m := k.limitMet(run); !m.IsZero() {
		if id == k.running || strings.HasPrefix(k.running, id+"[") {
			return m
		}
		return textNotReached
	}
	switch {
	case run.Outcome != validator.OutcomeExited:
		return textNotReached
	case k.stopped != nil:
		return explain(k.stopped)
	case !k.finished:
		return textEnded
	}
	return validator.Text("java.unreported", "This test did not report.", "Esta prueba no informó de su resultado.")
}

// limitMet says what ended the run, if a limit did.
func (k *collected) limitMet(run *validator.StepResult) validator.Message {
	switch {
	case run.Outcome == validator.OutcomeTimedOut || k.timedOut:
		return validator.Text("java.ran-too-long", "Time ran out during this test. Is there a loop that never ends?", "El tiempo se agotó durante esta prueba. ¿Hay un bucle que nunca termina?")
	case run.Outcome == validator.OutcomeOutOfMemory || k.memory:
		return validator.Text("java.memory", "Memory ran out during this test.", "La memoria se agotó durante esta prueba.")
	case run.Outcome == validator.OutcomeOutputLimit || k.outputLimit:
		return validator.Text("java.output", "Your program printed too much during this test.", "Tu programa imprimió demasiado durante esta prueba.")
	}
	return validator.Message{}
}
