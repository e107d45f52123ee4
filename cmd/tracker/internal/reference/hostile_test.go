package reference_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/reference"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// source runs SQL on the database to import from and gives the first column.
func (b *bundle) source(sql string) (found []string) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), b.url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(b.Context())) }()
	results, err := conn.PgConn().Exec(b.Context(), sql).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	for _, result := range results {
		for _, row := range result.Rows {
			found = append(found, string(row[0]))
		}
	}
	return found
}

// adds compares a report with the rows of the source, and gives what was left
// and changed, by reason.
func (b *bundle) adds(r *reference.Report) map[string]int {
	b.Helper()
	reasons := map[string]int{}
	for table, of := range r.Tables {
		if rows := b.source("SELECT count(*) FROM " + table)[0]; rows != fmt.Sprint(of.Read) || of.Taken+of.Here+of.Left != of.Read {
			b.Errorf("%s has %s rows, the report says %+v", table, rows, of)
		}
		left := 0
		for why, rows := range of.LeftBecause {
			left += rows.Count
			reasons[table+": "+why] = rows.Count
		}
		if left != of.Left {
			b.Errorf("%d rows of %s are left, for %d there is a reason", of.Left, table, left)
		}
		for what, rows := range of.Changed {
			reasons[table+" changed: "+what] = rows.Count
		}
	}
	return reasons
}

func (b *bundle) verify() {
	b.Helper()
	if differ, err := b.Log.Verify(b.Context(), events.VerifyOptions{}); err != nil || len(differ.Differences) > 0 {
		b.Errorf("the folds differ from the log: %+v, %v", differ, err)
	}
}

func TestEveryRowIsTakenOrLeftWhateverIsInIt(t *testing.T) {
	b := setup(t)
	hostile, err := os.ReadFile("testdata/hostile.sql")
	if err != nil {
		t.Fatal(err)
	}
	b.source(string(hostile))
	reasons := b.adds(b.run())
	for reason, want := range map[string]int{
		"goals: its user_id has not 1 to 36 characters":                                     2,
		"goals changed: priority is none of this system's, taken as medium":                 1,
		"goals changed: status is none of this system's, taken as pending":                  1,
		"goals changed: created_at lies before 1970 or is still to come, left out":          3,
		"goals changed: due_date lies outside of the years 1 to 9999, left out":             2,
		"goals changed: made at an unknown time, taken as now":                              2,
		"goals changed: goal_metadata of more than 262144 bytes left out":                   1,
		"goals changed: had no title":                                                       1,
		"tasks: its goal is not there":                                                      1,
		"tasks changed: task_type is none of this system's, taken as other":                 1,
		"tasks changed: status is none of this system's, taken as todo":                     1,
		"tasks changed: actual_hours outside of 0 to 10,000 left out":                       2,
		"tasks changed: ai_feedback cut to 100000 characters":                               1,
		"code_snapshots: its task was left":                                                 2,
		"code_snapshots: it belongs to no task":                                             2,
		"code_snapshots changed: had no file_path":                                          1,
		"code_snapshots: its code has more than 8 MiB":                                      1,
		"code_snapshots: it belongs to another user than its task":                          1,
		"events changed: payload of more than 262144 bytes left out":                        1,
		"events changed: created_at lies before 1970 or is still to come, left out":         1,
		"embeddings: search makes its own from the goals, tasks and material":               2,
		"code_snapshots changed: the verdict of the other system kept in the history alone": 3,
	} {
		if reasons[reason] != want {
			t.Errorf("%d of %s, want %d", reasons[reason], reason, want)
		}
	}
	if t.Failed() {
		for reason := range maps.Keys(reasons) {
			t.Logf("%d of %s", reasons[reason], reason)
		}
	}
	for _, id := range []string{"0101", "0102", "0103", "0104", "0106"} {
		g := b.goal("6f0e2a40-5c11-4c8e-9a55-0d2b8f6f" + id)
		if y := g.CreatedAt.Year(); y < 1970 || y > 2200 || g.DueAt.Year() > 9999 {
			t.Errorf("nobody can read a goal with these times: %+v", g)
		}
	}
	if g := b.goal("6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0101"); g.Priority != goals.PriorityMedium || g.Criteria[0] != "a\ufffdb" || g.Criteria[1] != "\ufffd" {
		t.Errorf("%+v", g)
	}
	if k := b.task("aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0101"); k.Status != tasks.StatusCompleted || k.ActualHours != nil {
		t.Errorf("a completed task with impossible hours is %+v", k)
	}
	if k := b.task("aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0102"); k.Status != tasks.StatusTodo || k.Type != tasks.TypeOther {
		t.Errorf("a task of a status and a type that are none is %+v", k)
	}
	history, err := b.Log.Show(t.Context(), "history:code_snapshots-bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0101")
	if err != nil || len(history) != 1 || !strings.Contains(string(history[0].Raw), `"validation_score":"NaN"`) || !strings.Contains(string(history[0].Raw), `1e999`) {
		t.Errorf("the verdict is lost: %v, %v", history, err)
	}
	b.verify()
	if again := b.run(); again.Tables["goals"].Taken+again.Tables["tasks"].Taken+again.Tables["code_snapshots"].Taken+again.Tables["events"].Taken != 0 {
		t.Errorf("a second import takes more: %+v", again.Tables)
	} else {
		b.adds(again)
	}
}

func TestAnImportBringsNothingBackOfThoseWhoWereErased(t *testing.T) {
	for name, after := range map[string]int64{"before": 0, "while it is taken over": 12} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			var ada atomic.Int64 // events of ada until she is erased
			ada.Store(after)
			gone := func(id string) bool { return id == "ada" && ada.Load() <= 0 }
			b.Log.RefuseWhen(gone)
			b.Erased = gone
			for _, kind := range events.Types() {
				b.Log.React(kind, func(_ context.Context, _ *postgres.Tx, e events.Event) error {
					if e.Stream.SubjectID == "ada" {
						ada.Add(-1)
					}
					return nil
				})
			}
			reasons := b.adds(b.run())
			if reasons["goals: its user was erased here"] == 0 || reasons["events: its user was erased here"] != 2 {
				t.Errorf("%v", reasons)
			}
			page, err := b.Goals.List(t.Context(), goalstest.Learner("ada"), goals.Query{})
			if err != nil || after == 0 && len(page.Goals) > 0 {
				t.Errorf("ada has %+v, %v", page, err)
			}
			if page, err := b.Goals.List(t.Context(), goalstest.Learner("bob"), goals.Query{}); err != nil || len(page.Goals) != 4 {
				t.Errorf("bob has %+v, %v", page, err)
			}
		})
	}
}

func TestAGoalOfSomebodyElseWithTheSameIdIsLeftAsItIs(t *testing.T) {
	b := setup(t)
	if _, err := goalstest.Do(t.Context(), b.DB, goalstest.Learner("eve"), func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return b.Goals.CreateTx(ctx, tx, goals.New{ID: fastAPI, Details: goals.Details{Title: "Eve's own"}})
	}); err != nil {
		t.Fatal(err)
	}
	if reasons := b.adds(b.run()); reasons["goals: a row of somebody else has its id here"] != 1 || reasons["tasks: its goal was left"] != 3 {
		t.Errorf("%v", reasons)
	}
	if g := b.goal(fastAPI); g.UserID != "eve" || g.Title != "Eve's own" || g.Version != 1 {
		t.Errorf("%+v", g)
	}
	b.verify()
}
