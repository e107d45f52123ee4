package events

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// Rebuilt counts what Rebuild restored.
type Rebuilt struct {
	// Streams whose rows were restored, and rows' keys without a stream whose
	// rows were removed.
	Streams, Orphans int
}

// Rebuild restores the rows of the folds of some stream types, or of all, from
// the log: stream by stream, each in a transaction that holds the stream, beside
// writers.
func (l *Log) Rebuild(ctx context.Context, streamTypes ...string) (done Rebuilt, err error) {
	var again []restoring
	for _, f := range l.folds {
		if len(streamTypes) > 0 && !slices.Contains(streamTypes, f.StreamType()) {
			continue
		}
		later, err := l.rebuildFold(ctx, tabled{Folder: f}, &done)
		if err != nil {
			return done, err
		}
		again = append(again, later...)
	}
	// Rows that hang on others' rows, which are there by now.
	for _, r := range again {
		if err := l.restore(ctx, r.fold, r.id); err != nil {
			return done, err
		}
	}
	return done, nil
}

type restoring struct {
	fold tabled
	id   string
}

// tabled is a fold with its tables as SQL wants them.
type tabled struct {
	Folder
	tables []store.FoldTable
}

func (l *Log) rebuildFold(ctx context.Context, f tabled, done *Rebuilt) (later []restoring, err error) {
	orphans, err := l.orphansOf(ctx, &f)
	if err != nil {
		return nil, err
	}
	for _, id := range orphans {
		if err := l.restore(ctx, f, id); err != nil {
			return nil, err
		}
		done.Orphans++
	}
	for after := ""; ; {
		var names []string
		if err := store.ReadSnapshot(ctx, l.db.Pool(), func(s store.Snapshot) (err error) {
			names, err = s.Streams(ctx, f.StreamType(), after, verifyPage)
			return err
		}); err != nil {
			return nil, err
		}
		for _, name := range names {
			s, _ := ParseStream(name)
			err := l.restore(ctx, f, s.ID)
			if isMissingParent(err) {
				later = append(later, restoring{f, s.ID})
			} else if err != nil {
				return nil, err
			}
			done.Streams++
		}
		if len(names) < verifyPage {
			return later, nil
		}
		after = names[len(names)-1]
	}
}

// manyOrphans bounds what one rebuild removes.
const manyOrphans = 10_000

// orphansOf looks the fold's tables up, and rows in them that have no stream.
func (l *Log) orphansOf(ctx context.Context, f *tabled) (all []string, err error) {
	err = store.ReadSnapshot(ctx, l.db.Pool(), func(s store.Snapshot) error {
		for _, table := range f.Tables() {
			t, err := s.FoldTable(ctx, table.Name, table.Key)
			if err != nil {
				return err
			}
			f.tables = append(f.tables, t)
			ids, err := s.Orphans(ctx, t, f.StreamType(), manyOrphans)
			if err != nil {
				return err
			}
			all = append(all, ids...)
		}
		return nil
	})
	slices.Sort(all)
	return slices.Compact(all), err
}

func (l *Log) restore(ctx context.Context, f tabled, id string) error {
	name := Stream{Type: f.StreamType(), ID: id}.Name()
	return l.db.InTx(ctx, postgres.As(auth.System("rebuild")), func(ctx context.Context, tx *postgres.Tx) error {
		for _, t := range f.tables {
			if err := store.LockRows(ctx, tx, t, id); err != nil {
				return err
			}
		}
		records, err := store.LockedHistory(ctx, tx, name)
		if err != nil {
			return err
		}
		history, err := l.history(records)
		if err != nil {
			return fmt.Errorf("rebuild %s: %w", name, err)
		}
		if err := f.Restore(ctx, tx, id, history); err != nil {
			return fmt.Errorf("rebuild %s: %w", name, err)
		}
		if len(l.unit(tx).events) > 0 {
			return fmt.Errorf("rebuild %s: its fold appended to the log", name)
		}
		return nil
	})
}

func isMissingParent(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23503"
}
