// Package coach decides when a learner hears a word from the coach, and which:
// a task that fails again and again, days in a row that would end, a deadline
// that slips. It works from figures and asks no model.
package coach

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
)

const (
	// stuckFails in a row without a hint since are stuck; stuckFor ends it.
	stuckFails = 3
	stuckFor   = 24 * time.Hour
	// streakDays are worth keeping; from streakHour on, a day may end without work.
	streakDays = 3
	streakHour = 17
	// A deadline is looked at this long before; pace is over the last paceDays.
	deadlineIn = 7 * 24 * time.Hour
	paceDays   = 14
	// slack is how much more than before a day may take before it slips.
	slack = 1.25
	// mostADay bounds what a learner hears in a day of theirs.
	mostADay = 2
)

// Situation is what the coach knows of a learner.
type Situation struct {
	UserID   string
	Settings agents.CoachSettings
	Journeys []store.Journey
	Due      []store.DueGoal
	// StreakDays are days in a row with work, up to today or yesterday (UTC);
	// ActiveToday says whether today is one.
	StreakDays  int
	ActiveToday bool
	// SaidToday counts what was said since the learner's midnight.
	SaidToday int
}

// Decide says what the learner is to hear now, most urgent first; nothing in
// quiet hours, nothing that is muted. Keys keep from saying it twice.
func Decide(s Situation, now time.Time) []agents.Nudge {
	local := now.In(Location(s.Settings.TimeZone))
	if !s.Settings.Enabled || quiet(s.Settings, local) {
		return nil
	}
	var all []agents.Nudge
	for kind, find := range map[string]func(Situation, time.Time, time.Time) []agents.Nudge{
		agents.NudgeStuck: stuck, agents.NudgeStreak: streak, agents.NudgeDeadline: deadlines,
	} {
		if !slices.Contains(s.Settings.Muted, kind) {
			all = append(all, find(s, now, local)...)
		}
	}
	rank := map[string]int{agents.NudgeDeadline: 0, agents.NudgeStuck: 1, agents.NudgeStreak: 2}
	slices.SortFunc(all, func(a, b agents.Nudge) int { return cmp.Or(rank[a.Kind]-rank[b.Kind], cmp.Compare(a.Key, b.Key)) })
	all = all[:max(0, min(len(all), mostADay-s.SaidToday))]
	for i := range all {
		all[i].UserID = s.UserID
	}
	return all
}

// Location is a time zone by name; UTC where there is none of it.
func Location(name string) *time.Location {
	if l, err := time.LoadLocation(name); err == nil {
		return l
	}
	return time.UTC
}

func quiet(s agents.CoachSettings, local time.Time) bool {
	at := local.Hour()*60 + local.Minute()
	if s.QuietFrom <= s.QuietTo {
		return s.QuietFrom <= at && at < s.QuietTo
	}
	return at >= s.QuietFrom || at < s.QuietTo
}

func stuck(s Situation, now, _ time.Time) (all []agents.Nudge) {
	for _, j := range s.Journeys {
		if j.Status != "open" || j.FailsInARow < stuckFails || j.LastHintAt.After(j.LastTryAt) || now.Sub(j.LastTryAt) > stuckFor {
			continue
		}
		all = append(all, agents.Nudge{
			Kind: agents.NudgeStuck, TaskID: j.TaskID, GoalID: j.GoalID, CourseID: j.CourseID,
			Key: fmt.Sprintf("stuck %s %s", j.TaskID, now.UTC().Format(time.DateOnly)),
			Text: agents.Words{
				EN: fmt.Sprintf("“%s” failed %d times in a row. Ask for a hint: it starts with a question, not with the answer.", j.Title, j.FailsInARow),
				ES: fmt.Sprintf("«%s» ha fallado %d veces seguidas. Pide una pista: empieza por una pregunta, no por la respuesta.", j.Title, j.FailsInARow),
			},
		})
	}
	return all
}

func streak(s Situation, now, local time.Time) []agents.Nudge {
	if s.StreakDays < streakDays || s.ActiveToday || local.Hour() < streakHour {
		return nil
	}
	return []agents.Nudge{{
		Kind: agents.NudgeStreak, Key: "streak " + now.UTC().Format(time.DateOnly),
		Text: agents.Words{
			EN: fmt.Sprintf("You have worked %d days in a row. One small step today keeps it going.", s.StreakDays),
			ES: fmt.Sprintf("Llevas %d días seguidos trabajando. Un paso pequeño hoy mantiene la racha.", s.StreakDays),
		},
	}}
}

func deadlines(s Situation, now, _ time.Time) (all []agents.Nudge) {
	done := 0.0
	for _, j := range s.Journeys {
		if j.Status == "done" && now.Sub(j.FinishedAt) < paceDays*24*time.Hour {
			done += j.EstimatedHours
		}
	}
	pace := done / paceDays
	for _, g := range s.Due {
		left := 0.0
		for _, j := range s.Journeys {
			if j.GoalID == g.GoalID && j.Status == "open" {
				left += j.EstimatedHours
			}
		}
		days := g.DueAt.Sub(now).Hours() / 24
		if left == 0 || days > deadlineIn.Hours()/24 || days < 0 {
			continue
		}
		perDay := left / math.Max(days, 1)
		if perDay <= slack*pace {
			continue
		}
		all = append(all, agents.Nudge{
			Kind: agents.NudgeDeadline, GoalID: g.GoalID, CourseID: g.CourseID,
			// Once in two days for a goal.
			Key: fmt.Sprintf("deadline %s %d", g.GoalID, now.Unix()/(2*24*3600)),
			Text: agents.Words{
				EN: fmt.Sprintf("“%s” is due on %s with about %.1f hours of tasks left: %.1f hours a day. You did %.1f a day of late. Move the date, or skip what matters least.",
					g.Title, g.DueAt.Format(time.DateOnly), left, perDay, pace),
				ES: fmt.Sprintf("«%s» vence el %s y quedan unas %.1f horas de tareas: %.1f horas al día. Últimamente hiciste %.1f al día. Cambia la fecha o salta lo menos importante.",
					g.Title, g.DueAt.Format(time.DateOnly), left, perDay, pace),
			},
		})
	}
	return all
}
