package erasure

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"
)

// column is one that could hold an id.
type column struct{ Table, Name, Type string }

// textual are the types that could hold an id.
var textual = []string{
	"text", "varchar", "bpchar", "name", "citext", "json", "jsonb", "xml", "bytea", "uuid", "tsvector",
	"_text", "_varchar", "_bpchar", "_citext", "_uuid", "_json", "_jsonb",
}

// columns come from the catalog, not from the registry: what that forgot is
// found too.
func columns(ctx context.Context, tx pgx.Tx) ([]column, error) {
	rows, err := tx.Query(ctx, `
		SELECT n.nspname || '.' || c.relname, a.attname, t.typname
		FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		JOIN pg_type t ON t.oid = a.atttypid
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
		  AND (t.typname = ANY($1) OR t.typtype = 'd')
		ORDER BY 1, a.attnum`, textual)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[column])
}

// distinctive reports whether an id can be looked for within texts: a short or
// plain word would be found where nobody is meant.
func distinctive(id string) bool {
	return len(id) >= 8 && strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsLetter(r) })
}

// needle is an id as it is looked for.
type needle struct {
	exact bool
	// id, as a regular expression between other characters, as a JSON string, and
	// as one whose writer escapes what HTML would not bear.
	id, pattern, quoted, escaped string
}

func newNeedle(id string) needle {
	escaped, err := json.Marshal(id)
	if err != nil { // of a string it never fails
		escaped = []byte(`"` + id + `"`)
	}
	return needle{
		exact: !distinctive(id), id: id, escaped: string(escaped), quoted: unescaped.Replace(string(escaped)),
		pattern: `(^|[^[:alnum:]_-])` + regexp.QuoteMeta(id) + `($|[^[:alnum:]_-])`,
	}
}

var unescaped = strings.NewReplacer(`\\`, `\\`, `\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// sought names what args gives; conditions need not use all of it.
const sought = "(SELECT $1::text AS id, $2::text AS pattern, $3::text AS quoted, $4::text AS escaped) AS sought"

func (n needle) args() []any { return []any{n.id, n.pattern, n.quoted, n.escaped} }

// condition is true of a row of "looked" whose column holds the id, beside sought.
func (n needle) condition(c column) string {
	name := "looked." + ident(c.Name)
	switch c.Type {
	case "bytea":
		parts := fmt.Sprintf("position(convert_to(sought.quoted, 'UTF8') in %[1]s) > 0 OR position(convert_to(sought.escaped, 'UTF8') in %[1]s) > 0", name)
		if n.exact {
			return fmt.Sprintf("(%s OR %s = convert_to(sought.id, 'UTF8'))", parts, name)
		}
		return fmt.Sprintf("(%s OR position(convert_to(sought.id, 'UTF8') in %[2]s) > 0 AND (encode(%[2]s, 'escape') ~ sought.pattern OR sought.id ~ '[^ -~]'))", parts, name)
	case "json", "jsonb":
		return n.within(name+"::text", n.exact)
	case "_json", "_jsonb":
		return n.within("array_to_json("+name+")::text", n.exact)
	}
	whole := name + "::text = sought.id"
	if strings.HasPrefix(c.Type, "_") {
		whole = "sought.id = ANY(" + name + "::text[])"
	}
	if n.exact {
		return whole
	}
	return "(" + whole + " OR " + n.within(name+"::text", false) + ")"
}

// within is true of a text that has the id as a string of JSON, or unless strings
// only, as a word.
func (n needle) within(text string, stringsOnly bool) string {
	found := fmt.Sprintf("strpos(%[1]s, sought.quoted) > 0", text)
	if n.escaped != n.quoted {
		found += fmt.Sprintf(" OR strpos(%[1]s, sought.escaped) > 0", text)
	}
	if !stringsOnly {
		found += fmt.Sprintf(" OR strpos(%[1]s, sought.id) > 0 AND %[1]s ~ sought.pattern", text)
	}
	return "(" + found + ")"
}

// scan looks at every column of every table for the id, but for the erasure's
// own row.
func scan(ctx context.Context, tx pgx.Tx, id string) (Scan, error) {
	all, err := columns(ctx, tx)
	if err != nil {
		return Scan{}, err
	}
	n := newNeedle(id)
	found := Scan{Exact: n.exact, Left: []Left{}}
	for first := 0; first < len(all); {
		last := first
		for last < len(all) && all[last].Table == all[first].Table {
			last++
		}
		left, err := scanTable(ctx, tx, n, all[first:last])
		if err != nil {
			return Scan{}, err
		}
		found.Tables++
		found.Columns += last - first
		found.Left = append(found.Left, left...)
		first = last
	}
	return found, nil
}

func scanTable(ctx context.Context, tx pgx.Tx, n needle, columns []column) ([]Left, error) {
	columns = slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.Table == "events.erasures" && c.Name == "subject_id" })
	if len(columns) == 0 {
		return nil, nil
	}
	counts := make([]int64, len(columns))
	parts, into := make([]string, len(columns)), make([]any, len(columns))
	for i, c := range columns {
		parts[i], into[i] = fmt.Sprintf("count(*) FILTER (WHERE %s)", n.condition(c)), &counts[i]
	}
	query := fmt.Sprintf("SELECT %s FROM %s AS looked, %s", strings.Join(parts, ", "), table(columns[0].Table), sought)
	if err := tx.QueryRow(ctx, query, n.args()...).Scan(into...); err != nil {
		return nil, fmt.Errorf("look through %s: %w", columns[0].Table, err)
	}
	var left []Left
	for i, c := range columns {
		if counts[i] > 0 {
			left = append(left, Left{c.Table + "." + c.Name, counts[i]})
		}
	}
	return left, nil
}
