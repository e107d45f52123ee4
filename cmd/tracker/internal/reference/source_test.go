package reference_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/reference"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
)

// on calls fn once, while the nth event is about to be written.
func (b *bundle) on(nth int, fn func()) {
	var mu sync.Mutex
	seen := 0
	for _, kind := range events.Types() {
		b.Log.React(kind, func(context.Context, *postgres.Tx, events.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if seen++; seen == nth {
				fn()
			}
			return nil
		})
	}
}

const goesOn = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'`

func TestASourceThatDiesIsTakenOverWhenItIsBack(t *testing.T) {
	b, whole := setup(t), setup(t)
	whole.run()
	b.on(3, func() { b.source(strings.Replace(goesOn, "pid FROM", "pg_terminate_backend(pid) FROM", 1)) })
	if r, err := b.Importer.Run(t.Context(), b.url); err == nil || !strings.Contains(err.Error(), "read what to import") || r == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	b.adds(b.run())
	if b.count() != whole.count() {
		t.Errorf("there are %d events, in one go %d", b.count(), whole.count())
	}
	b.verify()
}

func TestWhatIsWrittenMeanwhileIsTakenByTheNextImportAndTwoDoNotMeet(t *testing.T) {
	b := setup(t)
	var second error
	b.on(3, func() {
		b.source(`INSERT INTO tasks (id, goal_id, user_id, title, task_type, status, created_at, updated_at) VALUES
			('new', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0003', 'bob', 'New', 'code', 'todo', '2025-05-01', '2025-05-01')`)
		other := reference.Importer{DB: b.DB, Log: b.Log, Goals: b.Goals, Tasks: b.Tasks, Validation: b.Validation}
		_, second = other.Run(t.Context(), b.url)
	})
	if r := b.run(); r.Tables["tasks"].Read != 8 {
		t.Errorf("%+v", r.Tables["tasks"])
	}
	if second == nil || !strings.Contains(second.Error(), "another import reads this database") {
		t.Errorf("%v", second)
	}
	r := b.run()
	if b.adds(r); r.Tables["tasks"].Taken != 1 || r.Tables["goals"].Taken != 0 {
		t.Errorf("%+v", r.Tables["tasks"])
	}
}

func TestALoginThatMayOnlyReadIsEnoughWhateverTimesTheOtherServerSets(t *testing.T) {
	b := setup(t)
	reader := "reader_" + b.source(`SELECT left(md5(current_database()), 8)`)[0]
	b.source(`CREATE ROLE ` + reader + `; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ` + reader)
	b.source(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = 1', current_database());
		EXECUTE format('ALTER DATABASE %I SET timezone = ''Asia/Tokyo''', current_database()); END $$`)
	at, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	at.RawQuery += "&options=-c%20role%3D" + reader
	r, err := b.Importer.Run(t.Context(), at.String())
	b.source(`DROP OWNED BY ` + reader + `; DROP ROLE ` + reader)
	if err != nil {
		t.Fatal(err)
	}
	b.adds(r)
	if g := b.goal(fastAPI); !g.CreatedAt.Equal(on("2025-01-10 09:00:00")) {
		t.Errorf("%v", g.CreatedAt)
	}
}

func TestADatabaseThatLacksSomethingOrHasAnIdTwiceIsRefusedWithAllThatIsWrong(t *testing.T) {
	b := setup(t)
	b.source(`ALTER TABLE events DROP CONSTRAINT events_pkey; UPDATE events SET id = 'same'`)
	if _, err := b.Importer.Run(t.Context(), b.url); err == nil || !strings.Contains(err.Error(), "3 rows of events whose id") {
		t.Errorf("%v", err)
	}
	b.source(`ALTER TABLE goals DROP due_date, DROP goal_metadata; ALTER TABLE tasks RENAME ai_feedback TO feedback; DROP TABLE embeddings`)
	_, err := b.Importer.Run(t.Context(), b.url)
	for _, want := range []string{"in table goals no column due_date, goal_metadata", "in table tasks no column ai_feedback", "no table embeddings"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "code_snapshots") {
		t.Errorf("%v", err)
	}
}

func TestNoErrorTellsThePassword(t *testing.T) {
	im := reference.Importer{}
	closed := "127.0.0.1:1"
	for _, from := range []string{
		"postgresql://ada:hunter2secret@" + closed + "/x", "postgresql+asyncpg://ada:hunter2secret@" + closed + "/x?sslmode=nonsense",
		"postgresql://ada:hunter2secret%zz@" + closed + "/x", "postgresql://ada:hunter2secret@" + closed + ":port/x",
		"postgres//ada:hunter2secret@" + closed + "/x", "host=127.0.0.1 port=1 user=ada password=hunter2secret dbname=x",
		"host=127.0.0.1 port=1 user=ada password='hunter2secret dbname=x", "mysql://ada:hunter2secret@" + closed + "/x",
		"postgresql://ada:hunter2secret@" + closed + "/x?password=hunter2secret&connect_timeout=soon",
		"postgresql://ada:p@ss:hunter2secret@" + closed + "/x y", "postgresql://ada:hunter2secret#@" + closed + "/x",
		postgrestest.Empty(t) + "&password=hunter2secret",
	} {
		if _, err := im.Run(t.Context(), from); err == nil || strings.Contains(err.Error(), "hunter2secret") {
			t.Errorf("%s: %v", from, err)
		}
	}
}
