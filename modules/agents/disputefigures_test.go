package agents_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/cases"
	"github.com/goals-tracker/tracker/modules/agents/internal/coach"
	"github.com/goals-tracker/tracker/modules/agents/internal/evaluator"
	"github.com/goals-tracker/tracker/modules/agents/internal/journey"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
)

// saysOf says whether a rubric says the same of a criterion.
func saysOf(r *agents.Rubric, claim cases.Claim) bool {
	return r != nil && slices.ContainsFunc(r.Criteria, func(k agents.Criterion) bool {
		return k.Text == claim.Criterion && string(k.State) == claim.State
	})
}

// evalDisputedFigures has evaluator and coach look again at what they went by:
// what was upheld is said again, what was not is not.
func evalDisputedFigures(list []cases.Case) (problems []string) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	ago := func(seconds float64) time.Time {
		if seconds == 0 {
			return time.Time{}
		}
		return now.Add(-time.Duration(seconds * float64(time.Second)))
	}
	for _, c := range list {
		f := c.Figures
		var journeys []store.Journey
		for i, j := range f.Journeys {
			made := store.Journey{
				TaskID: fmt.Sprintf("t%d", i), Title: "A task", Concepts: j.Concepts, EstimatedHours: j.Hours, Status: j.Status, CompletedBy: j.CompletedBy,
				Tries: j.Tries, FailsInARow: j.FailsInARow, Hints: j.Hints, LastTryAt: ago(j.Tried), LastHintAt: ago(j.Hinted), FinishedAt: ago(j.Finished),
			}
			if j.About {
				made.GoalID = "g"
			}
			journeys = append(journeys, made)
		}
		var again bool
		if f.Kind == string(agents.OutputEvaluation) {
			e := evaluator.Evaluate(journeys, now)
			again = string(e.Trend) == f.Trend && e.Evidence == f.Evidence && maps.Equal(e.Mastery, f.Mastery)
		} else {
			s := coach.Situation{Settings: agents.CoachSettings{Enabled: true, TimeZone: "UTC"}, Journeys: journeys}
			if f.Due != 0 {
				s.Due = []store.DueGoal{{GoalID: "g", Title: "A goal", DueAt: ago(-f.Due)}}
			}
			again = slices.ContainsFunc(coach.Decide(s, now), func(n agents.Nudge) bool {
				return n.Kind == f.Kind && (f.Fails == 0 || strings.Contains(n.Text.EN, fmt.Sprintf(" %d times in a row", f.Fails)))
			})
		}
		if again != f.Holds {
			problems = append(problems, fmt.Sprintf("case %s: what was said (%s) holds: %v, and is said: %v", c.ID, f.Kind, f.Holds, again))
		}
	}
	return problems
}

// TestEvalFigures runs the figures of disputes that were settled.
func TestEvalFigures(t *testing.T) {
	list := disputed(t, cases.Counted)
	report(t, len(list), evalDisputedFigures(list))
}

func TestSettledFiguresBecomeCasesThatTheEvaluationsRun(t *testing.T) {
	b := setup(t, nil)
	b.log.Subscribe(journey.Subscription())
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	eventstest.Settle(t, b.log)
	failed := func(times int) {
		t.Helper()
		row := `UPDATE agents.journeys SET tries = $2, fails_in_a_row = $2, last_try_at = clock_timestamp() WHERE task_id = $1`
		if tag, err := b.db.SystemPool().Exec(t.Context(), row, task.ID, times); err != nil || tag.RowsAffected() != 1 {
			t.Fatal(tag, err)
		}
	}
	failed(3)
	var id string
	evaluation := `INSERT INTO agents.evaluations (user_id, course_id, mastery, reasons, trend, evidence, evaluated_at)
		VALUES ('ada', $1, '{"loops": 0.99}', '[]', 'improving', 7, now()) RETURNING id::text`
	if err := b.db.Pool().QueryRow(t.Context(), evaluation, english).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if d := b.dispute(ada, agents.OutputEvaluation, id, ""); d.Status != agents.DisputeCorrected {
		t.Fatalf("the made up evaluation is %s", d.Status)
	}
	if err := b.db.Pool().QueryRow(t.Context(), `SELECT id::text FROM agents.evaluations WHERE user_id = 'ada'`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	d := b.dispute(ada, agents.OutputEvaluation, id, "")
	if d.Status != agents.DisputeUpheld {
		t.Fatalf("the true evaluation is %s: %+v", d.Status, d.Reasons)
	}
	nudge := `INSERT INTO agents.nudges (id, user_id, kind, task_id, text_en, text_es, key, created_at)
		VALUES (gen_random_uuid(), 'ada', 'stuck', $1, '“Countdown” failed ' || $2 || ' times in a row.', 'x', $2, now()) RETURNING id::text`
	for figure, want := range map[string]agents.Dispute{"3": agents.DisputeUpheld, "9": agents.DisputeWithdrawn} {
		if err := b.db.Pool().QueryRow(t.Context(), nudge, task.ID, figure).Scan(&id); err != nil {
			t.Fatal(err)
		}
		if d := b.dispute(ada, agents.OutputNudge, id, ""); d.Status != want {
			t.Fatalf("%s times: %s, %+v", figure, d.Status, d.Reasons)
		}
	}
	dir := t.TempDir()
	if got, want := b.export(dir), (agents.Exported{Figures: 4}); got != want {
		t.Fatalf("exported %+v", got)
	}
	raw, err := os.ReadFile(filepath.Join(dir, cases.Counted+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{`"ada"`, task.ID, task.GoalID, "Countdown"} {
		if strings.Contains(string(raw), personal) {
			t.Errorf("the cases hold %q: %s", personal, raw)
		}
	}
	t.Setenv(disputedFolder, dir)
	list := disputed(t, cases.Counted)
	if problems := evalDisputedFigures(list); len(list) != 4 || len(problems) != 0 {
		t.Errorf("%d cases: %q", len(list), problems)
	}
	// Each the other way round is noticed.
	for i := range list {
		list[i].Figures.Holds = !list[i].Figures.Holds
	}
	if problems := evalDisputedFigures(list); len(problems) != len(list) {
		t.Errorf("%q", problems)
	}
	// Who has gone on since can't be counted as of then.
	if err := b.db.Pool().QueryRow(t.Context(), nudge, task.ID, "4").Scan(&id); err != nil {
		t.Fatal(err)
	}
	failed(4)
	b.dispute(ada, agents.OutputNudge, id, "")
	if got := b.export(dir); got.Figures != 4 || got.Left != 1 {
		t.Errorf("exported %+v", got)
	}
}
