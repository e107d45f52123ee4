package service

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/cases"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
)

// journeysAt are what evaluator or coach went by when they said something; nil
// where the learner has gone on since, so that nobody can tell any more.
func (s *Service) journeysAt(ctx context.Context, d agents.DisputeRecord) ([]agents.SaidJourney, error) {
	n := d.Said.Nudge
	if n != nil && n.Kind == agents.NudgeStreak {
		return nil, nil // it goes by days of work, which are not the coach's to count
	}
	journeys, err := store.Journeys(ctx, s.db.As(system), d.UserID, d.CourseID, n != nil)
	if err != nil {
		return nil, err
	}
	var said []agents.SaidJourney
	for _, j := range journeys {
		about := n != nil && (n.Kind == agents.NudgeStuck && j.TaskID == n.TaskID || n.Kind == agents.NudgeDeadline && j.GoalID == n.GoalID)
		if n != nil && n.Kind == agents.NudgeStuck && !about {
			continue
		}
		kept := agents.SaidJourney{
			Concepts: j.Concepts, Hours: j.EstimatedHours, Status: j.Status, CompletedBy: j.CompletedBy, Tries: j.Tries,
			FailsInARow: j.FailsInARow, Hints: j.Hints, About: about,
		}
		for _, at := range []struct {
			when time.Time
			into *float64
		}{{j.LastTryAt, &kept.Tried}, {j.LastHintAt, &kept.Hinted}, {j.FinishedAt, &kept.Finished}} {
			if at.when.After(d.Said.At) {
				return nil, nil
			}
			if !at.when.IsZero() {
				*at.into = max(d.Said.At.Sub(at.when).Seconds(), 1e-6)
			}
		}
		said = append(said, kept)
	}
	return said, nil
}

// A nudge names how often something failed, or the day on which a goal is due.
var (
	inARow = regexp.MustCompile(`(\d+) times in a row`)
	dueOn  = regexp.MustCompile(`due on (\d{4}-\d{2}-\d{2})`)
)

// figuresCase is what was counted, and whether it is to be said again.
func figuresCase(d agents.DisputeRecord, c *cases.Case) {
	if len(d.Said.Journeys) == 0 || drifted(d, "") {
		return
	}
	f := &cases.Figures{Journeys: d.Said.Journeys, Holds: d.Status == agents.DisputeUpheld, Correction: d.Correction}
	if e := d.Said.Evaluation; e != nil {
		f.Kind, f.Trend, f.Mastery, f.Evidence = string(d.Kind), string(e.Trend), e.Mastery, e.Evidence
		c.Figures = f
		return
	}
	f.Kind = d.Said.Nudge.Kind
	if m := inARow.FindStringSubmatch(d.Said.Text.EN); m != nil {
		f.Fails, _ = strconv.Atoi(m[1])
	}
	if m := dueOn.FindStringSubmatch(d.Said.Text.EN); m != nil {
		day, err := time.Parse(time.DateOnly, m[1])
		if err != nil {
			return
		}
		f.Due = day.Add(24*time.Hour - time.Second).Sub(d.Said.At).Seconds()
	}
	c.Figures = f
}
