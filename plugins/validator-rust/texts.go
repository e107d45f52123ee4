package main

import (
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/sdk/validator"
)

var (
	summaryUnproven = validator.Text("rust.unproven",
		"Your program compiles and runs. The task has no tests, so nothing more is proven.",
		"Tu programa compila y se ejecuta. La tarea no tiene pruebas, así que no se demuestra nada más.")
	summaryCompiles = validator.Text("rust.compiles",
		"Your code compiles. The task has no tests and the code has no main, so nothing more is proven.",
		"Tu código compila. La tarea no tiene pruebas y el código no tiene main, así que no se demuestra nada más.")
	textSkipped    = validator.Text("rust.skipped", "Skipped.", "Omitida.")
	textMemory     = validator.Text("rust.memory", "Memory ran out during this test.", "La memoria se agotó durante esta prueba.")
	textOutput     = validator.Text("rust.output", "Your program printed too much during this test.", "Tu programa imprimió demasiado durante esta prueba.")
	textNotReached = validator.Text("rust.not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
	textTooLong    = validator.Text("rust.ran-too-long", "Time ran out during this test. Is there a loop that never ends?", "El tiempo se agotó durante esta prueba. ¿Hay un bucle que nunca termina?")
	textEnded      = validator.Text("rust.ended", "The program ended before this test had reported. Does your code call std::process::exit?",
		"El programa terminó antes de que esta prueba informara. ¿Tu código llama a std::process::exit?")
	textUnreported = validator.Text("rust.unreported", "This test did not report.", "Esta prueba no informó de su resultado.")
)

// limitSummary says which limit ended the program; empty for other verdicts.
func limitSummary(v validator.Verdict) validator.Message {
	switch v {
	case validator.TimedOut:
		return validator.Text("rust.timed-out", "Your program took too long and was stopped.", "Tu programa tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return validator.Text("rust.out-of-memory", "Your program used more memory than it may.", "Tu programa usó más memoria de la permitida.")
	case validator.OutputLimit:
		return validator.Text("rust.output-limit", "Your program printed more than it may.", "Tu programa imprimió más de lo permitido.")
	case validator.Unproven:
		return validator.Text("rust.all-skipped", "All tests were skipped, so nothing is proven.", "Se omitieron todas las pruebas, así que no se demuestra nada.")
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
		return validator.Text("rust.killed", "Your program ended before the tests could report.", "Tu programa terminó antes de que las pruebas pudieran informar.")
	}
	return validator.Text("rust.passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", all)
}

// death says how a process ended in the middle of a test.
func death(e *forkparent.Event) validator.Message {
	switch {
	case strings.Contains(e.Output, "has overflowed its stack"):
		return validator.Text("rust.stack", "A function calls itself without end, or too deeply: the stack is full. Is there a case in which it stops?",
			"Una función se llama a sí misma sin fin o demasiadas veces: la pila está llena. ¿Hay un caso en el que se detiene?")
	case e.Signal == 0:
		return textEnded
	}
	return signalText(e.Signal)
}

func signalText(signal int) validator.Message {
	switch signal {
	case 11, 7:
		return validator.Text("rust.segfault", "The program reached for memory that is not its own (segmentation fault). Look for a null pointer, an index outside of an array, or memory that was freed.",
			"El programa accedió a memoria que no es suya (violación de segmento). Busca un puntero nulo, un índice fuera de un arreglo o memoria ya liberada.")
	case 8:
		return validator.Text("rust.arithmetic", "The program made a calculation that has no result, such as a division by zero.", "El programa hizo un cálculo sin resultado, por ejemplo una división por cero.")
	case 6:
		return validator.Text("rust.aborted", "The program stopped itself (abort): it panicked twice at once, or asked for it.",
			"El programa se detuvo a sí mismo (abort): hubo dos pánicos a la vez, o lo pidió.")
	case 25:
		return validator.Text("rust.file-size", "The program wrote a file larger than it may.", "El programa escribió un archivo más grande de lo permitido.")
	}
	return validator.Text("rust.signal", "The program was ended by the signal {signal}.", "El programa terminó por la señal {signal}.", "signal", strconv.Itoa(signal))
}

func leftOut(name string) validator.Finding {
	return validator.Finding{
		File: name, Rule: "left-out", Severity: validator.SeverityWarning,
		Message: validator.Text("rust.left-out", "{file} was left out, as it is no code of yours to read or would replace what judges.",
			"{file} no se tuvo en cuenta, porque no es código tuyo que se pueda leer o reemplazaría lo que evalúa.", "file", name),
	}
}
