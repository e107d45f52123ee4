package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/internal/store"
)

func entry(user, course string, cost int64) llm.Entry {
	return llm.Entry{
		Caller: llm.Caller{UserID: user, CourseID: course, RunID: "run"}, Purpose: llm.Plan,
		Source:       llm.Source{Provider: "llm-openai", Model: "gpt-4o-mini", Remote: true},
		PriceVersion: llm.PriceVersion, InputTokens: 10, OutputTokens: 20, CostMicros: cost,
	}
}

var noCaps = llm.Caps{Learner: -1, Course: -1, Team: -1}

func TestConcurrentReservationsNeverPassACap(t *testing.T) {
	db := postgrestest.DB(t)
	u := store.NewUsage(db)
	for _, c := range []struct {
		name string
		caps llm.Caps
		e    func(i int) llm.Entry
	}{
		{"learner", llm.Caps{Learner: 500, Course: -1, Team: -1}, func(int) llm.Entry { return entry("u1", "", 100) }},
		{"course", llm.Caps{Learner: -1, Course: 500, Team: -1}, func(i int) llm.Entry { return entry("c"+string(rune('a'+i)), "c1", 100) }},
		{"team", llm.Caps{Learner: 10_000, Course: 10_000, Team: 1500}, func(i int) llm.Entry { return entry("t"+string(rune('a'+i)), "c2", 100) }},
	} {
		var granted, refused atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				switch _, err := u.Reserve(context.Background(), c.e(i), c.caps); {
				case err == nil:
					granted.Add(1)
				case llm.ErrOverBudget.Is(err):
					refused.Add(1)
				default:
					t.Errorf("%s: %v", c.name, err)
				}
			})
		}
		wg.Wait()
		// The team's cap of 1500 holds the 1000 of the two cases before.
		if granted.Load() != 5 || refused.Load() != 11 {
			t.Errorf("%s: granted %d, refused %d; want 5 and 11", c.name, granted.Load(), refused.Load())
		}
	}
}

var costNow = postgres.SQL("test.llm_cost", `SELECT coalesce(sum(cost_micros), 0)::bigint, count(*), count(settled_at) FROM llm.usage`)

func read(t *testing.T, db *postgres.DB, actor auth.Actor) (cost, rows, settled int64) {
	t.Helper()
	if err := db.As(actor).QueryRow(context.Background(), costNow, postgres.Args{}).Scan(&cost, &rows, &settled); err != nil {
		t.Fatal(err)
	}
	return cost, rows, settled
}

func TestWhatIsSettledOrReleasedMakesRoomAgain(t *testing.T) {
	db := postgrestest.DB(t)
	u, ctx := store.NewUsage(db), context.Background()
	caps := llm.Caps{Learner: 100, Course: -1, Team: -1}
	reserve := func(cost int64) (uuid.UUID, error) { return u.Reserve(ctx, entry("u1", "", cost), caps) }
	first, err := reserve(90)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = reserve(20); !llm.ErrOverBudget.Is(err) {
		t.Fatalf("got %v", err)
	}
	if _, err = reserve(0); err != nil {
		t.Errorf("a free call passes no cap: %v", err)
	}
	if err = u.Settle(ctx, first, entry("u1", "", 30)); err != nil {
		t.Fatal(err)
	}
	second, err := reserve(70)
	if err != nil {
		t.Fatalf("after settling: %v", err)
	}
	if err = u.Release(ctx, second); err != nil {
		t.Fatal(err)
	}
	if err = u.Release(ctx, first); err != nil {
		t.Fatal(err)
	}
	if cost, rows, settled := read(t, db, auth.System("test")); cost != 30 || rows != 2 || settled != 1 {
		t.Errorf("cost %d, %d rows, %d settled: what is settled stays", cost, rows, settled)
	}
}

func TestALearnerSeesHisOwnUsageAndChangesNone(t *testing.T) {
	db := postgrestest.DB(t)
	u, ctx := store.NewUsage(db), context.Background()
	for _, e := range []llm.Entry{entry("u1", "c1", 1), entry("u2", "c1", 2), entry("", "c1", 4)} {
		if _, err := u.Reserve(ctx, e, noCaps); err != nil {
			t.Fatal(err)
		}
	}
	student := auth.Actor{UserID: "u1", Roles: []auth.Role{auth.Student}}
	teacher := auth.Actor{UserID: "u2", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}}
	if cost, rows, _ := read(t, db, student); cost != 1 || rows != 1 {
		t.Errorf("the learner reads %d rows of cost %d", rows, cost)
	}
	if cost, rows, _ := read(t, db, teacher); cost != 7 || rows != 3 {
		t.Errorf("the course's teacher reads %d rows of cost %d", rows, cost)
	}
	teacher.CourseIDs = []string{"c2"}
	if cost, rows, _ := read(t, db, teacher); cost != 2 || rows != 1 {
		t.Errorf("another course's teacher reads %d rows of cost %d", rows, cost)
	}
	if _, err := db.As(student).Exec(ctx, zero, postgres.Args{}); err == nil {
		t.Error("a learner can change the ledger")
	}
}

var zero = postgres.SQL("test.llm_zero", `UPDATE llm.usage SET cost_micros = 0`)
