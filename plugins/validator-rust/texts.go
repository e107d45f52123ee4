package main

import (
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/sdk/validator"
)

var textEnded = validator.Text("rust.ended", "The program ended before this test had reported. Does your code call std::process::exit?",
	"El programa terminó antes de que esta prueba informara. ¿Tu código llama a std::process::exit?")

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
	return words.Signal(signal, validator.Text("rust.aborted", "The program stopped itself (abort): it panicked twice at once, or asked for it.",
		"El programa se detuvo a sí mismo (abort): hubo dos pánicos a la vez, o lo pidió."))
}
