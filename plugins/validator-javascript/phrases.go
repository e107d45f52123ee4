package main

import "strings"

// phrases are what checks say that they expected or got, in front of a value or
// alone. The values themselves are JavaScript's and have no language.
var phrases = [][2]string{
	{"anything but ", "cualquier cosa menos "}, {"not ", "no "},
	{"a number ", "un número "}, {"an object with ", "un objeto con "},
	{"a truthy value", "un valor verdadero"}, {"a falsy value", "un valor falso"}, {"a defined value", "un valor definido"}, {"null or undefined", "null o undefined"},
	{"an instance of ", "una instancia de "}, {"no instance of ", "ninguna instancia de "}, {"a value of type ", "un valor de tipo "},
	{"one of ", "uno de "}, {"a value that satisfies ", "un valor que cumpla "}, {"it to contain ", "que contuviera "}, {"length ", "longitud "},
	{"a text that matches ", "un texto que coincida con "}, {"a property ", "una propiedad "}, {"no property ", "ninguna propiedad "},
	{"an exception that says ", "una excepción que diga "}, {"an exception that matches ", "una excepción que coincida con "},
	{"an exception of class ", "una excepción de la clase "}, {"an exception", "una excepción"}, {"no exception", "ninguna excepción"},
	{"a call with ", "una llamada con "}, {"a call that returns ", "una llamada que devuelva "}, {"a call that returns", "una llamada que devuelva algo"}, {"a call", "una llamada"},
	{"one call, with ", "una llamada, con "}, {"one call", "una llamada"}, {"a last call with ", "una última llamada con "}, {"a last call that returns ", "una última llamada que devuelva "},
	{"call ", "la llamada "}, {"a mock function", "una función simulada"}, {"a function that is called by expect", "una función que expect llame"},
	{"a rejected promise", "una promesa rechazada"}, {"a resolved promise", "una promesa resuelta"}, {"rejected: ", "rechazada: "}, {"resolved: ", "resuelta: "},
	{"a snapshot", "una instantánea"},
}

// spanish says a phrase of a check in Spanish; what is a value stays as it is.
func spanish(s string) string {
	for _, p := range phrases {
		if rest, ok := strings.CutPrefix(s, p[0]); ok {
			if p[0] == "not " {
				rest = spanish(rest)
			}
			return p[1] + rest
		}
	}
	if n, rest, ok := strings.Cut(s, " "); ok && n != "" && strings.Trim(n, "0123456789") == "" {
		for _, p := range [][2]string{{"calls", "llamadas"}, {"checks", "comprobaciones"}} {
			if tail, ok := strings.CutPrefix(rest, p[0]); ok {
				return n + " " + p[1] + tail
			}
		}
	}
	return s
}
