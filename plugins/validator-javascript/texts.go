package main

import "github.com/goals-tracker/tracker/sdk/validator"

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
		case validator.Skip:
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
	default:
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
	textTime = validator.Text("js.ran-too-long", "Time ran out during this test. Is there a loop that never ends?",
		"El tiempo se agotó durante esta prueba. ¿Hay un bucle que nunca termina?")
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
		return textTime
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
