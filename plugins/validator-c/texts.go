package main

import (
	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/sdk/validator"
)

var (
	textJumped = validator.Text("c.jumped", "The test was left before its end, by a jump that no check made.", "La prueba se abandonó antes de su final, con un salto que ninguna comprobación hizo.")
	textEnded  = validator.Text("c.ended", "The program ended before this test had reported. Does your code call exit?",
		"El programa terminó antes de que esta prueba informara. ¿Tu código llama a exit?")
)

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
	return words.Signal(signal, validator.Text("c.aborted", "The program stopped itself (abort): an assert failed, an exception was caught by nobody, or memory was misused.",
		"El programa se detuvo a sí mismo (abort): falló un assert, nadie atrapó una excepción o se usó mal la memoria."))
}
