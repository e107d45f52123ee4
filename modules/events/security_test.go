package events_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events"
)

var changes = map[string]*postgres.Statement{
	"update":   postgres.SQL("test.events.update", `UPDATE events.events SET data = '{}'`),
	"delete":   postgres.SQL("test.events.delete", `DELETE FROM events.events`),
	"truncate": postgres.SQL("test.events.truncate", `TRUNCATE events.events`),
}

var insertions = map[string]*postgres.Statement{
	"event": postgres.SQL("test.events.insert", `
		INSERT INTO events.events (event_id, stream_id, version, type, schema_version, subject_id, data, meta, occurred_at)
		VALUES (gen_random_uuid(), 'goal:x', 1, 'goal.created', 1, 'ada', '{}', '{}', now())`),
	"stream": postgres.SQL("test.events.insert_stream", `
		INSERT INTO events.streams (stream_id, type, subject_id, version, created_at, updated_at) VALUES ('goal:x', 'goal', 'ada', 1, now(), now())`),
	"checkpoint": postgres.SQL("test.events.insert_checkpoint", `INSERT INTO events.checkpoints (subscription, position) VALUES ('x', 1)`),
}

func refusedForRights(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501"
}

func TestTheLogIsAppendOnlyForEveryRole(t *testing.T) {
	b := setup(t)
	b.create(t, goal("ada"), 0)
	people := []auth.Actor{learner("ada"), teacher("tim", "c1"), {UserID: "root", Roles: []auth.Role{auth.Admin}}}
	for name, change := range changes {
		for _, actor := range append(people, system) {
			if _, err := b.db.As(actor).Exec(t.Context(), change, postgres.Args{}); !refusedForRights(err) {
				t.Errorf("%s as %s: got %v", name, actor.Name(), err)
			}
		}
		// The login role is a superuser here.
		if _, err := b.db.Pool().Exec(t.Context(), change.Text()); !refusedForRights(err) {
			t.Errorf("%s as the superuser: got %v", name, err)
		}
	}
	for name, insertion := range insertions {
		for _, actor := range people {
			if _, err := b.db.As(actor).Exec(t.Context(), insertion, postgres.Args{}); !refusedForRights(err) {
				t.Errorf("insert a %s as %s: got %v", name, actor.Name(), err)
			}
		}
	}
	if n := len(b.all(t)); n != 2 {
		t.Errorf("%d events are in the log, want 2", n)
	}
}

// What a reader may see does not rest on the filter.
func TestWithoutTheFilterNoForeignEventIsRead(t *testing.T) {
	b := setup(t)
	for _, who := range []string{"ada", "bob"} {
		for _, course := range []string{"", "c1", "c2"} {
			s := goal(who)
			s.CourseID = course
			b.create(t, s)
		}
	}
	lists := 0
	for _, statement := range postgres.Statements() {
		for name, c := range map[string]struct {
			actor auth.Actor
			args  postgres.Args
			want  int
		}{
			"events.list.learner.position.up":   {learner("ada"), postgres.Args{"actor": "ada"}, 3},
			"events.list.learner.position.down": {learner("ada"), postgres.Args{"actor": "ada"}, 3},
			"events.list.teacher.position.up":   {teacher("tim", "c1"), postgres.Args{"actor": "tim", "courses": []string{"c1"}}, 2},
			"events.list.teacher.position.down": {teacher("tim", "c1"), postgres.Args{"actor": "tim", "courses": []string{"c1"}}, 2},
			"events.list.all.position.up":       {learner("ada"), postgres.Args{}, 3},
		} {
			if statement.Name() != name {
				continue
			}
			lists++
			for _, s := range []*postgres.Statement{statement, statement.Unscoped()} {
				args := postgres.Args{"after": 0, "up_to": 1000, "limit": 1000, "types": nil, "stream": nil, "task": nil, "goal": nil, "subject": nil, "course": nil}
				if s == statement {
					for k, v := range c.args {
						args[k] = v
					}
				}
				rows, err := b.db.As(c.actor).Query(t.Context(), s, args)
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for rows.Next() {
					n++
				}
				if err := rows.Err(); err != nil || n != c.want {
					t.Errorf("%s as %s: %d rows, want %d (%v)\n%s", name, c.actor.Name(), n, c.want, err, s.Text())
				}
			}
		}
	}
	if lists != 5 {
		t.Errorf("%d lists were tried, want 5", lists)
	}
}

func TestTheRegistryOfPersonalDataIsComplete(t *testing.T) {
	b := setup(t)
	rows, err := b.db.Pool().Query(t.Context(), `
		SELECT table_schema || '.' || table_name, array_agg(column_name::text ORDER BY ordinal_position)
		FROM information_schema.columns WHERE table_schema = 'events' GROUP BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	var table string
	var names []string
	if _, err := pgx.ForEachRow(rows, []any{&table, &names}, func() error { columns[table] = append([]string(nil), names...); return nil }); err != nil {
		t.Fatal(err)
	}
	wrong := privacy.Registry{Tables: events.Privacy.Tables}.Check(columns, nil)
	if diff := cmp.Diff([]string(nil), wrong); diff != "" {
		t.Error(diff)
	}
}

func TestUpcastersBringOldPayloadsToTheSchemaOfToday(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	b.create(t, s, 0) // schema 1
	insert := `
		INSERT INTO events.events (event_id, stream_id, version, type, schema_version, subject_id, data, meta, occurred_at)
		VALUES (gen_random_uuid(), $1, 3, 'goal.blocked', 1, 'ada', '{"goal_id":"x","because":"rain","dropped":[1]}', '{}', now())`
	b.exec(t, insert, s.Name())
	b.exec(t, `UPDATE events.streams SET version = 3`)
	b.log.Upcast("goal.blocked", 1, func(data []byte) ([]byte, error) { return renamed(data, "because", "why") })
	b.log.Upcast("goal.blocked", 2, func(data []byte) ([]byte, error) { return renamed(data, "why", "reason") })
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, s, 3, blocked("snow"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	all := b.all(t)
	for i, want := range map[int]string{2: "rain", 3: "snow"} {
		if all[i].Data == nil || reasonOf(all[i]) != want || all[i].SchemaVersion != 3 {
			t.Errorf("event %d: schema %d, %s, %v", i, all[i].SchemaVersion, all[i].Raw, all[i].Data)
		}
	}
	if all[1].SchemaVersion != 1 {
		t.Errorf("a type without upcasters is at schema %d", all[1].SchemaVersion)
	}
	// An older replica, and a payload that no upcaster saves.
	old := newLog(b.db)
	old.Upcast("goal.blocked", 1, func([]byte) ([]byte, error) { return nil, errors.New("can't") })
	history, err := old.Show(context.Background(), s.Name())
	if err != nil || len(history) != 4 || history[2].Data != nil || history[3].Data == nil {
		t.Errorf("history %v, %v", history, err)
	}
}
