package erasure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/privacy"
)

// target is a table whose rows go with a person; @subject stands for the id.
type target struct {
	table string
	// where finds the person's rows.
	where string
}

// mention is where others' rows may name the person: as the value of an object's
// key or, without a key, by a digest.
type mention struct{ table, column, key, digest string }

// fade is a column whose naming the person is reason enough for the row to go.
type fade struct{ table, column string }

// plan is what the privacy registry asks for, with children before parents.
type plan struct {
	targets  []target
	mentions []mention
	// fading are personal columns of tables whose rows go by themselves soon: those
	// that name the person go now.
	fading []fade
	// subjects are the columns that name people, by table.
	subjects map[string]string
	// owners are those of tables that have an id of their own.
	owners map[string]string
}

// link is a foreign key of one column.
type link struct{ child, column, parent, key string }

func links(ctx context.Context, tx pgx.Tx) ([]link, error) {
	rows, err := tx.Query(ctx, `
		SELECT child.relnamespace::regnamespace || '.' || child.relname, c.attname,
		       parent.relnamespace::regnamespace || '.' || parent.relname, p.attname
		FROM pg_constraint f
		JOIN pg_class child ON child.oid = f.conrelid
		JOIN pg_class parent ON parent.oid = f.confrelid
		JOIN pg_attribute c ON c.attrelid = f.conrelid AND c.attnum = f.conkey[1]
		JOIN pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = f.confkey[1]
		WHERE f.contype = 'f' AND cardinality(f.conkey) = 1`)
	if err != nil {
		return nil, fmt.Errorf("read foreign keys: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l link, err error) {
		return l, row.Scan(&l.child, &l.column, &l.parent, &l.key)
	})
}

// streams are what tells verification whose a half-erased history is.
const streams = "events.streams"

// makePlan orders what is to be done. Events come first, so that nothing can be
// rebuilt from them; then tables against the order of the modules, children
// before those they hang on; streams last.
func makePlan(registry privacy.Registry, foreign []link) (plan, error) {
	p := plan{subjects: map[string]string{}, owners: map[string]string{}}
	tables := map[string]privacy.Table{}
	for _, t := range registry.Tables {
		tables[t.Name] = t
	}
	var log, children, rest, last []target
	for _, t := range slices.Backward(registry.Tables) {
		for column, key := range t.Mentions {
			p.mentions = append(p.mentions, mention{table: t.Name, column: column, key: key})
		}
		for column, digest := range t.Digests {
			p.mentions = append(p.mentions, mention{table: t.Name, column: column, digest: digest})
		}
		switch t.Erase {
		case privacy.DeleteBySubject:
			found := target{t.Name, ident(t.Subject) + " = @subject"}
			p.subjects[t.Name] = t.Subject
			if slices.Contains(t.Plain, "id") {
				p.owners[t.Name] = t.Subject
			}
			switch {
			case t.Name == streams:
				last = append(last, found)
			case t.Class == privacy.Log:
				log = append(log, found)
			default:
				rest = append(rest, found)
			}
		case privacy.DeleteWithParent:
			where, err := throughParents(tables, foreign, t, 0)
			if err != nil {
				return plan{}, err
			}
			// Deepest first: those whose way to the person is longest.
			children = append(children, target{t.Name, where})
		case privacy.Expires:
			for _, column := range t.Personal {
				p.fading = append(p.fading, fade{t.Name, column})
			}
		case privacy.Impersonal, privacy.WhenErased:
		}
	}
	slices.SortStableFunc(children, func(a, b target) int {
		return strings.Count(b.where, " IN (") - strings.Count(a.where, " IN (")
	})
	p.targets = slices.Concat(log, children, rest, last)
	return p, nil
}

// throughParents finds a table's rows by whose row they hang on.
func throughParents(tables map[string]privacy.Table, foreign []link, t privacy.Table, depth int) (string, error) {
	parent, known := tables[t.Parent]
	if !known || depth > 8 {
		return "", fmt.Errorf("table %s is erased with %q, which is not in the registry", t.Name, t.Parent)
	}
	l := link{column: t.ParentKey, key: "id"}
	if t.ParentKey == "" {
		i := slices.IndexFunc(foreign, func(l link) bool { return l.child == t.Name && l.parent == t.Parent })
		if i < 0 {
			return "", fmt.Errorf("table %s is erased with %s, but no foreign key and no ParentKey says by which column", t.Name, t.Parent)
		}
		l = foreign[i]
	}
	of := ident(parent.Subject) + " = @subject"
	if parent.Erase == privacy.DeleteWithParent {
		var err error
		if of, err = throughParents(tables, foreign, parent, depth+1); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s IN (SELECT %s FROM %s WHERE %s)", ident(l.column), ident(l.key), table(t.Parent), of), nil
}

func ident(name string) string { return pgx.Identifier{name}.Sanitize() }

func table(name string) string { return pgx.Identifier(strings.SplitN(name, ".", 2)).Sanitize() }
