package main

import (
	"regexp"
	"strings"

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
	{"print-statement", rx(`Missing parentheses in call to 'print'`), nil,
		"print needs parentheses: print(…). This line is Python 2.", "print necesita paréntesis: print(…). Esta línea es de Python 2."},
	{"exec-statement", rx(`Missing parentheses in call`), nil,
		"This call needs parentheses.", "Esta llamada necesita paréntesis."},
	{"assignment-for-comparison", rx(`Maybe you meant '=='|cannot assign to .* here`), nil,
		"One = sets a value; to compare two values, write ==.", "Un solo = asigna un valor; para comparar dos valores, escribe ==."},
	{"assignment-for-comparison", rx(`invalid syntax`), rx(`^\s*(if|elif|while)\b[^=!<>]*[^=!<>:]=[^=]`),
		"One = sets a value; to compare two values, write ==.", "Un solo = asigna un valor; para comparar dos valores, escribe ==."},
	{"missing-colon", rx(`expected ':'`), nil,
		"A colon (:) is missing at the end of this line.", "Faltan los dos puntos (:) al final de esta línea."},
	{"unclosed-bracket", rx(`'(.)' was never closed`), nil,
		"A bracket is opened here and never closed.", "Aquí se abre un paréntesis, corchete o llave que nunca se cierra."},
	{"unmatched-bracket", rx(`unmatched '(.)'|closing parenthesis .* does not match`), nil,
		"This closing bracket does not belong to one that was opened.", "Este cierre no corresponde a ningún paréntesis, corchete o llave abierto."},
	{"expected-indent", rx(`expected an indented block`), nil,
		"The lines that belong to the one above with the colon must be indented: put four spaces before them.", "Las líneas que pertenecen a la anterior con dos puntos deben ir con sangría: pon cuatro espacios delante."},
	{"unexpected-indent", rx(`unexpected indent`), nil,
		"This line has more spaces at its beginning than the lines around it.", "Esta línea tiene más espacios al principio que las líneas de alrededor."},
	{"inconsistent-indent", rx(`unindent does not match`), nil,
		"The spaces at the beginning of this line fit none of the lines above it.", "Los espacios al principio de esta línea no coinciden con ninguna de las líneas anteriores."},
	{"mixed-tabs", rx(`inconsistent use of tabs`), nil,
		"Tabs and spaces are mixed; use four spaces everywhere.", "Hay tabuladores y espacios mezclados; usa cuatro espacios en todas partes."},
	{"unclosed-string", rx(`unterminated (triple-quoted |f-)?string|EOL while scanning`), nil,
		"A text begins with a quote here and does not end with one.", "Aquí un texto empieza con comillas y no termina con ellas."},
	{"curly-quotes", rx(`invalid character '[“”‘’]'`), nil,
		"These are quotes of a word processor; write straight ones: \" or '.", "Estas son comillas de un procesador de textos; escribe comillas rectas: \" o '."},
	{"odd-character", rx(`invalid (non-printable )?character`), nil,
		"There is a character here that Python does not know; delete it and type it again.", "Aquí hay un carácter que Python no conoce; bórralo y escríbelo de nuevo."},
	{"missing-comma", rx(`Perhaps you forgot a comma`), nil,
		"A comma may be missing between two values.", "Puede faltar una coma entre dos valores."},
	{"return-outside", rx(`'return' outside function`), nil,
		"return only has a meaning inside of a function. Is the line indented as the function's others?", "return solo tiene sentido dentro de una función. ¿La línea tiene la misma sangría que las demás de la función?"},
	{"break-outside", rx(`'break' outside loop|'continue' not properly in loop`), nil,
		"break and continue only have a meaning inside of a loop.", "break y continue solo tienen sentido dentro de un bucle."},
	{"reserved-word", rx(`invalid syntax`), rx(`^\s*(class|def|if|for|while|return|import|from|lambda|pass|None|True|False|and|or|not|in|is)\s*=`),
		"This name is one of Python's own words; choose another.", "Este nombre es una palabra propia de Python; elige otro."},
	{"increment", rx(`invalid syntax`), rx(`(\+\+|--)\s*$`),
		"Python has no ++ and --; write x += 1 or x -= 1.", "Python no tiene ++ ni --; escribe x += 1 o x -= 1."},
	{"not-text", rx(`null bytes|unicode error|codec can't decode|utf-8`), nil,
		"This file is not plain text; save it as UTF-8.", "Este archivo no es texto; guárdalo como UTF-8."},
	{"too-deep", rx(`too many nested|recursion|too complex|MemoryError`), nil,
		"The code is nested too deeply.", "El código tiene demasiados niveles anidados."},
	{"syntax", rx(``), nil,
		"Python does not understand this line: {message}.", "Python no entiende esta línea: {message}."},
}

func syntaxFinding(e *syntaxError, sub *validator.Submission) validator.Finding {
	text := e.Text
	if l := sourceLine(sub, e.File, e.Line); l != "" {
		text = l
	}
	f := validator.Finding{
		File: e.File, Line: e.Line, Column: max(e.Column, 0), EndLine: max(e.EndLine, 0), EndColumn: max(e.EndColumn, 0),
		Severity: validator.SeverityError, Excerpt: excerpt(text, e.Column),
	}
	for _, m := range mistakes {
		if m.message.MatchString(e.Message) && (m.line == nil || m.line.MatchString(text)) {
			f.Rule = m.rule
			f.Message = validator.Text("python.syntax."+m.rule, m.en, m.es, "message", strings.TrimSuffix(e.Message, "."))
			return f
		}
	}
	return f
}

// sourceLine returns a line of a submitted file, counted from 1, or "".
func sourceLine(sub *validator.Submission, name string, line int) string {
	f := sub.File(name)
	if f == nil || line < 1 {
		return ""
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(f.Content))
	lines := strings.Split(text, "\n")
	if line > len(lines) {
		return ""
	}
	return lines[line-1]
}

// excerpt is the line with a caret under the column, which counts code points.
func excerpt(line string, column int) string {
	line = strings.TrimRight(line, " \t\r\n")
	runes := []rune(strings.TrimPrefix(line, "\ufeff"))
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
