package erasure_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// noteFold is a read model of goals, with their owner.
type noteFold struct{}

func (noteFold) StreamType() string { return "goal" }

func (noteFold) Tables() []events.Table { return []events.Table{{Name: "notes.notes", Key: "id"}} }

func (noteFold) Rows(history []events.Event) (map[string][]map[string]any, error) {
	if len(history) == 0 {
		return nil, nil
	}
	row := map[string]any{"id": history[0].Stream.ID, "user_id": history[0].Stream.SubjectID, "title": "", "version": len(history)}
	for _, e := range history {
		if p, ok := e.Data.(*goalsv1.GoalCreated); ok {
			row["title"] = p.Details.Title
		}
	}
	return map[string][]map[string]any{"notes.notes": {row}}, nil
}

var (
	dropNote = postgres.SQL("test.notes.drop", `DELETE FROM notes.notes WHERE id = @id::uuid`)
	putNote  = postgres.SQL("test.notes.put", `INSERT INTO notes.notes SELECT (json_populate_recordset(NULL::notes.notes, @rows::json)).*`)
)

func (f noteFold) Restore(ctx context.Context, tx *postgres.Tx, id string, history []events.Event) error {
	rows, err := f.Rows(history)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, dropNote, postgres.Args{"id": id}); err != nil || len(rows) == 0 {
		return err
	}
	text, err := json.Marshal(rows["notes.notes"])
	if err == nil {
		_, err = tx.Exec(ctx, putNote, postgres.Args{"rows": string(text)})
	}
	return err
}

// notes adds the read model to database, log and registry.
func (b *bundle) notes(t testing.TB) {
	t.Helper()
	b.exec(t, `CREATE SCHEMA notes`)
	b.exec(t, `GRANT USAGE ON SCHEMA notes TO tracker_system`)
	b.exec(t, `CREATE TABLE notes.notes (id uuid PRIMARY KEY, user_id text NOT NULL, title text NOT NULL, version bigint NOT NULL)`)
	b.exec(t, `GRANT ALL ON notes.notes TO tracker_system`)
	b.log.Fold(noteFold{})
	b.more = privacy.Registry{Tables: []privacy.Table{{
		Name: "notes.notes", Class: privacy.Folds, Subject: "user_id", Erase: privacy.DeleteBySubject,
		Personal: []string{"user_id", "title"}, Plain: []string{"id", "version"},
	}}}
}

// note appends n events of a goal of a person, and writes its row.
func (b *bundle) note(t testing.TB, user string, n int) {
	t.Helper()
	s := b.happens(t, user, user, n)
	b.exec(t, `INSERT INTO notes.notes VALUES ($1, $2, $3, $4)`, s.ID, user, "Learn "+user, n)
}
