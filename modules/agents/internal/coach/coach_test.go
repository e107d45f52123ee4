package coach_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/coach"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
)

// now is six in the evening in Bogotá, eleven at night in London.
var now = time.Date(2026, 3, 10, 23, 0, 0, 0, time.UTC)

// troubled has all that the coach speaks of.
func troubled() coach.Situation {
	settings := agents.DefaultCoach()
	settings.TimeZone = "America/Bogota"
	return coach.Situation{
		UserID: "ada", Settings: settings, StreakDays: 4,
		Journeys: []store.Journey{
			{TaskID: "t1", GoalID: "g1", Title: "Loop twice", Status: "open", FailsInARow: 3, Tries: 3, LastTryAt: now.Add(-time.Hour), EstimatedHours: 4},
			{TaskID: "t2", GoalID: "g1", Title: "Done", Status: "done", FinishedAt: now.AddDate(0, 0, -3), EstimatedHours: 7},
		},
		Due: []store.DueGoal{{GoalID: "g1", CourseID: "c1", Title: "Learn loops", DueAt: now.AddDate(0, 0, 2)}},
	}
}

func kinds(nudges []agents.Nudge) (all []string) {
	for _, n := range nudges {
		all = append(all, n.Kind)
	}
	return all
}

func TestTheCoachSpeaksOfWhatMattersMost(t *testing.T) {
	said := coach.Decide(troubled(), now)
	if diff := cmp.Diff([]string{"deadline", "stuck"}, kinds(said)); diff != "" {
		t.Fatal(diff)
	}
	for i, want := range []string{"due on 2026-03-12 with about 4.0 hours of tasks left: 2.0 hours a day. You did 0.5", "“Loop twice” failed 3 times in a row"} {
		if !strings.Contains(said[i].Text.EN, want) || said[i].Text.ES == "" || said[i].UserID != "ada" {
			t.Errorf("%+v does not say %q", said[i], want)
		}
	}
}

func TestWhenTheCoachIsSilent(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*coach.Situation)
		want   []string
	}{
		"switched off":                 {func(s *coach.Situation) { s.Settings.Enabled = false }, nil},
		"in quiet hours":               {func(s *coach.Situation) { s.Settings.TimeZone = "Europe/London" }, nil},
		"in quiet hours of an evening": {func(s *coach.Situation) { s.Settings.QuietFrom, s.Settings.QuietTo = 17*60, 19*60 }, nil},
		"enough was said today":        {func(s *coach.Situation) { s.SaidToday = 2 }, nil},
		"one more may be said":         {func(s *coach.Situation) { s.SaidToday = 1 }, []string{"deadline"}},
		"muted kinds":                  {func(s *coach.Situation) { s.Settings.Muted = []string{"deadline", "stuck"} }, []string{"streak"}},
		"a hint was asked for":         {func(s *coach.Situation) { s.Journeys[0].LastHintAt = now }, []string{"deadline", "streak"}},
		"two fails":                    {func(s *coach.Situation) { s.Journeys[0].FailsInARow = 2 }, []string{"deadline", "streak"}},
		"fails of the day before":      {func(s *coach.Situation) { s.Journeys[0].LastTryAt = now.AddDate(0, 0, -2) }, []string{"deadline", "streak"}},
		"a pace that is enough":        {func(s *coach.Situation) { s.Journeys[1].EstimatedHours = 28 }, []string{"stuck", "streak"}},
		"a far deadline":               {func(s *coach.Situation) { s.Due[0].DueAt = now.AddDate(0, 0, 9) }, []string{"stuck", "streak"}},
		"nothing left to do":           {func(s *coach.Situation) { s.Journeys[0].Status = "done" }, []string{"streak"}},
		"worked today":                 {func(s *coach.Situation) { s.ActiveToday, s.Due = true, nil }, []string{"stuck"}},
		"a short streak":               {func(s *coach.Situation) { s.StreakDays, s.Due = 2, nil }, []string{"stuck"}},
		"an unknown time zone is UTC":  {func(s *coach.Situation) { s.Settings.TimeZone = "Mars/Olympus" }, nil},
	} {
		s := troubled()
		c.change(&s)
		if diff := cmp.Diff(c.want, kinds(coach.Decide(s, now))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := kinds(coach.Decide(troubled(), now.Add(-2*time.Hour))); len(got) != 2 || got[1] == "streak" {
		t.Errorf("at four in the afternoon: %v", got)
	}
}
