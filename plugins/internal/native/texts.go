package native

import (
	"strconv"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// Compiles is said of code that has no tests and can't be run.
func (l Language) Compiles() validator.Message {
	return l.Text("compiles",
		"Your code compiles. The task has no tests and the code has no main, so nothing more is proven.",
		"Tu código compila. La tarea no tiene pruebas y el código no tiene main, así que no se demuestra nada más.")
}

// Skipped is said of a test that was left out.
func (l Language) Skipped() validator.Message { return l.Text("skipped", "Skipped.", "Omitida.") }

// NotReached is said of a test that never began.
func (l Language) NotReached() validator.Message {
	return l.Text("not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
}

// Unreported is said of a test without a result when nothing explains it.
func (l Language) Unreported() validator.Message {
	return l.Text("unreported", "This test did not report.", "Esta prueba no informó de su resultado.")
}

// TestLimit says which limit a test met; empty for other verdicts.
func (l Language) TestLimit(v validator.Verdict) validator.Message {
	switch v {
	case validator.TimedOut:
		return l.Text("ran-too-long", "Time ran out during this test. Is there a loop that never ends?", "El tiempo se agotó durante esta prueba. ¿Hay un bucle que nunca termina?")
	case validator.OutOfMemory:
		return l.Text("memory", "Memory ran out during this test.", "La memoria se agotó durante esta prueba.")
	case validator.OutputLimit:
		return l.Text("output", "Your program printed too much during this test.", "Tu programa imprimió demasiado durante esta prueba.")
	default:
	}
	return validator.Message{}
}

// LimitSummary says which limit ended the program; empty for other verdicts.
func (l Language) LimitSummary(v validator.Verdict) validator.Message {
	switch v {
	case validator.TimedOut:
		return l.Text("timed-out", "Your program took too long and was stopped.", "Tu programa tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return l.Text("out-of-memory", "Your program used more memory than it may.", "Tu programa usó más memoria de la permitida.")
	case validator.OutputLimit:
		return l.Text("output-limit", "Your program printed more than it may.", "Tu programa imprimió más de lo permitido.")
	case validator.Unproven:
		return l.Text("all-skipped", "All tests were skipped, so nothing is proven.", "Se omitieron todas las pruebas, así que no se demuestra nada.")
	default:
	}
	return validator.Message{}
}

// Summary says how many of a report's tests passed, or what ended them.
func (l Language) Summary(r *validator.Report) validator.Message {
	if m := l.LimitSummary(r.Verdict); !m.IsZero() {
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
		return l.Text("killed", "Your program ended before the tests could report.", "Tu programa terminó antes de que las pruebas pudieran informar.")
	}
	return l.Text("passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", all)
}

// Signal says what a signal means that ended the program. What makes a program
// abort differs between languages, so each tells of that one itself.
func (l Language) Signal(signal int, aborted validator.Message) validator.Message {
	switch signal {
	case 11, 7:
		return l.Text("segfault", "The program reached for memory that is not its own (segmentation fault). Look for a null pointer, an index outside of an array, or memory that was freed.",
			"El programa accedió a memoria que no es suya (violación de segmento). Busca un puntero nulo, un índice fuera de un arreglo o memoria ya liberada.")
	case 8:
		return l.Text("arithmetic", "The program made a calculation that has no result, such as a division by zero.", "El programa hizo un cálculo sin resultado, por ejemplo una división por cero.")
	case 6:
		return aborted
	case 25:
		return l.Text("file-size", "The program wrote a file larger than it may.", "El programa escribió un archivo más grande de lo permitido.")
	}
	return l.Text("signal", "The program was ended by the signal {signal}.", "El programa terminó por la señal {signal}.", "signal", strconv.Itoa(signal))
}

// LeftOut is the finding about a submitted file that takes no part.
func (l Language) LeftOut(name string) validator.Finding {
	return validator.Finding{
		File: name, Rule: "left-out", Severity: validator.SeverityWarning,
		Message: l.Text("left-out", "{file} was left out, as it is no code of yours to read or would replace what judges.",
			"{file} no se tuvo en cuenta, porque no es código tuyo que se pueda leer o reemplazaría lo que evalúa.", "file", name),
	}
}
