package bench

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// script is a pgbench script and the variables that it starts with.
type script struct {
	text string
	vars []string // "name=value"
}

// madeID is an id that the program makes anew for each request: a UUIDv7.
var madeID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

var placeholder = regexp.MustCompile(`\$\d+`)

// writer makes a script of trips.
type writer struct {
	vars []string
	ids  map[string]int
}

// write makes each trip a pipeline, with the same arguments every time, but for
// the ids: they count up, as those of the server do. Arguments are parameters
// here too, so PostgreSQL plans and binds the same.
func write(trips []trip) script {
	w := writer{ids: map[string]int{}}
	var out strings.Builder
	// n counts the client's transactions, m all clients'; t is the run's instant.
	out.WriteString("\\set n :n + 1\n\\set m :n * 1024 + :client_id\n")
	for _, t := range trips {
		if len(t) > 1 {
			out.WriteString("\\startpipeline\n")
		}
		for _, s := range t {
			out.WriteString(strings.TrimSpace(placeholder.ReplaceAllStringFunc(s.sql, func(name string) string {
				n, err := strconv.Atoi(name[1:])
				if err != nil || n < 1 || n > len(s.args) {
					return name
				}
				return w.argument(s.args[n-1])
			})))
			out.WriteString(";\n")
		}
		if len(t) > 1 {
			out.WriteString("\\endpipeline\n")
		}
	}
	return script{text: out.String(), vars: append([]string{"n=0"}, w.vars...)}
}

func (w *writer) argument(a argument) string {
	if a.null {
		return "NULL::" + a.kind
	}
	var parts []string
	at := 0
	for _, found := range madeID.FindAllStringIndex(a.text, -1) {
		parts = append(parts, w.constant(a.text[at:found[0]], "text"), w.id(a.text[found[0]:found[1]]))
		at = found[1]
	}
	if len(parts) == 0 {
		return w.constant(a.text, a.kind)
	}
	parts = append(parts, w.constant(a.text[at:], "text"))
	return "(" + strings.Join(parts, " || ") + ")::" + a.kind
}

// constant is a variable, since pgbench would take a colon in a literal for one.
func (w *writer) constant(text, kind string) string {
	if text == "" && kind == "text" {
		return "''"
	}
	name := fmt.Sprintf("c%d", len(w.vars))
	w.vars = append(w.vars, name+"="+text)
	return ":" + name + "::" + kind
}

// id takes the place of one that was made: the same everywhere in a
// transaction, another in the next.
func (w *writer) id(made string) string {
	n, seen := w.ids[made]
	if !seen {
		n = len(w.ids)
		w.ids[made] = n
	}
	return fmt.Sprintf(":t::text || '%03x-8000-' || lpad(to_hex(:m::bigint), 12, '0')", n)
}
