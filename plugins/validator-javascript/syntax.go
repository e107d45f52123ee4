package main

import (
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// mistake is a common one that a beginner makes, and its sentence.
type mistake struct {
	rule    string
	message *regexp.Regexp
	line    *regexp.Regexp // of the source; nil matches any
	en, es  string
}

func rx(s string) *regexp.Regexp { return regexp.MustCompile(s) }

// mistakes are tried in order; the last fits all.
var mistakes = []mistake{
	{"curly-quotes", rx(`Invalid or unexpected token`), rx(`[“”‘’]`),
		"These are quotes of a word processor; write straight ones: \" or '.", "Estas son comillas de un procesador de textos; escribe comillas rectas: \" o '."},
	{"unclosed-string", rx(`Invalid or unexpected token`), rx("[\"']"),
		"A text begins with a quote here and does not end with one on the same line.", "Aquí un texto empieza con comillas y no termina con ellas en la misma línea."},
	{"unclosed-template", rx(`Unterminated template`), nil,
		"A text begins with a backtick (`) and does not end with one.", "Un texto empieza con un acento grave (`) y no termina con él."},
	{"unclosed-regex", rx(`Invalid regular expression`), nil,
		"This pattern between slashes is not complete or not valid: {message}.", "Este patrón entre barras no está completo o no es válido: {message}."},
	{"odd-character", rx(`Invalid or unexpected token`), nil,
		"There is a character here that JavaScript does not know; delete it and type it again.", "Aquí hay un carácter que JavaScript no conoce; bórralo y escríbelo de nuevo."},
	{"unclosed-block", rx(`Unexpected end of input`), nil,
		"The file ends too early: a { or ( that was opened is never closed.", "El archivo termina demasiado pronto: hay una { o ( abierta que nunca se cierra."},
	{"missing-parenthesis", rx(`missing \) after`), nil,
		"A closing parenthesis ) or a comma is missing here.", "Aquí falta un paréntesis de cierre ) o una coma."},
	{"unmatched-bracket", rx(`Unexpected token '[)\]}]'`), nil,
		"This closing bracket does not fit here: one too many, or something before it is missing.", "Este cierre no encaja aquí: sobra, o falta algo antes."},
	{"assignment-to-constant", rx(`Invalid left-hand side|Assignment to constant`), nil,
		"One = sets a value, and what stands on its left can't take one; to compare two values, write ===.", "Un solo = asigna un valor, y lo que está a su izquierda no puede recibirlo; para comparar dos valores, escribe ===."},
	{"declared-twice", rx(`has already been declared`), nil,
		"This name is declared twice; leave out let or const the second time, or choose another name.", "Este nombre se declara dos veces; quita let o const la segunda vez, o elige otro nombre."},
	{"const-without-value", rx(`Missing initializer in const`), nil,
		"A const needs its value at once; write = and the value, or use let.", "Una const necesita su valor de inmediato; escribe = y el valor, o usa let."},
	{"await-outside", rx(`await is only valid`), nil,
		"await only has a meaning in a function that is marked async.", "await solo tiene sentido en una función marcada con async."},
	{"return-outside", rx(`Illegal return`), nil,
		"return only has a meaning inside of a function. Is there a } too many before it?", "return solo tiene sentido dentro de una función. ¿Sobra una } antes?"},
	{"break-outside", rx(`Illegal (break|continue)`), nil,
		"break and continue only have a meaning inside of a loop.", "break y continue solo tienen sentido dentro de un bucle."},
	{"reserved-word", rx(`Unexpected (strict mode )?reserved word|Unexpected eval or arguments`), nil,
		"This name is one of JavaScript's own words; choose another.", "Este nombre es una palabra propia de JavaScript; elige otro."},
	{"missing-condition", rx(`Unexpected token '\{'`), rx(`\b(if|while|for|function)\b`),
		"Something is missing before this {: parentheses ( ) belong around a condition or parameters.", "Falta algo antes de esta {: la condición o los parámetros van entre paréntesis ( )."},
	{"misspelled", rx(`Unexpected identifier`), nil,
		"This word does not belong here: is the word before it misspelled, or a comma, an operator or a quote missing?", "Esta palabra no va aquí: ¿la palabra anterior está mal escrita, o falta una coma, un operador o unas comillas?"},
	{"unexpected-end-of-line", rx(`Unexpected token ';'`), nil,
		"Something is missing before this semicolon, such as a value.", "Falta algo antes de este punto y coma, por ejemplo un valor."},
	{"unexpected-token", rx(`Unexpected token`), nil,
		"JavaScript does not expect this here: {message}. Look at what comes right before it.", "JavaScript no espera esto aquí: {message}. Mira lo que hay justo antes."},
	{"syntax", rx(``), nil,
		"JavaScript does not understand this line: {message}.", "JavaScript no entiende esta línea: {message}."},
}

func syntaxFinding(e *syntaxError, sub *validator.Submission) validator.Finding {
	text := e.Text
	if l := sourceLine(sub, e.File, e.Line); l != "" {
		text = l
	}
	column := points(text, e.Column)
	f := validator.Finding{
		File: e.File, Line: e.Line, Column: column, Severity: validator.SeverityError, Excerpt: excerpt(text, column),
	}
	for _, m := range mistakes {
		if m.rule == "unclosed-string" && !strings.ContainsAny(at(text, column), `"'`) {
			continue
		}
		if m.message.MatchString(e.Message) && (m.line == nil || m.line.MatchString(text)) {
			f.Rule = m.rule
			f.Message = validator.Text("js.syntax."+m.rule, m.en, m.es, "message", strings.TrimSuffix(e.Message, "."))
			return f
		}
	}
	return f
}

// at is the character at a column, or "".
func at(line string, column int) string {
	if runes := []rune(line); column >= 1 && column <= len(runes) {
		return string(runes[column-1])
	}
	return ""
}

func syntaxSummary(e *syntaxError) validator.Message {
	if e.Line == 0 {
		return validator.Text("js.syntax", "JavaScript can't read {file} yet.", "JavaScript todavía no puede leer {file}.", "file", e.File)
	}
	return validator.Text("js.syntax", "JavaScript can't read {file} yet: see line {line}.", "JavaScript todavía no puede leer {file}: mira la línea {line}.", "file", e.File, "line", e.Line)
}

// points turns a column in UTF-16 units, as JavaScript counts, into code points.
func points(line string, column int) int {
	units := 0
	n := 1
	for _, r := range line {
		if units >= column-1 {
			break
		}
		units += max(1, utf16.RuneLen(r))
		n++
	}
	if column < 1 {
		return 0
	}
	return n
}

// sourceLine returns a line of a submitted file, counted from 1, or "".
func sourceLine(sub *validator.Submission, name string, line int) string {
	f := sub.File(name)
	if f == nil || line < 1 {
		return ""
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(f.Content), "\ufeff"))
	lines := strings.Split(text, "\n")
	if line > len(lines) {
		return ""
	}
	return lines[line-1]
}

// excerpt is the line with a caret under the column, which counts code points.
func excerpt(line string, column int) string {
	runes := []rune(strings.TrimRight(line, " \t\r\n"))
	if len(runes) == 0 {
		return ""
	}
	const width = 120
	start := 0
	if column-1 > width {
		start = min(column-1-width/2, len(runes))
	}
	end := min(start+width, len(runes))
	out := string(runes[start:end])
	if column < 1 || column-1 > len(runes) {
		return out
	}
	var pad strings.Builder
	for _, r := range runes[start : column-1] {
		if r == '\t' {
			pad.WriteRune('\t')
		} else {
			pad.WriteRune(' ')
		}
	}
	return out + "\n" + pad.String() + "^"
}
