// Package companion runs evaluator and coach over the learners whom something
// happened to, and shows what they said.
package companion

import (
	"context"
	"fmt"
	"log/slog"
	"time"
	_ "time/tzdata" // learners' time zones, also where the machine has none

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/coach"
	"github.com/goals-tracker/tracker/modules/agents/internal/evaluator"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

const (
	// An evaluation comes after so many finished tasks, or after a day with any
	// news.
	newsForOne = 3
	oldAfter   = 24 * time.Hour
)

var system = auth.System("agents")

// Activity says on how many days in a row a learner worked.
type Activity interface {
	Progress(ctx context.Context, actor auth.Actor, who analytics.Who) (analytics.Progress, error)
}

// Companion implements agents.Companion.
type Companion struct {
	db       *postgres.DB
	log      *events.Log
	activity Activity
	logger   *slog.Logger
}

var _ agents.Companion = (*Companion)(nil)

// New makes it.
func New(db *postgres.DB, log *events.Log, activity Activity, logger *slog.Logger) *Companion {
	return &Companion{db: db, log: log, activity: activity, logger: logger}
}

// Evaluate evaluates every learner who is due. What it says depends on the
// journeys alone, so doing it twice says nothing twice.
func (c *Companion) Evaluate(ctx context.Context, now time.Time) error {
	due, err := store.ToEvaluate(ctx, c.db.As(system), newsForOne, now.Add(-oldAfter))
	if err != nil {
		return err
	}
	for _, l := range due {
		if err := c.evaluate(ctx, l, now); err != nil {
			return fmt.Errorf("evaluate learner %s: %w", l.UserID, err)
		}
	}
	return nil
}

func (c *Companion) evaluate(ctx context.Context, l store.Learner, now time.Time) error {
	return c.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		journeys, err := store.Journeys(ctx, tx, l.UserID, l.CourseID, false)
		if err != nil {
			return err
		}
		e := evaluator.Evaluate(journeys, now)
		e.UserID, e.CourseID = l.UserID, l.CourseID
		_, err = Publish(ctx, tx, c.log, e)
		return err
	})
}

// Publish puts an evaluation in place of an older one and tells of it, as the
// system. Its id comes back, "" when another replica was faster.
func Publish(ctx context.Context, tx *postgres.Tx, log *events.Log, e agents.Evaluation) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make evaluation id: %w", err)
	}
	e.ID = id.String()
	if is, err := store.PutEvaluation(ctx, tx, e, e.EvaluatedAt); err != nil || !is {
		return "", err
	}
	data := &agentsv1.LearnerEvaluated{CourseId: e.CourseID, Mastery: e.Mastery, Trend: string(e.Trend)}
	for _, r := range e.Reasons {
		data.Reasons = append(data.Reasons, r.EN)
		data.Explained = append(data.Explained, &agentsv1.Words{En: r.EN, Es: r.ES})
	}
	log.Append(tx, events.Stream{Type: agents.StreamEvaluation, ID: e.ID, SubjectID: e.UserID, CourseID: e.CourseID}, 0, data)
	return e.ID, nil
}

// Coach has the coach look at every learner who may need a word.
func (c *Companion) Coach(ctx context.Context, now time.Time) error {
	for after := ""; ; {
		users, err := store.ToCoach(ctx, c.db.As(system), now, after)
		if err != nil || len(users) == 0 {
			return err
		}
		for _, user := range users {
			if err := c.coach(ctx, user, now); err != nil {
				return fmt.Errorf("coach learner %s: %w", user, err)
			}
		}
		after = users[len(users)-1]
	}
}

func (c *Companion) coach(ctx context.Context, user string, now time.Time) error {
	s := coach.Situation{UserID: user}
	progress, err := c.activity.Progress(ctx, auth.Actor{UserID: user, Roles: []auth.Role{auth.Student}}, analytics.Who{})
	if err != nil {
		return err
	}
	s.StreakDays = progress.StreakDays
	s.ActiveToday = progress.LastActiveAt.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly)
	return c.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		if s.Settings, err = store.CoachSettings(ctx, tx, user); err != nil {
			return err
		}
		if s.Journeys, err = store.Journeys(ctx, tx, user, "", true); err != nil {
			return err
		}
		if s.Due, err = store.DueGoals(ctx, tx, user); err != nil {
			return err
		}
		local := now.In(coach.Location(s.Settings.TimeZone))
		midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
		if s.SaidToday, err = store.SaidSince(ctx, tx, user, midnight); err != nil {
			return err
		}
		for _, n := range coach.Decide(s, now) {
			if err := c.say(ctx, tx, n, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *Companion) say(ctx context.Context, tx *postgres.Tx, n agents.Nudge, now time.Time) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make nudge id: %w", err)
	}
	n.ID, n.CreatedAt = id.String(), now
	if is, err := store.InsertNudge(ctx, tx, n); err != nil || !is {
		return err
	}
	c.log.Append(tx, events.Stream{Type: agents.StreamNudge, ID: n.ID, SubjectID: n.UserID, CourseID: n.CourseID}, 0, &agentsv1.CoachNudged{
		Kind: n.Kind, Text: &agentsv1.Words{En: n.Text.EN, Es: n.Text.ES}, GoalId: n.GoalID, TaskId: n.TaskID,
	})
	return nil
}

// Evaluation implements agents.Companion.
func (c *Companion) Evaluation(ctx context.Context, actor auth.Actor, userID, courseID string) (agents.Evaluation, error) {
	if userID == "" {
		userID = actor.UserID
	}
	e, err := store.Evaluation(ctx, c.db.As(actor), actor, userID, courseID)
	if err != nil {
		return agents.Evaluation{}, err
	}
	if e == nil {
		return agents.Evaluation{}, agents.ErrNoEvaluation.New()
	}
	return *e, nil
}

// Nudges implements agents.Companion.
func (c *Companion) Nudges(ctx context.Context, actor auth.Actor, limit int) ([]agents.Nudge, error) {
	return store.Nudges(ctx, c.db.As(actor), actor, limit)
}

// CoachSettings implements agents.Companion.
func (c *Companion) CoachSettings(ctx context.Context, actor auth.Actor) (agents.CoachSettings, error) {
	return store.CoachSettings(ctx, c.db.As(actor), actor.UserID)
}

// UpdateCoachTx implements agents.Companion.
func (c *Companion) UpdateCoachTx(ctx context.Context, tx *postgres.Tx, p agents.CoachPatch) (agents.CoachSettings, error) {
	s, err := store.CoachSettings(ctx, tx, tx.Actor().UserID)
	if err != nil {
		return s, err
	}
	if p.Enabled != nil {
		s.Enabled = *p.Enabled
	}
	if p.Muted != nil {
		s.Muted = append([]string{}, *p.Muted...)
	}
	if err := minutes("quiet_from", p.QuietFrom, &s.QuietFrom); err != nil {
		return s, err
	}
	if err := minutes("quiet_to", p.QuietTo, &s.QuietTo); err != nil {
		return s, err
	}
	if p.TimeZone != nil {
		if _, err := time.LoadLocation(*p.TimeZone); err != nil || *p.TimeZone == "" || *p.TimeZone == "Local" {
			var c goals.Checker
			c.Wrong("time_zone", fmt.Sprintf("is %.60q, which is no time zone; give one like %q", *p.TimeZone, "America/Bogota"),
				fmt.Sprintf("es %.60q, que no es una zona horaria; da una como %q", *p.TimeZone, "America/Bogota"))
			return s, c.Err()
		}
		s.TimeZone = *p.TimeZone
	}
	return s, store.PutCoachSettings(ctx, tx, tx.Actor().UserID, s)
}

func minutes(field string, text *string, to *int) error {
	if text == nil {
		return nil
	}
	at, err := time.Parse("15:04", *text)
	if err != nil {
		var c goals.Checker
		c.Wrong(field, fmt.Sprintf("is %.60q; give a time like %q", *text, "22:00"), fmt.Sprintf("es %.60q; da una hora como %q", *text, "22:00"))
		return c.Err()
	}
	*to = at.Hour()*60 + at.Minute()
	return nil
}
