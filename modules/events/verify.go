package events

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// VerifyOptions says what to verify. The zero value verifies all.
type VerifyOptions struct {
	// StreamTypes are those whose folds are compared; empty for all.
	StreamTypes []string
	// MaxDifferences ends the search when so many were found. Defaults to 100.
	MaxDifferences int
}

// Report is what Verify found.
type Report struct {
	// Streams and Rows were compared.
	Streams, Rows int
	Differences   []Difference
	// Incomplete is set when the search ended at MaxDifferences.
	Incomplete bool
}

// OK reports whether log and folds agree.
func (r Report) OK() bool { return len(r.Differences) == 0 }

// Difference is where log and folds disagree. It may hold personal data.
type Difference struct {
	// StreamName is "goal:0190…".
	StreamName string
	// Table and Column are empty when it is about the stream itself; Column is
	// empty when it is about a whole row.
	Table, Column string
	// Problem says what is wrong.
	Problem string
	// Want is what the events say and Have what is stored, as JSON, shortened.
	Want, Have string
}

// String is the difference in a line.
func (d Difference) String() string {
	text := d.StreamName
	if d.Table != "" {
		text += ": " + d.Table
	}
	if d.Column != "" {
		text += "." + d.Column
	}
	text += ": " + d.Problem
	if d.Want != "" || d.Have != "" {
		text += fmt.Sprintf(" (events say %s, stored is %s)", d.Want, d.Have)
	}
	return text
}

// verifyPage is how many streams are compared on one snapshot.
const verifyPage = 100

// errEnough ends a search that has found its number.
var errEnough = errors.New("enough differences")

// Verify compares the rows of every fold with what the events say: each column
// of each row, rows without stream, and whether each stream's events count up
// to its version. It may run beside writers: each page is one snapshot.
func (l *Log) Verify(ctx context.Context, o VerifyOptions) (Report, error) {
	v := &verification{log: l, max: positive(o.MaxDifferences, 100)}
	err := v.gaps(ctx)
	for _, f := range l.folds {
		if err == nil && (len(o.StreamTypes) == 0 || slices.Contains(o.StreamTypes, f.StreamType())) {
			err = v.fold(ctx, f)
		}
	}
	if errors.Is(err, errEnough) {
		v.report.Incomplete = true
		err = nil
	}
	return v.report, err
}

type verification struct {
	log    *Log
	max    int
	report Report
}

func (v *verification) found(d Difference) error {
	v.report.Differences = append(v.report.Differences, d)
	if len(v.report.Differences) >= v.max {
		return errEnough
	}
	return nil
}

func (v *verification) gaps(ctx context.Context) error {
	return store.ReadSnapshot(ctx, v.log.db.Pool(), func(s store.Snapshot) error {
		gaps, err := s.Gaps(ctx, v.max)
		for _, g := range gaps {
			problem := fmt.Sprintf("its version is %d, but it has %d events from %d to %d", g.Version, g.Count, g.First, g.Last)
			if err := v.found(Difference{StreamName: g.Stream, Problem: problem}); err != nil {
				return err
			}
		}
		return err
	})
}

func (v *verification) fold(ctx context.Context, f Folder) error {
	for after, more := "", true; more; {
		err := store.ReadSnapshot(ctx, v.log.db.Pool(), func(s store.Snapshot) error {
			names, err := s.Streams(ctx, f.StreamType(), after, verifyPage)
			if err != nil {
				return err
			}
			if more = len(names) == verifyPage; len(names) == 0 {
				return nil
			}
			after = names[len(names)-1]
			return v.page(ctx, s, f, names)
		})
		if err != nil {
			return err
		}
	}
	return store.ReadSnapshot(ctx, v.log.db.Pool(), func(s store.Snapshot) error { return v.orphans(ctx, s, f) })
}

func (v *verification) page(ctx context.Context, s store.Snapshot, f Folder, names []string) error {
	want, broken, err := v.want(ctx, s, f, names)
	if err != nil {
		return err
	}
	ids := make([]string, len(names))
	for i, name := range names {
		stream, _ := ParseStream(name)
		ids[i] = stream.ID
	}
	v.report.Streams += len(names)
	for _, table := range f.Tables() {
		t, err := s.FoldTable(ctx, table.Name, table.Key)
		if err != nil {
			return err
		}
		stored, err := s.Rows(ctx, t, ids)
		if err != nil {
			return err
		}
		v.report.Rows += len(stored)
		have := map[string][][]byte{}
		for _, row := range stored {
			have[row.Key] = append(have[row.Key], row.JSON)
		}
		for i, name := range names {
			if broken[name] {
				continue
			}
			differences, err := compareRows(want[name][table.Name], have[ids[i]])
			if err != nil {
				return fmt.Errorf("compare %s of %s: %w", table.Name, name, err)
			}
			for _, d := range differences {
				d.StreamName, d.Table = name, table.Name
				if err := v.found(d); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// want folds the histories of streams; those that can't be folded are reported
// and come back as broken.
func (v *verification) want(ctx context.Context, s store.Snapshot, f Folder, names []string) (map[string]map[string][]map[string]any, map[string]bool, error) {
	records, err := s.Histories(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	want, broken := map[string]map[string][]map[string]any{}, map[string]bool{}
	for first := 0; first < len(records); {
		name, last := records[first].Stream, first
		for last < len(records) && records[last].Stream == name {
			last++
		}
		history, err := v.log.history(records[first:last])
		if err == nil {
			want[name], err = foldRows(f, history)
		}
		if err != nil {
			broken[name] = true
			if err := v.found(Difference{StreamName: name, Problem: err.Error()}); err != nil {
				return nil, nil, err
			}
		}
		first = last
	}
	return want, broken, nil
}

// foldRows is f.Rows for histories that are not to be trusted here.
func foldRows(f Folder, history []Event) (rows map[string][]map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("fold its events: panic: %v", r)
		}
	}()
	rows, err = f.Rows(history)
	if err != nil {
		return nil, fmt.Errorf("fold its events: %w", err)
	}
	for name := range rows {
		if !slices.ContainsFunc(f.Tables(), func(t Table) bool { return t.Name == name }) {
			return nil, fmt.Errorf("fold its events: rows for %s, which is no table of the fold", name)
		}
	}
	return rows, nil
}

// history decodes a whole stream; every event must be readable, and positions
// must follow versions.
func (l *Log) history(records []store.Record) ([]Event, error) {
	events := make([]Event, len(records))
	for i, r := range records {
		e, err := l.decode(r)
		if err != nil {
			return nil, err
		}
		if i > 0 && e.Position <= events[i-1].Position {
			return nil, fmt.Errorf("its version %d stands at position %d, before the one it follows", e.Version, e.Position)
		}
		events[i] = e
	}
	return events, nil
}

func (v *verification) orphans(ctx context.Context, s store.Snapshot, f Folder) error {
	for _, table := range f.Tables() {
		t, err := s.FoldTable(ctx, table.Name, table.Key)
		if err != nil {
			return err
		}
		keys, err := s.Orphans(ctx, t, f.StreamType(), v.max)
		if err != nil {
			return err
		}
		for _, key := range keys {
			name := Stream{Type: f.StreamType(), ID: key}.Name()
			if err := v.found(Difference{StreamName: name, Table: table.Name, Problem: "a row without a stream"}); err != nil {
				return err
			}
		}
	}
	return nil
}
