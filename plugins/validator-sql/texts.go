package main

import (
	"strings"

	"github.com/goals-tracker/tracker/plugins/validator-sql/internal/sqltext"
	"github.com/goals-tracker/tracker/sdk/validator"
)

var (
	textNothing     = validator.Text("sql.nothing", "There is no file to judge: submit your SQL in a file that ends with .sql.", "No hay ningún archivo que evaluar: envía tu SQL en un archivo que termine en .sql.")
	summaryUnproven = validator.Text("sql.unproven", "Your SQL can be read. The task has no tests, so nothing more is proven.", "Tu SQL se puede leer. La tarea no tiene pruebas, así que no se demuestra nada más.")
	textAccepted    = validator.Text("sql.accepted", "The database accepted something that your schema must refuse. Is a constraint missing?", "La base de datos aceptó algo que tu esquema debe rechazar. ¿Falta una restricción?")
	textOpen        = validator.Text("sql.open-transaction", "This transaction is never ended with COMMIT, so what it changed is undone.", "Esta transacción no termina con COMMIT, así que se deshace lo que cambió.")
	textNotReached  = validator.Text("sql.not-reached", "This test was not reached.", "No se llegó a ejecutar esta prueba.")
)

var ruleTexts = map[string][2]string{
	sqltext.RuleNull: {
		"Nothing is ever equal to NULL, or unequal: write {instead}.", "Nada es nunca igual ni distinto a NULL: escribe {instead}."},
	sqltext.RuleStar: {
		"* returns whatever columns the table happens to have; name those that you need.", "* devuelve las columnas que la tabla tenga en cada momento; nombra las que necesitas."},
	sqltext.RuleBareColumn: {
		"{name} is neither in GROUP BY nor inside an aggregate: its value comes from any row of the group.", "{name} no está en GROUP BY ni dentro de un agregado: su valor sale de una fila cualquiera del grupo."},
	sqltext.RuleNoWhere: {
		"{name} without WHERE changes every row of the table. Is that meant?", "{name} sin WHERE cambia todas las filas de la tabla. ¿Es lo que quieres?"},
}

func summary(r *validator.Report) validator.Message {
	var passed int
	for i := range r.Tests {
		if r.Tests[i].Status == validator.Pass {
			passed++
		}
	}
	switch r.Verdict {
	case validator.TimedOut:
		return validator.Text("sql.timed-out", "Your SQL took too long and was stopped.", "Tu SQL tardó demasiado y fue detenido.")
	case validator.OutOfMemory:
		return validator.Text("sql.out-of-memory", "Your SQL used more memory than it may.", "Tu SQL usó más memoria de la permitida.")
	case validator.OutputLimit:
		return validator.Text("sql.output-limit", "Your SQL returned more rows than it may.", "Tu SQL devolvió más filas de las permitidas.")
	case validator.Invalid:
		return validator.Text("sql.invalid", "The database can't read your SQL yet: see the findings.", "La base de datos todavía no puede leer tu SQL: mira los avisos.")
	default:
	}
	if len(r.Tests) == 0 {
		return validator.Text("sql.failed", "The database did not accept your SQL: see the findings.", "La base de datos no aceptó tu SQL: mira los avisos.")
	}
	return validator.Text("sql.passed-of", "{passed} of {all} tests passed.", "Pasaron {passed} de {all} pruebas.", "passed", passed, "all", len(r.Tests))
}

// unreported says why a test has no result.
func (c *court) unreported(id string) validator.Message {
	v := c.stopped()
	switch {
	case c.got.tooLong[id]:
		v = validator.TimedOut
	case c.got.started != id:
		return textNotReached
	}
	switch v {
	case validator.TimedOut:
		return validator.Text("sql.ran-too-long", "Time ran out during this test. Does a recursive query never end, or a join lack its condition?",
			"El tiempo se agotó durante esta prueba. ¿Hay una consulta recursiva que no termina, o un JOIN sin condición?")
	case validator.OutOfMemory:
		return validator.Text("sql.memory", "Memory ran out during this test.", "La memoria se agotó durante esta prueba.")
	case validator.OutputLimit:
		return validator.Text("sql.too-many-rows", "The result is far larger than any that is asked for. Does a join lack its condition?",
			"El resultado es mucho mayor que cualquiera de los pedidos. ¿Falta la condición de un JOIN?")
	default:
		return validator.Text("sql.ended", "The database stopped while it ran your statements.", "La base de datos se detuvo mientras ejecutaba tus instrucciones.")
	}
}

func noFile(name string) validator.Message {
	return validator.Text("sql.no-file", "There is no file {file} in your submission.", "No hay ningún archivo {file} en tu entrega.", "file", name)
}

func noTable(name string) validator.Message {
	return validator.Text("sql.no-table", "The table {name} is missing.", "Falta la tabla {name}.", "name", name)
}

func noResult(s *script, statement int) validator.Message {
	switch {
	case statement > len(s.statements):
		return validator.Text("sql.no-statement", "{file} has no statement number {number}.", "{file} no tiene la instrucción número {number}.", "file", s.file, "number", statement)
	case len(s.statements) == 0:
		return validator.Text("sql.empty", "{file} holds no statement yet.", "{file} todavía no contiene ninguna instrucción.", "file", s.file)
	}
	return validator.Text("sql.no-result", "Your statements return no rows and columns; the task asks for a query (SELECT).", "Tus instrucciones no devuelven filas ni columnas; la tarea pide una consulta (SELECT).")
}

func checkRefused(e *refusal) validator.Message {
	return validator.Text("sql.check-refused", "The task's check does not work on what your script made: {message}", "La comprobación de la tarea no funciona con lo que creó tu script: {message}", "message", brief(e.Message))
}

func atLine(file string, line int, m validator.Message) validator.Message {
	return validator.Text(m.ID, "{file}, line {line}: {en}", "{file}, línea {line}: {es}", "file", file, "line", line, "en", m.In("en"), "es", m.In("es"))
}

func inTable(name string, m validator.Message) validator.Message {
	return validator.Text("sql.in-table", "In the table {name}: {en}", "En la tabla {name}: {es}", "name", name, "en", m.In("en"), "es", m.In("es"))
}

// differs says how a result is not what was expected. Of hidden data it tells
// no row.
func differs(d *difference, want, got *table, hidden bool) validator.Message {
	where := [2]string{"", ""}
	if hidden {
		where = [2]string{"On another set of data: ", "Con otro conjunto de datos: "}
	}
	text := func(id, en, es string, params ...any) validator.Message {
		return validator.Text("sql."+id, "{where_en}"+en, "{where_es}"+es, append(params, "where_en", where[0], "where_es", where[1])...)
	}
	switch d.kind {
	case "columns":
		return text("columns", "The result needs {want} columns and has {got}.", "El resultado necesita {want} columnas y tiene {got}.", "want", len(want.Columns), "got", len(got.Columns))
	case "names":
		return text("names", "The columns are to be called {want}, not {got}. AS gives a column its name.", "Las columnas deben llamarse {want}, no {got}. AS le da nombre a una columna.",
			"want", strings.Join(clipRow(want.Columns, false), ", "), "got", strings.Join(clipRow(got.Columns, false), ", "))
	case "order":
		return text("order", "The rows are right, but not their order: row {row} is the first that belongs elsewhere. See ORDER BY.",
			"Las filas son correctas, pero no su orden: la fila {row} es la primera que va en otro lugar. Mira ORDER BY.", "row", d.row)
	}
	if hidden {
		return text("rows", "{missing} rows are missing and {extra} are too many.", "faltan {missing} filas y sobran {extra}.", "missing", len(d.missing), "extra", len(d.extra))
	}
	en, es := []string{}, []string{}
	if n := len(d.missing); n > 0 {
		en, es = append(en, "Missing:\n"+draw(want.Columns, d.missing)), append(es, "Faltan:\n"+draw(want.Columns, d.missing))
	}
	if n := len(d.extra); n > 0 {
		en, es = append(en, "Too many:\n"+draw(got.Columns, d.extra)), append(es, "Sobran:\n"+draw(got.Columns, d.extra))
	}
	if len(want.Rows) == len(got.Rows) {
		return text("rows", "The result has the right number of rows, but some differ.\n{en}", "El resultado tiene el número correcto de filas, pero algunas son distintas.\n{es}",
			"en", strings.Join(en, "\n"), "es", strings.Join(es, "\n"))
	}
	return text("rows", "The result needs {want} rows and has {got}.\n{en}", "El resultado necesita {want} filas y tiene {got}.\n{es}",
		"want", len(want.Rows), "got", len(got.Rows), "en", strings.Join(en, "\n"), "es", strings.Join(es, "\n"))
}
