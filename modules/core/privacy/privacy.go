// Package privacy is the one registry of what is kept about people: every
// table, column and event field says whether it is personal and how it is
// erased. A test fails when the database or an event has one that is not here,
// and erasure, export and the restore ledger work from it.
package privacy

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Class says what kind of data a table holds, and so how it can come back.
type Class string

// The classes.
const (
	// Log is the event log itself.
	Log Class = "log"
	// Folds are rebuilt from the log: goals, tasks, run headers.
	Folds Class = "folds"
	// Facts stand nowhere else: snapshots, reports, documents, checkpoints.
	Facts Class = "facts"
	// Derived can be computed anew: postings, embeddings, projections.
	Derived Class = "derived"
	// Operational is needed while work is under way: queues, leases, keys.
	Operational Class = "operational"
)

// Erasure is how a person's rows leave a table.
type Erasure string

// The ways.
const (
	// DeleteBySubject deletes the rows whose subject column names the person.
	DeleteBySubject Erasure = "delete_by_subject"
	// DeleteWithParent means that rows go with those they hang on.
	DeleteWithParent Erasure = "delete_with_parent"
	// Expires means that rows go by themselves within two days.
	Expires Erasure = "expires"
	// Impersonal means that nothing in the table is about a person.
	Impersonal Erasure = "impersonal"
	// WhenErased means that rows name a person only until that one is erased.
	WhenErased Erasure = "when_erased"
)

// Table is what is known of one table. Personal and Plain together list every
// column.
type Table struct {
	// Name with its schema: "goals.goals".
	Name  string
	Class Class
	// Subject is the column that names the person; "" when none does.
	Subject string
	// Parent is the table whose rows take these along, for DeleteWithParent.
	Parent string
	// ParentKey is the column that holds the parent's id, where no foreign key says
	// which.
	ParentKey string
	// Mentions are columns that may name a person in another's row, by the key of
	// the JSON object that does: the name is taken out, the row stays.
	Mentions map[string]string
	// Digests are columns that hold a digest of a person's id in another's row, by
	// what it is in SQL, of the row's columns and @subject: another value that nobody
	// has takes its place.
	Digests  map[string]string
	Personal []string
	Plain    []string
	Erase    Erasure
}

// Event is what is known of one event type's payload. Personal and Plain
// together list its top-level fields.
type Event struct {
	Type     string
	Personal []string
	Plain    []string
}

// Registry is all of it.
type Registry struct {
	Tables []Table
	Events []Event
}

// Merge joins the modules' registries.
func Merge(parts ...Registry) Registry {
	var all Registry
	for _, part := range parts {
		all.Tables = append(all.Tables, part.Tables...)
		all.Events = append(all.Events, part.Events...)
	}
	return all
}

// Check compares the registry with what really exists: columns by table, and
// fields by event type. It returns one sentence for each difference.
func (r Registry) Check(columns map[string][]string, fields map[string][]string) []string {
	var wrong []string
	tables := map[string]Table{}
	for _, t := range r.Tables {
		if _, twice := tables[t.Name]; twice {
			wrong = append(wrong, fmt.Sprintf("table %s is registered twice", t.Name))
		}
		tables[t.Name] = t
		wrong = append(wrong, t.check()...)
		if _, exists := columns[t.Name]; !exists {
			wrong = append(wrong, fmt.Sprintf("table %s is registered but does not exist", t.Name))
		}
	}
	for name, have := range columns {
		t, ok := tables[name]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("table %s is not registered", name))
			continue
		}
		wrong = append(wrong, compare("table "+name, "column", slices.Concat(t.Personal, t.Plain), have)...)
	}
	events := map[string]bool{}
	for _, e := range r.Events {
		events[e.Type] = true
		have, exists := fields[e.Type]
		if !exists {
			wrong = append(wrong, fmt.Sprintf("event %s is registered but does not exist", e.Type))
			continue
		}
		wrong = append(wrong, compare("event "+e.Type, "field", slices.Concat(e.Personal, e.Plain), have)...)
	}
	for name := range fields {
		if !events[name] {
			wrong = append(wrong, fmt.Sprintf("event %s is not registered", name))
		}
	}
	sort.Strings(wrong)
	return wrong
}

func (t Table) check() []string {
	var wrong []string
	for column, digest := range t.Digests {
		if !slices.Contains(t.Personal, column) || !strings.Contains(digest, "@subject") {
			wrong = append(wrong, fmt.Sprintf("table %s has a digest in %s, which is not personal or not of @subject", t.Name, column))
		}
	}
	switch t.Erase {
	case DeleteBySubject:
		if !slices.Contains(t.Personal, t.Subject) {
			wrong = append(wrong, fmt.Sprintf("table %s is erased by its subject, which is not among its personal columns", t.Name))
		}
	case DeleteWithParent:
		if t.Parent == "" {
			wrong = append(wrong, fmt.Sprintf("table %s is erased with a parent that it does not name", t.Name))
		}
	case Impersonal:
		if len(t.Personal) > 0 || t.Subject != "" {
			wrong = append(wrong, fmt.Sprintf("table %s is called impersonal but has personal columns", t.Name))
		}
	case WhenErased:
		if t.Subject == "" {
			wrong = append(wrong, fmt.Sprintf("table %s names people until they are erased, but not by which column", t.Name))
		}
	case Expires:
		if t.Class != Operational {
			wrong = append(wrong, fmt.Sprintf("table %s expires, which only operational data may", t.Name))
		}
	default:
		wrong = append(wrong, fmt.Sprintf("table %s does not say how it is erased", t.Name))
	}
	return wrong
}

func compare(owner, what string, registered, have []string) []string {
	var wrong []string
	for _, name := range have {
		if !slices.Contains(registered, name) {
			wrong = append(wrong, fmt.Sprintf("%s: %s %s is not registered", owner, what, name))
		}
	}
	for i, name := range registered {
		if !slices.Contains(have, name) {
			wrong = append(wrong, fmt.Sprintf("%s: %s %s is registered but does not exist", owner, what, name))
		}
		if slices.Contains(registered[:i], name) {
			wrong = append(wrong, fmt.Sprintf("%s: %s %s is registered twice", owner, what, name))
		}
	}
	return wrong
}
