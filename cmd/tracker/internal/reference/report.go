package reference

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"text/tabwriter"
)

// Report says what became of a database.
type Report struct {
	// Users and Courses are how many ids of others its goals name.
	Users   int `json:"users"`
	Courses int `json:"courses"`
	// Tables are by name.
	Tables map[string]*Table `json:"tables"`

	mu sync.Mutex
}

// Table is what became of a table's rows: each was taken, was here before, or
// is left.
type Table struct {
	Read  int `json:"read"`
	Taken int `json:"taken"`
	// Here were taken by an earlier import.
	Here int `json:"here"`
	Left int `json:"left"`
	// Changed says what differs in rows that were taken, and LeftBecause why rows
	// were not.
	Changed     map[string]*Rows `json:"changed,omitempty"`
	LeftBecause map[string]*Rows `json:"left_because,omitempty"`
}

// Rows are how many, and the ids of the first of them.
type Rows struct {
	Count int      `json:"count"`
	IDs   []string `json:"ids"`
}

// shownIDs is how many ids a report names of what has the same reason.
const shownIDs = 20

var tableNames = []string{"goals", "tasks", "code_snapshots", "events", "embeddings"}

func newReport() *Report {
	r := &Report{Tables: map[string]*Table{}}
	for _, name := range tableNames {
		r.Tables[name] = &Table{Changed: map[string]*Rows{}, LeftBecause: map[string]*Rows{}}
	}
	return r
}

// with changes a table's figures.
func (r *Report) with(table string, fn func(*Table)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fn(r.Tables[table])
}

func (r *Report) read(table string)  { r.with(table, func(t *Table) { t.Read++ }) }
func (r *Report) taken(table string) { r.with(table, func(t *Table) { t.Taken++ }) }
func (r *Report) here(table string)  { r.with(table, func(t *Table) { t.Here++ }) }

func (r *Report) left(table, id, why string) {
	r.with(table, func(t *Table) { t.Left++; add(t.LeftBecause, why, id) })
}

func (r *Report) changed(table, id string, whats []string) {
	r.with(table, func(t *Table) {
		for _, what := range whats {
			add(t.Changed, what, id)
		}
	})
}

func add(to map[string]*Rows, reason, id string) {
	rows := to[reason]
	if rows == nil {
		rows = &Rows{}
		to[reason] = rows
	}
	if rows.Count++; len(rows.IDs) < shownIDs {
		rows.IDs = append(rows.IDs, id)
	}
}

// Write says it in words.
func (r *Report) Write(to io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tread\ttaken\there before\tleft\t")
	for _, name := range tableNames {
		t := r.Tables[name]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t\n", name, t.Read, t.Taken, t.Here, t.Left)
	}
	_ = table.Flush()
	fmt.Fprintf(to, "%d users and %d courses stay with the academy; only their ids came along.\n", r.Users, r.Courses)
	for _, name := range tableNames {
		t := r.Tables[name]
		list(to, "changed in "+name, t.Changed)
		list(to, "left in "+name, t.LeftBecause)
	}
}

func list(to io.Writer, title string, all map[string]*Rows) {
	for _, reason := range slices.Sorted(maps.Keys(all)) {
		rows := all[reason]
		fmt.Fprintf(to, "%s: %s: %d", title, reason, rows.Count)
		if len(rows.IDs) > 0 {
			fmt.Fprintf(to, " (%s", rows.IDs[0])
			if rows.Count > 1 {
				fmt.Fprint(to, " and others")
			}
			fmt.Fprint(to, ")")
		}
		fmt.Fprintln(to)
	}
}
