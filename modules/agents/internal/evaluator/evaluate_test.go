package evaluator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evaluator"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
)

var now = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func done(concept, by string, tries, daysAgo int) store.Journey {
	return store.Journey{
		TaskID: concept + by, Title: "Task on " + concept, Concepts: []string{concept}, Status: "done", CompletedBy: by, Tries: tries,
		FinishedAt: now.AddDate(0, 0, -daysAgo),
	}
}

func repeat(j store.Journey, n int) (all []store.Journey) {
	for range n {
		all = append(all, j)
	}
	return all
}

func TestMasteryGrowsWithEvidenceAndFadesWithTime(t *testing.T) {
	of := func(list ...store.Journey) float64 { return evaluator.Evaluate(list, now).Mastery["loops"] }
	failed := store.Journey{TaskID: "f", Title: "Failed", Concepts: []string{"loops"}, Status: "open", Tries: 3, FailsInARow: 3, LastTryAt: now}
	hinted := done("loops", "verdict", 1, 0)
	hinted.Hints = 2
	for _, c := range []struct {
		what string
		got  float64
		want float64
	}{
		{"one task at the first try", of(done("loops", "verdict", 1, 0)), 0.5},
		{"three of them", of(repeat(done("loops", "verdict", 1, 0), 3)...), 0.75},
		{"at the fifth try", of(done("loops", "verdict", 5, 0)), 0.25},
		{"with two hints", of(hinted), 0.4},
		{"by the learner's word", of(done("loops", "self", 0, 0)), 0.33},
		{"by a teacher's", of(done("loops", "teacher", 0, 0)), 0.44},
		{"a month ago", of(done("loops", "verdict", 1, 30)), 0.33},
		{"one more that fails", of(done("loops", "verdict", 1, 0), failed), 0.33},
	} {
		if diff := c.got - c.want; diff > 0.006 || diff < -0.006 {
			t.Errorf("%s: %.2f, want %.2f", c.what, c.got, c.want)
		}
	}
}

func TestATrendNeedsEnoughOfBothTimes(t *testing.T) {
	for _, c := range []struct {
		late, before, n, m int
		want               agents.Trend
	}{
		{1, 3, 3, 3, agents.TrendImproving}, {3, 1, 3, 3, agents.TrendSlipping}, {2, 2, 3, 4, agents.TrendSteady},
		{1, 3, 2, 3, agents.TrendUnknown}, {1, 3, 3, 2, agents.TrendUnknown},
	} {
		list := append(repeat(done("x", "verdict", c.late, 1), c.n), repeat(done("x", "verdict", c.before, 20), c.m)...)
		if got := evaluator.Evaluate(list, now).Trend; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestReasonsNameTheirFiguresInBothLanguages(t *testing.T) {
	list := append(repeat(done("loops", "verdict", 1, 1), 3), repeat(done("loops", "verdict", 3, 20), 3)...)
	list = append(list, store.Journey{
		TaskID: "f", Title: "Una función", Concepts: []string{"functions"}, Status: "open", Tries: 6, FailsInARow: 6, Hints: 2, LastTryAt: now,
	}, store.Journey{TaskID: "untouched", Concepts: []string{"files"}, Status: "open"})
	e := evaluator.Evaluate(list, now)
	if e.Evidence != 7 || e.Mastery["files"] != 0 || len(e.Mastery) != 2 {
		t.Errorf("got %+v: what was not touched says nothing", e)
	}
	want := [][2]string{
		{"last 14 days: 3, at the first try: 3", "últimos 14 días: 3, al primer intento: 3"},
		{"Tries per task: 1.0, in the 14 days before: 3.0", "Intentos por tarea: 1.0"},
		{"Strongest: loops (0.", "Lo más firme: loops (0."},
		{"functions (0.00). “Una función”: tries: 6, hints: 2", "«Una función»: intentos: 6, pistas: 2"},
	}
	if len(e.Reasons) != len(want) {
		t.Fatalf("got %+v", e.Reasons)
	}
	for i, w := range want {
		if !strings.Contains(e.Reasons[i].EN, w[0]) || !strings.Contains(e.Reasons[i].ES, w[1]) {
			t.Errorf("reason %d: %+v, want %q", i, e.Reasons[i], w)
		}
	}
	if diff := cmp.Diff(e, evaluator.Evaluate(list, now)); diff != "" {
		t.Errorf("the same journeys give another evaluation: %s", diff)
	}
}
