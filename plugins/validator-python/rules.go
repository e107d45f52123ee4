package main

import (
	"slices"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/validator"
)

var ruleTexts = map[string][2]string{
	"bare-except": {
		"except: without a type also hides typing mistakes and Ctrl+C; name the error you expect: except ValueError:",
		"except: sin un tipo también oculta errores de escritura y Ctrl+C; nombra el error que esperas: except ValueError:"},
	"mutable-default": {
		"This default value is made once and shared by all calls; use None and make it inside of the function.",
		"Este valor por defecto se crea una sola vez y lo comparten todas las llamadas; usa None y créalo dentro de la función."},
	"none-comparison": {
		"To ask whether something is None, write {operator} None.", "Para preguntar si algo es None, escribe {operator} None."},
	"is-literal": {
		"is asks for the same object; to compare values, write {operator}.", "is pregunta si es el mismo objeto; para comparar valores, escribe {operator}."},
	"shadowed-builtin": {
		"{name} is the name of one of Python's own functions, which you can't use any more after this line.",
		"{name} es el nombre de una función propia de Python, que ya no podrás usar después de esta línea."},
	"unused-import": {
		"{name} is imported and never used.", "{name} se importa y nunca se usa."},
}

func ruleFindings(c *checked, sub *validator.Submission, ignored []string) []validator.Finding {
	var out []validator.Finding
	for _, f := range c.Findings {
		texts, ok := ruleTexts[f.Rule]
		if !ok || slices.Contains(ignored, f.Rule) {
			continue
		}
		var params []any
		for k, v := range f.Params {
			params = append(params, k, v)
		}
		line := sourceLine(sub, f.File, f.Line)
		column := codePoints(line, f.Byte) + 1
		out = append(out, validator.Finding{
			File: f.File, Line: f.Line, Column: column, EndLine: f.EndLine,
			EndColumn: codePoints(sourceLine(sub, f.File, f.EndLine), f.EndByte) + 1,
			Rule:      f.Rule, Severity: validator.Severity(f.Severity),
			Message: validator.Text("python.rule."+f.Rule, texts[0], texts[1], params...),
			Excerpt: excerpt(line, column),
		})
	}
	return out
}

// codePoints turns an offset in UTF-8 bytes, as Python's ast has it, into one
// in code points.
func codePoints(line string, offset int) int {
	if offset > len(line) {
		return 0
	}
	return utf8.RuneCountInString(line[:offset])
}
