package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// crash is a panic or another error of the runtime.
type crash struct {
	value, stack string
}

var crashLine = regexp.MustCompile(`(?m)^(panic: |fatal error: |runtime: goroutine stack exceeds )`)

// crashIn finds how the process ended in what it printed last.
func crashIn(output string) *crash {
	all := crashLine.FindAllStringIndex(output, -1)
	if all == nil {
		return nil
	}
	at := all[0][0]
	for _, m := range all { // what a submission prints comes before
		if strings.Contains(output[m[0]:], "\ngoroutine ") {
			at = m[0]
		}
	}
	rest := output[at:]
	value, stack, _ := strings.Cut(rest, "\ngoroutine ")
	value = strings.TrimPrefix(strings.TrimPrefix(strings.SplitN(value, "\n", 2)[0], "panic: "), "fatal error: ")
	value = strings.TrimSpace(strings.NewReplacer(" [recovered, repanicked]", "", " [recovered]", "").Replace(value))
	return &crash{value: value, stack: stack}
}

var frameLine = regexp.MustCompile(`(?m)^\t(\S+\.go):(\d+)`)

// withoutCrash is what was printed before the runtime told of a crash, whose
// addresses mean nothing to a learner.
func withoutCrash(output string) string {
	if m := crashLine.FindStringIndex(output); m != nil && strings.Contains(output[m[0]:], "\ngoroutine ") {
		return output[:m[0]]
	}
	return output
}

// place is where in the submission it happened.
func (c *crash) place(l *layout) (file string, line int, text string) {
	for _, m := range frameLine.FindAllStringSubmatch(c.stack, -1) {
		s := l.source(strings.TrimPrefix(m[1], validator.WorkDir+"/"+sourceDir+"/"))
		if s == nil || !s.learner {
			continue
		}
		n, err := strconv.Atoi(m[2])
		if err != nil {
			continue
		}
		return s.path, n, strings.TrimSpace(lineOf(s.content, n))
	}
	return "", 0, ""
}

// crashes are the errors of the runtime that beginners meet.
var crashes = []explanation{
	when("index", `runtime error: index out of range \[(?P<index>-?\d+)\](?: with length (?P<length>\d+))?`,
		"Your code asked for element {index} of something with {length} elements{at}. The first is element 0.",
		"Tu código pidió el elemento {index} de algo con {length} elementos{at}. El primero es el elemento 0."),
	when("slice-bounds", `runtime error: slice bounds out of range (?P<what>.*)`,
		"Your code cut a slice outside of its bounds{at}: {what}", "Tu código cortó un slice fuera de sus límites{at}: {what}"),
	when("nil", `runtime error: invalid memory address or nil pointer dereference`,
		"Your code used a pointer that is nil{at}. Was the value ever made?", "Tu código usó un puntero que es nil{at}. ¿Se creó alguna vez el valor?"),
	when("nil-map", `assignment to entry in nil map`,
		"Your code stored into a map that was never made{at}. Make it first: make(map[…]…).", "Tu código guardó en un mapa que nunca se creó{at}. Créalo antes: make(map[…]…)."),
	when("zero", `runtime error: integer divide by zero`, "Your code divided by 0{at}.", "Tu código dividió entre 0{at}."),
	when("conversion", `interface conversion: (?P<what>.+)`,
		"A value has another type than your code says{at}: {what}. Ask first: v, ok := x.(T).", "Un valor tiene otro tipo del que dice tu código{at}: {what}. Pregunta antes: v, ok := x.(T)."),
	when("recursion", `(?:runtime: goroutine stack exceeds|stack overflow)`,
		"A function calls itself without end{at}. Is there a case in which it stops?", "Una función se llama a sí misma sin fin{at}. ¿Hay un caso en el que se detiene?"),
	when("deadlock", `all goroutines are asleep - deadlock!`,
		"All goroutines wait for each other, so nothing can go on{at}. Does somebody send to, or close, each channel that is read?",
		"Todas las goroutines se esperan unas a otras, así que nada puede continuar{at}. ¿Alguien envía a cada canal que se lee, o lo cierra?"),
	when("map-race", `concurrent map (?P<what>.+)`,
		"Several goroutines changed one map at the same time{at}. Guard it with a sync.Mutex.", "Varias goroutines cambiaron un mapa al mismo tiempo{at}. Protégelo con un sync.Mutex."),
	when("closed-channel", `(?:send on|close of) (?P<what>closed|nil) channel`,
		"A channel was used that is {what}{at}.", "Se usó un canal que está cerrado o es nil{at}."),
	when("wait-group", `sync: negative WaitGroup counter`, "Done was called more often than Add{at}.", "Se llamó a Done más veces que a Add{at}."),
	when("exit", `unexpected call to os\.Exit\(0\) during test`,
		"Your code ended the program with os.Exit{at}; tests need it to go on.", "Tu código terminó el programa con os.Exit{at}; las pruebas necesitan que continúe."),
	when("goexit", `test executed panic\(nil\) or runtime\.Goexit`,
		"Your code ended the goroutine of the test{at}; tests need it to go on.", "Tu código terminó la goroutine de la prueba{at}; las pruebas necesitan que continúe."),
	when("memory", `(?:runtime: out of memory|out of memory|runtime: cannot allocate memory|.*cannot allocate memory).*`,
		"Memory ran out{at}.", "La memoria se agotó{at}."),
	when("panic", `(?P<message>.*)`, "The code panicked{at}: {message}", "El código entró en pánico{at}: {message}"),
}

func (c *crash) message(l *layout) validator.Message {
	file, line, text := c.place(l)
	var en, es string
	if file != "" {
		en = fmt.Sprintf(" (%s, line %d: %s)", file, line, text)
		es = fmt.Sprintf(" (%s, línea %d: %s)", file, line, text)
	}
	for _, e := range crashes {
		match := e.pattern.FindStringSubmatch(c.value)
		if match == nil {
			continue
		}
		params := []any{"at_en", en, "at_es", es}
		for i, name := range e.pattern.SubexpNames() {
			if name != "" {
				params = append(params, name, short(match[i]))
			}
		}
		return validator.Text("go.crash-"+e.rule, strings.ReplaceAll(e.en, "{at}", "{at_en}"), strings.ReplaceAll(e.es, "{at}", "{at_es}"), params...)
	}
	return textEnded
}

// comparisons are how Go's tests say what they expected.
var comparisons = []*regexp.Regexp{
	regexp.MustCompile(`(?i)^(?:.*[^\w])?(?:got|actual|received|returned|=)\s*[:=]?\s*(?P<actual>.+?)\s*[,;:.]?\s*[(\[]?\b(?:want|wanted|expected|expecting|but want|but expected)\b(?:\s+was)?\s*[:=]?\s*(?P<expected>.+)$`),
	regexp.MustCompile(`(?i)^(?:.*[^\w])?(?:want|wanted|expected|expecting)\s*[:=]?\s*(?P<expected>.+?)\s*[,;:.]?\s*[(\[]?\b(?:but got|got|actual|received|was)\b\s*[:=]?\s*(?P<actual>.+)$`),
}

// compared finds expected and actual value in a failure's first line, if it
// says them.
func compared(text string) (expected, actual string) {
	text, _, _ = strings.Cut(text, "\n")
	for _, c := range comparisons {
		if m := c.FindStringSubmatch(text); m != nil {
			return closed(m[c.SubexpIndex("expected")]), closed(m[c.SubexpIndex("actual")])
		}
	}
	return "", ""
}

// closed takes a bracket off that was opened before the value.
func closed(s string) string {
	s = strings.TrimSpace(s)
	for _, pair := range []string{"()", "[]"} {
		if strings.HasSuffix(s, pair[1:]) && strings.Count(s, pair[:1]) < strings.Count(s, pair[1:]) {
			s = strings.TrimSpace(s[:len(s)-1])
		}
	}
	return s
}

var logLine = regexp.MustCompile(`(?m)^ {4}(?:\s*)(\S+\.go):(\d+): `)

// failureText is what a test logged, without places and indents.
func failureText(log string) string {
	log = logLine.ReplaceAllString(log, "\x00")
	var out []string
	for line := range strings.SplitSeq(strings.TrimRight(log, "\n"), "\n") {
		line = strings.TrimPrefix(line, "\x00")
		line = strings.TrimPrefix(strings.TrimPrefix(line, "    "), "    ")
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}
