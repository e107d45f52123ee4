package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// noteFold is a read model with a column of every kind, and a table with many
// rows for a stream.
type noteFold struct{}

const noteTables = `
	CREATE SCHEMA notes;
	GRANT USAGE ON SCHEMA notes TO tracker_system;
	CREATE TABLE notes.notes (
		id uuid PRIMARY KEY, user_id text NOT NULL, title varchar(500) NOT NULL CHECK (title <> ''), priority text CHECK (priority IN ('low', 'high')),
		criteria text[] NOT NULL, metadata jsonb NOT NULL, raw json, progress double precision NOT NULL, hours numeric(6, 2),
		started boolean NOT NULL, digest bytea, due_at timestamptz, day date, created_at timestamptz NOT NULL, version bigint NOT NULL
	);
	CREATE TABLE notes.lines (note_id uuid NOT NULL, nth int NOT NULL, body varchar NOT NULL);
	GRANT ALL ON notes.notes, notes.lines TO tracker_system`

func (noteFold) StreamType() string { return "goal" }

func (noteFold) Tables() []events.Table {
	return []events.Table{{Name: "notes.notes", Key: "id"}, {Name: "notes.lines", Key: "note_id"}}
}

func (noteFold) Rows(history []events.Event) (map[string][]map[string]any, error) {
	if len(history) == 0 {
		return nil, nil
	}
	var row map[string]any
	var lines []map[string]any
	for _, e := range history {
		switch p := e.Data.(type) {
		case *goalsv1.GoalCreated:
			hours := 1.5
			row = map[string]any{
				"id": uuid.MustParse(e.Stream.ID), "user_id": e.Stream.SubjectID, "title": p.Details.Title, "priority": nil,
				"criteria": []string{"a", "b"}, "metadata": json.RawMessage(p.Details.Metadata), "raw": json.RawMessage(`{"n": 1.50}`),
				"progress": 12.5, "hours": &hours, "started": false, "digest": []byte{1, 255},
				"due_at": (*time.Time)(nil), "day": "2026-01-02", "created_at": e.OccurredAt,
			}
			for i, text := range []string{"x", "x", "y"} {
				lines = append(lines, map[string]any{"note_id": e.Stream.ID, "nth": i / 2, "body": text})
			}
		case *goalsv1.GoalStarted:
			row["started"], row["due_at"] = true, &e.OccurredAt
		case *goalsv1.GoalDeleted:
			return nil, nil
		default:
			return nil, fmt.Errorf("no rule for %s", e.Type)
		}
		row["version"] = e.Version
	}
	return map[string][]map[string]any{"notes.notes": {row}, "notes.lines": lines}, nil
}

var (
	clearNote = postgres.SQL("test.notes.clear", `
		WITH lines AS (DELETE FROM notes.lines WHERE note_id = @id::uuid)
		DELETE FROM notes.notes WHERE id = @id::uuid AND NOT @keep::boolean`)
	fillLines = postgres.SQL("test.notes.lines.fill", `
		INSERT INTO notes.lines SELECT note_id, nth, body FROM json_populate_recordset(NULL::notes.lines, @lines::json)`)
	fillNote = postgres.SQL("test.notes.fill", `
		INSERT INTO notes.notes SELECT (json_populate_recordset(NULL::notes.notes, @notes::json)).*
		ON CONFLICT (id) DO UPDATE SET
			(user_id, title, priority, criteria, metadata, raw, progress, hours, started, digest, due_at, day, created_at, version) =
			(excluded.user_id, excluded.title, excluded.priority, excluded.criteria, excluded.metadata, excluded.raw, excluded.progress,
			 excluded.hours, excluded.started, excluded.digest, excluded.due_at, excluded.day, excluded.created_at, excluded.version)`)
)

func (f noteFold) Restore(ctx context.Context, tx *postgres.Tx, id string, history []events.Event) error {
	rows, err := f.Rows(history)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, clearNote, postgres.Args{"id": id, "keep": len(rows) > 0}); err != nil || len(rows) == 0 {
		return err
	}
	for _, row := range rows["notes.notes"] {
		row["digest"] = `\x01ff`
	}
	notes, err := json.Marshal(rows["notes.notes"])
	if err != nil {
		return err
	}
	lines, err := json.Marshal(rows["notes.lines"])
	if err != nil {
		return err
	}
	if _, err = tx.Exec(ctx, fillNote, postgres.Args{"notes": string(notes)}); err == nil {
		_, err = tx.Exec(ctx, fillLines, postgres.Args{"lines": string(lines)})
	}
	return err
}

// setupNotes makes two notes and one that is deleted, with their rows.
func setupNotes(t *testing.T) (bundle, []events.Stream) {
	t.Helper()
	b := setup(t)
	if _, err := b.db.Pool().Exec(t.Context(), noteTables); err != nil {
		t.Fatal(err)
	}
	b.log.Fold(noteFold{})
	streams := []events.Stream{goal("ada"), goal("ada"), goal("ada")}
	for _, s := range streams {
		b.create(t, s, 0)
	}
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, streams[2], 2, &goalsv1.GoalDeleted{GoalId: streams[2].ID})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	done, err := b.log.Rebuild(t.Context(), "goal")
	if err != nil || done != (events.Rebuilt{Streams: 3}) {
		t.Fatalf("rebuilt %+v: %v", done, err)
	}
	return b, streams
}

func (b bundle) verify(t *testing.T) events.Report {
	t.Helper()
	report, err := b.log.Verify(t.Context(), events.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (b bundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := b.db.Pool().Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestAChangeOfAnyColumnTurnsVerifyRed(t *testing.T) {
	b, _ := setupNotes(t)
	if report := b.verify(t); !report.OK() || report.Streams != 3 || report.Rows != 8 {
		t.Fatalf("report %+v", report)
	}
	eventstest.EveryColumnTurnsRed(t, b.db, b.log)
}

func TestVerifyFindsRowsAndRebuildRestoresThem(t *testing.T) {
	b, streams := setupNotes(t)
	for name, c := range map[string]struct{ damage, problem string }{
		"a missing row":               {`DELETE FROM notes.notes WHERE id = '` + streams[0].ID + `'`, "a row is missing"},
		"one of many rows missing":    {`DELETE FROM notes.lines WHERE note_id = '` + streams[0].ID + `' AND nth = 1`, "a row is missing"},
		"a row too many":              {`INSERT INTO notes.lines SELECT note_id, 9, 'z' FROM notes.lines WHERE note_id = '` + streams[1].ID + `' LIMIT 1`, "a row too many"},
		"a row twice":                 {`INSERT INTO notes.lines SELECT note_id, nth, body FROM notes.lines WHERE note_id = '` + streams[1].ID + `' AND nth = 1`, "a row too many"},
		"a row of a deleted entity":   {`INSERT INTO notes.lines VALUES ('` + streams[2].ID + `', 0, 'x')`, "a row too many"},
		"a row without stream":        {`INSERT INTO notes.lines VALUES ('` + uuid.NewString() + `', 0, 'x')`, "a row without a stream"},
		"a column swapped by the way": {`UPDATE notes.notes SET progress = progress + 0.0001`, "it differs"},
	} {
		b.exec(t, c.damage)
		report := b.verify(t)
		if report.OK() || report.Differences[0].Problem != c.problem {
			t.Errorf("%s: found %v", name, report.Differences)
		}
		if _, err := b.log.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		if report := b.verify(t); !report.OK() {
			t.Errorf("%s: after the rebuild: %v", name, report.Differences)
		}
	}
	b.exec(t, `ALTER TABLE notes.notes ADD COLUMN forgotten text`)
	report := b.verify(t)
	if len(report.Differences) != 2 || !strings.Contains(report.Differences[0].String(), "notes.notes.forgotten: the fold does not say") {
		t.Errorf("a column that no fold knows: %v", report.Differences)
	}
}

func TestVerifyFindsStreamsWhoseEventsDontCountUp(t *testing.T) {
	b, streams := setupNotes(t)
	s := streams[0].Name()
	for name, damage := range map[string]string{
		"an event lost at the end":       `DELETE FROM events.events WHERE stream_id = $1 AND version = 2`,
		"an event lost at the beginning": `DELETE FROM events.events WHERE stream_id = $1 AND version = 1`,
		"a version moved":                `UPDATE events.streams SET version = 7 WHERE stream_id = $1`,
		"a stream lost":                  `DELETE FROM events.streams WHERE stream_id = $1`,
	} {
		tx, err := b.db.Pool().Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Kept aside, to be put back.
		for _, sql := range []string{
			`SET LOCAL session_replication_role = replica`,
			`CREATE TABLE notes.e AS TABLE events.events`, `CREATE TABLE notes.s AS TABLE events.streams`,
		} {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		if tag, err := tx.Exec(t.Context(), damage, s); err != nil || tag.RowsAffected() != 1 {
			t.Fatalf("%s: %v %v", name, tag, err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		report := b.verify(t)
		if report.OK() || report.Differences[0].StreamName != s || !strings.Contains(report.Differences[0].Problem, "its version is") {
			t.Errorf("%s: found %v", name, report.Differences)
		}
		b.exec(t, `ALTER TABLE events.events DISABLE TRIGGER ALL`)
		b.exec(t, `ALTER TABLE events.streams DISABLE TRIGGER ALL`)
		b.exec(t, `DELETE FROM events.events`)
		b.exec(t, `DELETE FROM events.streams`)
		b.exec(t, `INSERT INTO events.events OVERRIDING SYSTEM VALUE TABLE notes.e`)
		b.exec(t, `INSERT INTO events.streams TABLE notes.s`)
		b.exec(t, `DROP TABLE notes.e, notes.s`)
		b.exec(t, `ALTER TABLE events.events ENABLE TRIGGER ALL`)
		b.exec(t, `ALTER TABLE events.streams ENABLE TRIGGER ALL`)
	}
	if report := b.verify(t); !report.OK() {
		t.Errorf("put back: %v", report.Differences)
	}
}

func TestVerifyAndRebuildWorkBesideWriters(t *testing.T) {
	b, streams := setupNotes(t)
	b.log.React("goal.started", func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
		_, err := tx.Exec(ctx, startNote, postgres.Args{"id": e.Stream.ID, "at": e.OccurredAt, "version": e.Version})
		return err
	})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, s := range streams[:2] {
		wg.Go(func() {
			for version := int64(2); ctx.Err() == nil; version++ {
				if err := b.inTx(func(tx *postgres.Tx) error {
					b.log.Append(tx, s, version, started(s))
					return nil
				}); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(3 * time.Millisecond)
			}
		})
	}
	for range 15 {
		if report := b.verify(t); !report.OK() {
			t.Errorf("beside writers: %v", report.Differences)
		}
		if _, err := b.log.Rebuild(t.Context()); err != nil {
			t.Error(err)
		}
	}
	stop()
	wg.Wait()
	eventstest.Verify(t, b.log)
}

var startNote = postgres.SQL("test.notes.start", `UPDATE notes.notes SET started = true, due_at = @at, version = @version WHERE id = @id::uuid`)

func TestAnUnreadableHistoryIsReportedAndStopsNoOther(t *testing.T) {
	b, _ := setupNotes(t)
	odd := goal("ada")
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, odd, 0, &goalsv1.GoalCancelled{GoalId: odd.ID})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	b.exec(t, `UPDATE notes.notes SET progress = 99`)
	report := b.verify(t)
	if len(report.Differences) != 3 {
		t.Errorf("found %v, want the odd stream and two rows", report.Differences)
	}
	limited, err := b.log.Verify(t.Context(), events.VerifyOptions{MaxDifferences: 1})
	if err != nil || !limited.Incomplete || len(limited.Differences) != 1 {
		t.Errorf("with a limit: %+v, %v", limited, err)
	}
}
