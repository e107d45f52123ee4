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
var textual = []string{"text", "varchar", "bpchar", "name", "citext", "json", "jsonb", "bytea", "uuid", "_text", "_varchar", "tsvector"}

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
	// id, the same within JSON, and as a regular expression between other characters.
	id, quoted, pattern string
}

func newNeedle(id string) needle {
	quoted, err := json.Marshal(id)
	if err != nil { // of a string it never fails
		quoted = []byte(`"` + id + `"`)
	}
	return needle{
		exact: !distinctive(id), id: id, quoted: string(quoted),
		pattern: `(^|[^[:alnum:]_-])` + regexp.QuoteMeta(id) + `($|[^[:alnum:]_-])`,
	}
}

// condition is true of a row whose column holds the id; $1 is the id, $2 the
// same in JSON, $3 the pattern.
func (n needle) condition(c column) string {
	name := "looked." + ident(c.Name)
	switch {
	case c.Type == "bytea":
		if n.exact {
			return fmt.Sprintf("(position(convert_to($2, 'UTF8') in %[1]s) > 0 OR %[1]s = convert_to($1, 'UTF8'))", name)
		}
		return fmt.Sprintf("(position(convert_to($1, 'UTF8') in %[1]s) > 0 AND encode(%[1]s, 'escape') ~ $3)", name)
	case strings.HasPrefix(c.Type, "_"):
		if n.exact {
			return fmt.Sprintf("$1 = ANY(%s::text[])", name)
		}
	case n.exact && (c.Type == "json" || c.Type == "jsonb"):
		return fmt.Sprintf("strpos(%s::text, $2) > 0", name)
	case n.exact:
		return fmt.Sprintf("%s::text = $1", name)
	}
	return fmt.Sprintf("(strpos(%[1]s::text, $1) > 0 AND %[1]s::text ~ $3 OR strpos(%[1]s::text, $2) > 0)", name)
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
	// The conditions need not use all three, so the types are said here.
	query := fmt.Sprintf("SELECT %s FROM %s AS looked, (SELECT $1::text, $2::text, $3::text) AS sought", strings.Join(parts, ", "), table(columns[0].Table))
	if err := tx.QueryRow(ctx, query, n.id, n.quoted, n.pattern).Scan(into...); err != nil {
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
