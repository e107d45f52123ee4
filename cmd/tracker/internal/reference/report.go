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
	IDs   []string `json:"ids,omitempty"`
}

const (
	// shownIDs is how many ids a report names of what has the same reason.
	shownIDs = 20
	// maxReasons is how many reasons a report tells apart: some name sizes.
	maxReasons = 100
)

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

func (r *Report) taken(table string) { r.with(table, func(t *Table) { t.Read++; t.Taken++ }) }
func (r *Report) here(table string)  { r.with(table, func(t *Table) { t.Read++; t.Here++ }) }

func (r *Report) left(table, id, why string) {
	r.with(table, func(t *Table) { t.Read++; t.Left++; add(t.LeftBecause, why, 1, id) })
}

// leftMany are rows that nobody looks at one by one.
func (r *Report) leftMany(table, why string, n int) {
	r.with(table, func(t *Table) { t.Read += n; t.Left += n; add(t.LeftBecause, why, n) })
}

func (r *Report) changed(table, id string, whats []string) {
	slices.Sort(whats)
	r.with(table, func(t *Table) {
		for _, what := range slices.Compact(whats) {
			add(t.Changed, what, 1, id)
		}
	})
}

// merge adds what another report counted.
func (r *Report) merge(other *Report) {
	for name, from := range other.Tables {
		r.with(name, func(t *Table) {
			t.Read, t.Taken, t.Here, t.Left = t.Read+from.Read, t.Taken+from.Taken, t.Here+from.Here, t.Left+from.Left
			for what, rows := range from.Changed {
				add(t.Changed, what, rows.Count, rows.IDs...)
			}
			for why, rows := range from.LeftBecause {
				add(t.LeftBecause, why, rows.Count, rows.IDs...)
			}
		})
	}
}

func add(to map[string]*Rows, reason string, n int, ids ...string) {
	rows := to[reason]
	if rows == nil && len(to) >= maxReasons {
		reason = "other reasons"
		rows = to[reason]
	}
	if rows == nil {
		rows = &Rows{}
		to[reason] = rows
	}
	rows.Count += n
	rows.IDs = append(rows.IDs, ids[:min(len(ids), shownIDs-len(rows.IDs))]...)
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
