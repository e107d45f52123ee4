package main

import (
	"strconv"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/sdk/validator"
)

var (
	summaryUnproven = validator.Text("c.unproven",
		"Your program compiles and runs. The task has no tests, so nothing more is proven.",
		"Tu programa compila y se ejecuta. La tarea no tiene pruebas, así que no se demuestra nada más.")
	summaryCompiles = validator.Text("c.compiles",
		"Your code compiles. The task has no tests and the code has no main, so nothing more is proven.",
		"Tu código compila. La tarea no tiene pruebas y el código no tiene main, así que no se demuestra nada más.")
	textSkipped    = validator.Text("c.skipped", "Skipped.", "Omitida.")
	textMemory     = validator.Text("c.memory", "Memory ran out during this test.", "La memoria se agotó durante esta prueba.")
	textOutput     = validator.Text("c.output", "Your program printed too much during this test.", "Tu programa imprimió demasiado durante esta prueba.")
	textNotReached = validator.Text("c.not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
	textTooLong    = validator.Text("c.ran-too-long", "Time ran out during this test. Is there a loop that never ends?", "El tiempo se agotó durante esta prueba. ¿Hay un bucle que nunca termina?")
	textJumped     = validator.Text("c.jumped", "The test was left before its end, by a jump that no check made.", "La prueba se abandonó antes de su final, con un salto que ninguna comprobación hizo.")
	textEnded      = validator.Text("c.ended", "The program ended before this test had reported. Does your code call exit?",
		"El programa terminó antes de que esta prueba informara. ¿Tu código llama a exit?")
	textUnreported = validator.Text("c.unreported", "This test did not report.", "Esta prueba no informó de su resultado.")
)

// limitSummary says which limit ended the program; empty for other verdicts.
func limitSummary(v validator.Verdict) validator.Message {
	switch v {
	case validator.TimedOut:
		return validator.Text("c.timed-out", "Your program took too long and was stopped.", "Tu programa tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return validator.Text("c.out-of-memory", "Your program used more memory than it may.", "Tu programa usó más memoria de la permitida.")
	case validator.OutputLimit:
		return validator.Text("c.output-limit", "Your program printed more than it may.", "Tu programa imprimió más de lo permitido.")
	case validator.Unproven:
		return validator.Text("c.all-skipped", "All tests were skipped, so nothing is proven.", "Se omitieron todas las pruebas, así que no se demuestra nada.")
	default:
	}
	return validator.Message{}
}

func summary(r *validator.Report) validator.Message {
	if m := limitSummary(r.Verdict); !m.IsZero() {
		return m
	}
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
	if all == 0 {
		return validator.Text("c.killed", "Your program ended before the tests could report.", "Tu programa terminó antes de que las pruebas pudieran informar.")
	}
	return validator.Text("c.passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", all)
}

// death says how a process ended in the middle of a test.
func death(e *forkparent.Event, s *sanitized) validator.Message {
	switch {
	case s != nil:
		return s.finding.Message
	case e.Signal == 0 && e.Code == exitStatusSanitizer:
		return validator.Text("c.sanitizer", "The program did something that the language leaves undefined, and was stopped.", "El programa hizo algo que el lenguaje deja indefinido y fue detenido.")
	case e.Signal == 0:
		return textEnded
	}
	return signalText(e.Signal)
}

const exitStatusSanitizer = 98

func signalText(signal int) validator.Message {
	switch signal {
	case 11, 7:
		return validator.Text("c.segfault", "The program reached for memory that is not its own (segmentation fault). Look for a null pointer, an index outside of an array, or memory that was freed.",
			"El programa accedió a memoria que no es suya (violación de segmento). Busca un puntero nulo, un índice fuera de un arreglo o memoria ya liberada.")
	case 8:
		return validator.Text("c.arithmetic", "The program made a calculation that has no result, such as a division by zero.", "El programa hizo un cálculo sin resultado, por ejemplo una división por cero.")
	case 6:
		return validator.Text("c.aborted", "The program stopped itself (abort): an assert failed, an exception was caught by nobody, or memory was misused.",
			"El programa se detuvo a sí mismo (abort): falló un assert, nadie atrapó una excepción o se usó mal la memoria.")
	case 25:
		return validator.Text("c.file-size", "The program wrote a file larger than it may.", "El programa escribió un archivo más grande de lo permitido.")
	}
	return validator.Text("c.signal", "The program was ended by the signal {signal}.", "El programa terminó por la señal {signal}.", "signal", strconv.Itoa(signal))
}

func leftOut(name string) validator.Finding {
	return validator.Finding{
		File: name, Rule: "left-out", Severity: validator.SeverityWarning,
		Message: validator.Text("c.left-out", "{file} was left out, as it is no code of yours to read or would replace what judges.",
			"{file} no se tuvo en cuenta, porque no es código tuyo que se pueda leer o reemplazaría lo que evalúa.", "file", name),
	}
}
