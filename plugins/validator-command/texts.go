package main

import (
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

var (
	summaryUnproven = validator.Text("command.unproven", "The task has no tests, so nothing is proven.", "La tarea no tiene pruebas, así que no se demuestra nada.")
	textNotReached  = validator.Text("command.not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
	textTooLong     = validator.Text("command.ran-too-long", "Time ran out. Is there a loop that never ends, or input that is read where there is none?", "El tiempo se agotó. ¿Hay un bucle que nunca termina, o se lee una entrada que no existe?")
	textMemory      = validator.Text("command.memory", "Memory ran out.", "La memoria se agotó.")
	textOutput      = validator.Text("command.output", "Your program printed too much.", "Tu programa imprimió demasiado.")
	textFailed      = validator.Text("command.failed", "The test failed.", "La prueba falló.")
	textUnreported  = validator.Text("command.unreported", "This test did not report. Did your code end the program?", "Esta prueba no informó de su resultado. ¿Tu código terminó el programa?")
	textSkipped     = validator.Text("command.skipped", "This test was skipped, and the task needs it to pass.", "Esta prueba se omitió, y la tarea necesita que pase.")
	textTwice       = validator.Text("command.twice", "This test reported twice, so nobody knows which of the two is right.", "Esta prueba informó dos veces, así que no se sabe cuál de las dos es correcta.")
	textForged      = validator.Text("command.forged", "The report was not written by the task's tests.", "El informe no lo escribieron las pruebas de la tarea.")
)

func summary(r *validator.Report) validator.Message {
	var passed, all int
	for i := range r.Tests {
		switch r.Tests[i].Status {
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
		return validator.Text("command.timed-out", "Your program took too long and was stopped.", "Tu programa tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return validator.Text("command.out-of-memory", "Your program used more memory than it may.", "Tu programa usó más memoria de la permitida.")
	case validator.OutputLimit:
		return validator.Text("command.output-limit", "Your program printed more than it may.", "Tu programa imprimió más de lo permitido.")
	case validator.Unproven:
		return validator.Text("command.all-skipped", "No test ran, so nothing is proven.", "No se ejecutó ninguna prueba, así que no se demuestra nada.")
	default:
	}
	if r.Integrity == validator.IntegrityShared {
		return validator.Text("command.passed-of-shared", "{passed} of {all} tests passed, as the tests say that share their process with your code.",
			"Pasaron {passed} de {all} pruebas, según las pruebas que comparten proceso con tu código.", "passed", passed, "all", all)
	}
	return validator.Text("command.passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", all)
}

func nothing(l *language) validator.Message {
	return validator.Text("command.nothing", "There is no file to judge: submit one that ends with {extensions}.", "No hay ningún archivo que evaluar: envía uno que termine en {extensions}.",
		"extensions", strings.Join(l.Extensions, ", "))
}

func invalid(r *validator.Report) validator.Message {
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Severity == validator.SeverityError {
			return validator.Text("command.invalid-at", "{file} can't be read or built yet: see line {line}.", "{file} todavía no se puede leer o compilar: mira la línea {line}.", "file", f.File, "line", f.Line)
		}
	}
	return validator.Text("command.invalid", "Your code can't be read or built yet; the output says why.", "Tu código todavía no se puede leer o compilar; la salida dice por qué.")
}

func noEntry(l *layout) validator.Message {
	return validator.Text("command.no-entry", "There is no file {file} to run. Is yours named as the task says?", "No hay ningún archivo {file} que ejecutar. ¿El tuyo se llama como dice la tarea?", "file", or(l.opts.Entry, l.lang.DefaultFile))
}

func leftOut(name string) validator.Finding {
	return validator.Finding{File: name, Rule: "left-out", Severity: validator.SeverityWarning, Message: validator.Text("command.left-out",
		"{file} was left out, as its name is in the way of what judges.", "{file} no se tuvo en cuenta, porque su nombre interfiere con lo que evalúa.", "file", name)}
}

func killed(signal int) validator.Message {
	return validator.Text("command.killed", "Your program was ended by signal {signal}.", "Tu programa terminó por la señal {signal}.", "signal", signal)
}

func exitCode(want, got int, said string, hidden bool) validator.Message {
	if said == "" || hidden {
		return validator.Text("command.exit-code", "Your program ended with exit code {got}, not {want}.", "Tu programa terminó con el código de salida {got}, no {want}.", "got", got, "want", want)
	}
	return validator.Text("command.exit-code-said", "Your program ended with exit code {got}, not {want}. It said: {said}", "Tu programa terminó con el código de salida {got}, no {want}. Dijo: {said}", "got", got, "want", want, "said", said)
}

func unreadable(err error) validator.Message {
	return validator.Text("command.unreadable", "The report of the tests is not whole: {error}. Did your code end the program, or print into the report?",
		"El informe de las pruebas no está completo: {error}. ¿Tu código terminó el programa o escribió en el informe?", "error", err)
}

func stopped(why string) validator.Message {
	return validator.Text("command.stopped", "The tests gave up: {why}", "Las pruebas se detuvieron: {why}", "why", why)
}

func endedBadly(code int) validator.Message {
	return validator.Text("command.ended-badly", "The tests ended with exit code {code}, although none of them says that it failed.", "Las pruebas terminaron con el código de salida {code}, aunque ninguna dice haber fallado.", "code", code)
}

func otherCount(want, got int) validator.Message {
	return validator.Text("command.other-count", "{got} tests reported; the task has {want}.", "Informaron {got} pruebas; la tarea tiene {want}.", "got", got, "want", want)
}
