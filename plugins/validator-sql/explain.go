package main

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/plugins/validator-sql/internal/sqltext"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// remarks adds what can be said of the learner's files without running them.
func (c *court) remarks() {
	for _, name := range c.names {
		s := c.scripts[name]
		for i := range s.statements {
			for _, m := range s.statements[i].Remarks() {
				texts, ok := ruleTexts[m.Rule]
				if !ok || ignores(c.opts.IgnoreRules, m.Rule) || len(c.report.Findings) >= 100 {
					continue
				}
				severity := validator.SeverityWarning
				if m.Rule == sqltext.RuleStar {
					severity = validator.SeverityInfo
				}
				c.find(s, m.Start, m.End, m.Rule, severity, validator.Text("sql.rule."+m.Rule, texts[0], texts[1], "name", m.Name, "instead", instead(m.Name)))
			}
		}
	}
}

func instead(operator string) string {
	if operator == "<>" || operator == "!=" {
		return "IS NOT NULL"
	}
	return "IS NULL"
}

func ignores(rules []string, rule string) bool {
	for _, r := range rules {
		if r == rule {
			return true
		}
	}
	return false
}

// find adds a finding at a place, in bytes of the file; each only once.
func (c *court) find(s *script, start, end int, rule string, severity validator.Severity, m validator.Message) {
	f := validator.Finding{File: s.file, Rule: rule, Severity: severity, Message: m}
	f.Line, f.Column = s.lines.Position(start)
	if end > start {
		f.EndLine, f.EndColumn = s.lines.Position(end)
	}
	f.Excerpt = excerpt(s.lines.Line(f.Line), f.Column)
	for i := range c.report.Findings {
		if o := &c.report.Findings[i]; o.File == f.File && o.Line == f.Line && o.Column == f.Column && o.Rule == f.Rule && o.Message.Text["en"] == m.Text["en"] {
			return
		}
	}
	c.report.Findings = append(c.report.Findings, f)
}

func (c *court) leftOpen(s *script) {
	for i := len(s.statements) - 1; i >= 0; i-- {
		if st := &s.statements[i]; st.Tokens[0].Is("BEGIN") || st.Tokens[0].Is("START") || st.Tokens[0].Is("SAVEPOINT") || i == 0 {
			c.find(s, st.Start, st.Start, "open-transaction", validator.SeverityWarning, textOpen)
			return
		}
	}
}

// refused explains why the database did not accept a learner's statement, and
// where.
func (c *court) refused(s *script, e *refusal) validator.Message {
	rule := "refused"
	if e.Syntax {
		rule, c.syntax = "syntax", true
	}
	m, line := explain(e), 1
	if e.Statement < len(s.statements) {
		st := &s.statements[e.Statement]
		start := st.Start
		if e.Offset != nil {
			start += byteOffset(st.Text, *e.Offset)
		}
		line, _ = s.lines.Position(start)
		c.find(s, start, start, rule, validator.SeverityError, m)
	} else {
		c.report.Findings = append(c.report.Findings, validator.Finding{File: s.file, Rule: rule, Severity: validator.SeverityError, Message: m})
	}
	return atLine(s.file, line, m)
}

// byteOffset turns an offset in code points into one in bytes.
func byteOffset(s string, points int) int {
	at := 0
	for ; points > 0 && at < len(s); points-- {
		_, n := utf8.DecodeRuneInString(s[at:])
		at += n
	}
	return at
}

// sentence is what a database's message means to a beginner.
type sentence struct {
	pattern *regexp.Regexp
	id      string
	en, es  string
}

// The databases' own words follow each sentence; $1 is the pattern's group.
var sentences = []sentence{
	{regexp.MustCompile(`^near "(.+)": syntax error|syntax error at or near "(.+)"`), "near",
		"The statement can't be read at {name}. Look at what stands just before it: a comma too many or too few, or a misspelt word?",
		"No se puede leer la instrucción en {name}. Mira lo que hay justo antes: ¿sobra o falta una coma, o hay una palabra mal escrita?"},
	{regexp.MustCompile(`^incomplete input|syntax error at end of input`), "incomplete",
		"The statement ends too early. Is a bracket still open, or a part missing?",
		"La instrucción termina demasiado pronto. ¿Queda un paréntesis abierto o falta una parte?"},
	{regexp.MustCompile(`^unrecognized token: "['"]|unterminated quoted`), "quote",
		"A text begins with a quote and does not end with one.", "Un texto empieza con comillas y no termina con ellas."},
	{regexp.MustCompile(`^unrecognized token: "(.+)"`), "token", "{name} does not belong into SQL.", "{name} no pertenece a SQL."},
	{regexp.MustCompile(`no such table: (?:main\.)?(\S+)|relation "(.+)" does not exist`), "table",
		"There is no table {name}. Is its name spelled as in the schema?", "No existe la tabla {name}. ¿Está escrita como en el esquema?"},
	{regexp.MustCompile(`no such column: (\S+)|column "?(.+?)"? does not exist|has no column named (\S+)`), "column",
		"There is no column {name} here. Is it spelled as in the schema, and is its table in FROM? Texts stand in single quotes.",
		"Aquí no existe la columna {name}. ¿Está escrita como en el esquema y su tabla está en FROM? Los textos van entre comillas simples."},
	{regexp.MustCompile(`ambiguous column name: (\S+)|column reference "(.+)" is ambiguous`), "ambiguous",
		"More than one table has a column {name}: write the table's name and a dot before it.",
		"Más de una tabla tiene una columna {name}: escribe delante el nombre de la tabla y un punto."},
	{regexp.MustCompile(`no such function: (\S+)|function (\S+)\(.*\) does not exist`), "function",
		"There is no function {name} in this database.", "No existe la función {name} en esta base de datos."},
	{regexp.MustCompile(`misuse of aggregate(?: function)?:? (\S+)\(\)|aggregate functions are not allowed in (\S+)`), "aggregate",
		"An aggregate such as COUNT or SUM can't stand here ({name}). Conditions on groups belong into HAVING.",
		"Una función de agregado como COUNT o SUM no puede ir aquí ({name}). Las condiciones sobre grupos van en HAVING."},
	{regexp.MustCompile(`column "(.+)" must appear in the GROUP BY clause`), "group",
		"The column {name} is neither in GROUP BY nor inside an aggregate, so a group has no single value for it.",
		"La columna {name} no está en GROUP BY ni dentro de un agregado, así que un grupo no tiene un único valor para ella."},
	{regexp.MustCompile(`UNIQUE constraint failed: (\S+)|violates unique constraint "(.+)"`), "unique",
		"A value is there twice that may be there once only ({name}).", "Un valor que solo puede estar una vez aparece dos veces ({name})."},
	{regexp.MustCompile(`NOT NULL constraint failed: (\S+)|null value in column "(.+?)"`), "not-null",
		"{name} must have a value, and it got NULL.", "{name} debe tener un valor y recibió NULL."},
	{regexp.MustCompile(`FOREIGN KEY constraint failed|violates foreign key constraint "(.+)"`), "foreign-key",
		"A row refers to another one that is not there.", "Una fila se refiere a otra que no existe."},
	{regexp.MustCompile(`CHECK constraint failed: (.+)|violates check constraint "(.+)"`), "check",
		"A value breaks a rule of its table ({name}).", "Un valor incumple una regla de su tabla ({name})."},
	{regexp.MustCompile(`table "?(\S+?)"? already exists|relation "(.+)" already exists`), "exists",
		"There already is a table {name}.", "Ya existe una tabla {name}."},
	{regexp.MustCompile(`sub-select returns (\d+) columns|subquery must return only one column`), "subquery",
		"A subquery in this place may return one column only.", "Una subconsulta en este lugar solo puede devolver una columna."},
	{regexp.MustCompile(`^SELECTs to the left and right of (\S+)|each (\S+) query must have the same number of columns`), "union",
		"Both sides of {name} need the same number of columns.", "Los dos lados de {name} necesitan el mismo número de columnas."},
	{regexp.MustCompile(`temp_file_limit|string or blob too big`), "too-big",
		"Far too much data comes together here. Does a recursive query never end, or a join lack its condition?",
		"Aquí se juntan demasiados datos. ¿Hay una consulta recursiva que no termina, o un JOIN sin condición?"},
	{regexp.MustCompile(`division by zero`), "zero", "Something is divided by zero.", "Algo se divide entre cero."},
}

// explain says in words what a refusal means.
func explain(e *refusal) validator.Message {
	message := brief(e.Message)
	if e.Denied != "" {
		return validator.Text("sql.denied", "The task does not allow this: {what}. A query must not change the data, and files, settings and extensions are out of reach.",
			"La tarea no permite esto: {what}. Una consulta no debe cambiar los datos, y los archivos, ajustes y extensiones no están disponibles.", "what", e.Denied)
	}
	for _, s := range sentences {
		m := s.pattern.FindStringSubmatch(e.Message)
		if m == nil {
			continue
		}
		name := ""
		for _, g := range m[1:] {
			name += g
		}
		return validator.Text("sql."+s.id, s.en+"\n{message}", s.es+"\n{message}", "name", brief(name), "message", message)
	}
	return validator.Text("sql.refused", "The database did not accept it: {message}", "La base de datos no lo aceptó: {message}", "message", message)
}

func brief(s string) string {
	s = strings.TrimSpace(s)
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:200]) + " …"
	}
	return s
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
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(runes[start:column-1]))
	return out + "\n" + pad + "^"
}
