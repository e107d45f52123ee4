package agents

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Companion is what evaluator and coach have for a learner. Both work from
// events, by rules.
type Companion interface {
	// Evaluation reads the newest evaluation of a learner in a course, "" for
	// work without one: the actor's own, or that of a learner of a course they
	// teach. ErrNoEvaluation.
	Evaluation(ctx context.Context, actor auth.Actor, userID, courseID string) (Evaluation, error)
	// Nudges lists what the coach said to the actor, newest first.
	Nudges(ctx context.Context, actor auth.Actor, limit int) ([]Nudge, error)
	// CoachSettings reads when and of what the actor wants to hear.
	CoachSettings(ctx context.Context, actor auth.Actor) (CoachSettings, error)
	// UpdateCoachTx changes it. errs.BadInput.
	UpdateCoachTx(ctx context.Context, tx *postgres.Tx, p CoachPatch) (CoachSettings, error)
}

// StreamEvaluation and StreamNudge are the streams of what they say.
const (
	StreamEvaluation = "evaluation"
	StreamNudge      = "nudge"
)

// ErrNoEvaluation says that nothing was evaluated yet, or it is not the actor's to read.
var ErrNoEvaluation = errs.Define(errs.NotFound, "evaluation_not_found",
	"There is no evaluation yet. One comes after a few finished tasks.",
	"Aún no hay ninguna evaluación. Llega después de terminar algunas tareas.")

// Words are a text in both languages.
type Words struct {
	EN string `json:"en"`
	ES string `json:"es"`
}

// Trend is how a learner fares now against before.
type Trend string

// The trends.
const (
	TrendImproving Trend = "improving"
	TrendSteady    Trend = "steady"
	TrendSlipping  Trend = "slipping"
	// TrendUnknown: there is too little to go by.
	TrendUnknown Trend = "unknown"
)

// Evaluation is how a learner fares in a course.
type Evaluation struct {
	ID, UserID, CourseID string
	// Mastery is 0 to 1 by concept.
	Mastery map[string]float64
	// Reasons each name the figures that they rest on.
	Reasons []Words
	Trend   Trend
	// Evidence is how many tasks had been tried or finished.
	Evidence    int
	EvaluatedAt time.Time
	// Dispute is how it stands.
	Dispute Dispute
}

// The kinds of nudges.
const (
	// NudgeStuck: a task failed several times in a row, and no hint was asked for.
	NudgeStuck = "stuck"
	// NudgeStreak: days in a row of work end today unless something is done.
	NudgeStreak = "streak"
	// NudgeDeadline: what is left of a goal does not fit into the days that are.
	NudgeDeadline = "deadline"
)

// NudgeKinds are all of them.
var NudgeKinds = []string{NudgeStuck, NudgeStreak, NudgeDeadline}

// Nudge is what the coach said.
type Nudge struct {
	ID, UserID, Kind string
	// CourseID, GoalID and TaskID are "" where it is about none.
	CourseID, GoalID, TaskID string
	Text                     Words
	// Key is equal for what need not be said twice.
	Key       string
	CreatedAt time.Time
	// Dispute is how it stands.
	Dispute Dispute
}

// CoachSettings say when and of what a learner wants to hear.
type CoachSettings struct {
	Enabled bool
	Muted   []string
	// QuietFrom and QuietTo are minutes after midnight in the time zone; the same
	// for no quiet hours.
	QuietFrom, QuietTo int
	// TimeZone is an IANA name.
	TimeZone string
}

// DefaultCoach holds for who said nothing: no word from 22:00 to 08:00 UTC.
func DefaultCoach() CoachSettings {
	return CoachSettings{Enabled: true, QuietFrom: 22 * 60, QuietTo: 8 * 60, TimeZone: "UTC", Muted: []string{}}
}

// CoachPatch says what to change; nil stays. Times are "15:04".
type CoachPatch struct {
	Enabled                      *bool
	Muted                        *[]string
	QuietFrom, QuietTo, TimeZone *string
}
