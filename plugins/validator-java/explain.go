package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// short is a value that fits into a sentence.
func short(s string) string {
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:200]) + " …"
	}
	return s
}

func (f *failure) values() (expected, actual string) {
	for i := range f.Failures {
		if e, a := f.Failures[i].values(); e != "" || a != "" {
			return e, a
		}
	}
	if f.Expected != nil {
		expected = *f.Expected
	}
	if f.Actual != nil {
		actual = *f.Actual
	}
	return expected, actual
}

// texter makes a message that may use the failure's own parts.
type texter func(id, en, es string, params ...any) validator.Message

// explain says in words what an exception means.
func explain(f *failure) validator.Message {
	if f == nil {
		return validator.Text("java.failed", "The test failed.", "La prueba falló.")
	}
	var atEN, atES string
	if f.Learner != nil {
		atEN = fmt.Sprintf(" (%s, line %d: %s)", f.Learner.File, f.Learner.Line, f.Learner.Text)
		atES = fmt.Sprintf(" (%s, línea %d: %s)", f.Learner.File, f.Learner.Line, f.Learner.Text)
	}
	name := f.Type[strings.LastIndex(f.Type, ".")+1:]
	text := func(id, en, es string, params ...any) validator.Message {
		return validator.Text("java."+id, en, es, append(params, "message", short(f.Message), "type", name, "at_en", atEN, "at_es", atES)...)
	}
	if f.Class == "exit" {
		return text("exit", "Your code ends the program with System.exit{at_en}, so the test could not go on.", "Tu código termina el programa con System.exit{at_es}, así que la prueba no pudo continuar.")
	}
	if f.Type == "too many threads" {
		return text("threads", "The program started more threads than it may, and the tests ended there.", "El programa inició más hilos de los permitidos, y las pruebas terminaron ahí.")
	}
	if f.Class == "check" {
		return explainCheck(f, text)
	}
	if m, ok := explainBuiltin(f, text); ok {
		return m
	}
	said := ""
	if f.Message != "" {
		said = ": " + short(f.Message)
	}
	if f.Learner == nil {
		return text("raised-in-test", "The test threw {type}{said}", "La prueba lanzó {type}{said}", "said", said)
	}
	return text("raised", "Your code threw {type}{at_en}{said}", "Tu código lanzó {type}{at_es}{said}", "said", said)
}

var (
	nothingThrown = regexp.MustCompile(`^(?:(?s:(.*)) ==> )?Expected (\S+) to be thrown, but nothing was thrown`)
	expectingCode = regexp.MustCompile(`Expecting code to raise a throwable`)
	before        = regexp.MustCompile(`^(?s:(.+?)) ==> `)
	arrayAt       = regexp.MustCompile(`contents differ at index (\S+?),`)
	description   = regexp.MustCompile(`^\[(?s:(.+?))\] ?\n`)
	ranOver       = regexp.MustCompile(`(?:timed out after|execution exceeded timeout of) (.+?)(?: by|$)`)
)

// explainCheck explains what a test has checked.
func explainCheck(f *failure, text texter) validator.Message {
	if len(f.Failures) > 0 {
		first := explain(&f.Failures[0])
		return text("several", "{n} checks failed. The first: {first_en}", "Fallaron {n} comprobaciones. La primera: {first_es}", "n", len(f.Failures), "first_en", first.In("en"), "first_es", first.In("es"))
	}
	said := ""
	for _, r := range []*regexp.Regexp{before, description} {
		if m := r.FindStringSubmatch(f.Message); m != nil {
			said = "\n" + short(m[1])
		}
	}
	if m := nothingThrown.FindStringSubmatch(f.Message); m != nil {
		return text("nothing-thrown", "The test expected the exception {name}, but none was thrown.{said}", "La prueba esperaba la excepción {name}, pero no se lanzó ninguna.{said}", "name", m[2][strings.LastIndex(m[2], ".")+1:], "said", said)
	}
	if expectingCode.MatchString(f.Message) {
		return text("nothing-thrown-at-all", "The test expected an exception, but none was thrown.", "La prueba esperaba una excepción, pero no se lanzó ninguna.")
	}
	if m := ranOver.FindStringSubmatch(f.Message); m != nil {
		return text("test-timeout", "The test took longer than {limit}. Is there a loop that never ends?", "La prueba tardó más de {limit}. ¿Hay un bucle que nunca termina?", "limit", m[1])
	}
	if f.Expected != nil && f.Actual != nil && *f.Expected != *f.Actual {
		at, en, es := arrayAt.FindStringSubmatch(f.Message), "", ""
		if at != nil {
			en, es = " at index "+at[1], " en el índice "+at[1]
		}
		return text("compared", "The test expected {expected}{in_en}, but got {actual}.{said}", "La prueba esperaba {expected}{in_es}, pero obtuvo {actual}.{said}",
			"expected", short(*f.Expected), "actual", short(*f.Actual), "said", said, "in_en", en, "in_es", es)
	}
	if f.Expected != nil && f.Actual != nil {
		return text("looks-alike", "The test expected {expected}, but got another value that only looks the same.{said}", "La prueba esperaba {expected}, pero obtuvo otro valor que solo parece igual.{said}", "expected", short(*f.Expected), "said", said)
	}
	if strings.TrimSpace(f.Message) == "" {
		line := 0
		if f.Test != nil {
			line = f.Test.Line
		}
		return text("asserted", "A check of the test was not true (line {line} of the test).", "Una comprobación de la prueba no se cumplió (línea {line} de la prueba).", "line", line)
	}
	return validator.Text("java.asserted-message", "The test failed: {message}", "La prueba falló: {message}", "message", strings.TrimSpace(f.Message))
}

// builtin are the JDK's exceptions, each with what it means to a beginner.
var builtin = map[string]sentence{
	"java.lang.NullPointerException":            {"null", "A variable is null where an object was needed{at_en}: {message}", "Una variable es null donde se necesitaba un objeto{at_es}: {message}"},
	"java.lang.StackOverflowError":              {"recursion", "A method calls itself without end{at_en}. Is there a case in which it stops?", "Un método se llama a sí mismo sin fin{at_es}. ¿Hay un caso en el que se detiene?"},
	"java.lang.ArrayIndexOutOfBoundsException":  {"index", "An index is outside of the array{at_en}: {message}. Indexes begin at 0.", "Un índice está fuera del arreglo{at_es}: {message}. Los índices empiezan en 0."},
	"java.lang.IndexOutOfBoundsException":       {"index", "An index is outside of the list{at_en}: {message}. Indexes begin at 0.", "Un índice está fuera de la lista{at_es}: {message}. Los índices empiezan en 0."},
	"java.lang.StringIndexOutOfBoundsException": {"index", "An index is outside of the text{at_en}: {message}. Indexes begin at 0.", "Un índice está fuera del texto{at_es}: {message}. Los índices empiezan en 0."},
	"java.lang.ClassCastException":              {"cast", "An object is not of the class that it is cast to{at_en}: {message}", "Un objeto no es de la clase a la que se convierte{at_es}: {message}"},
	"java.lang.NumberFormatException":           {"number-format", "A text is no number{at_en}: {message}", "Un texto no es un número{at_es}: {message}"},
	"java.util.ConcurrentModificationException": {"changed-in-loop", "A collection was changed while a loop went over it{at_en}.", "Se modificó una colección mientras un bucle la recorría{at_es}."},
	"java.util.NoSuchElementException":          {"no-element", "Something was taken from where nothing is left{at_en}: {message}", "Se tomó algo de donde no queda nada{at_es}: {message}"},
	"java.lang.ArrayStoreException":             {"array-store", "An object was put into an array of another type{at_en}: {message}", "Se puso un objeto en un arreglo de otro tipo{at_es}: {message}"},
	"java.lang.NegativeArraySizeException":      {"array-size", "An array was made with a size below 0{at_en}: {message}", "Se creó un arreglo con un tamaño menor que 0{at_es}: {message}"},
	"java.util.InputMismatchException":          {"input", "The input is not of the kind that was read{at_en}: {message}", "La entrada no es del tipo que se leyó{at_es}: {message}"},
	"java.io.FileNotFoundException":             {"no-file", "There is no such file{at_en}: {message}", "No existe ese archivo{at_es}: {message}"},
	"java.nio.file.NoSuchFileException":         {"no-file", "There is no such file{at_en}: {message}", "No existe ese archivo{at_es}: {message}"},
	"java.lang.OutOfMemoryError":                {"heap", "Memory ran out{at_en}.", "La memoria se agotó{at_es}."},
	"java.lang.SecurityException":               {"not-allowed", "Your code does something that is not allowed when it is judged{at_en}: {message}", "Tu código hace algo que no se permite al evaluarlo{at_es}: {message}"},
	"java.util.concurrent.TimeoutException":     {"test-timed-out", "The test took too long: {message}", "La prueba tardó demasiado: {message}"},
	"java.lang.UnsupportedOperationException":   {"unsupported", "An operation is not supported{at_en}. Is it not written yet, or a list that can't be changed? {message}", "Una operación no es posible{at_es}. ¿Aún no está escrita, o es una lista que no se puede modificar? {message}"},
	"java.lang.NoClassDefFoundError":            {"no-class", "A class could not be loaded{at_en}: {message}", "No se pudo cargar una clase{at_es}: {message}"},
	"java.lang.ArithmeticException":             {"arithmetic", "A calculation is not possible{at_en}: {message}", "Un cálculo no es posible{at_es}: {message}"},
}

// explainBuiltin explains exceptions of the language itself, where the learner's
// code threw them.
func explainBuiltin(f *failure, text texter) (validator.Message, bool) {
	s, ok := builtin[f.Type]
	if !ok || f.Learner == nil && f.Type != "java.lang.OutOfMemoryError" && f.Type != "java.util.concurrent.TimeoutException" {
		return validator.Message{}, false
	}
	return text(s.id, strings.TrimSuffix(s.en, ": {message}")+colon(s.en, f.Message), strings.TrimSuffix(s.es, ": {message}")+colon(s.es, f.Message)), true
}

// colon keeps the part for the message when there is one.
func colon(text, message string) string {
	if strings.HasSuffix(text, ": {message}") && message != "" {
		return ": {message}"
	}
	return ""
}
