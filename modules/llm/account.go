package llm

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Account is what people see and set of what models cost. Costs are in
// millionths of a US dollar, days are UTC days.
type Account interface {
	// Models lists the models that can be used now.
	Models(ctx context.Context) []Model
	// Spending sums up calls: the actor's own, those for a course (for who
	// teaches it and admins), everybody's (for admins). errs.Forbidden.
	Spending(ctx context.Context, actor auth.Actor, q SpendingQuery) (Spending, error)
	// Settings reads what holds for the actor.
	Settings(ctx context.Context, actor auth.Actor) (Settings, error)
	// SetLocalOnlyTx keeps the actor's texts with models on this machine, from
	// the next call on, or lets them leave again.
	SetLocalOnlyTx(ctx context.Context, tx *postgres.Tx, localOnly bool) (Settings, error)
	// CourseSettings reads what holds for a course. For who teaches it and
	// admins: errs.Forbidden.
	CourseSettings(ctx context.Context, actor auth.Actor, courseID string) (CourseSettings, error)
	// UpdateCourseTx changes it; the cap is for admins alone. errs.Forbidden.
	UpdateCourseTx(ctx context.Context, tx *postgres.Tx, courseID string, p CoursePatch) (CourseSettings, error)
	// SetLearnerBudgetTx gives a learner a daily cap of their own; nil puts the
	// configured one back. It answers the one that holds. For admins:
	// errs.Forbidden.
	SetLearnerBudgetTx(ctx context.Context, tx *postgres.Tx, userID string, daily *int64) (int64, error)
}

// Who may not see or change what.
var (
	// ErrForAdmins: figures of all and budgets are for admins.
	ErrForAdmins = errs.Define(errs.PermissionDenied, "models_for_admins",
		"Only admins see what everybody spends on language models and change budgets.",
		"Solo los administradores ven lo que gastan todos en modelos de lenguaje y cambian los presupuestos.")
	// ErrForTeachers: a course's figures and settings are for who teaches it.
	ErrForTeachers = errs.Define(errs.PermissionDenied, "models_for_teachers",
		"Only teachers of the course %s and admins see and change its use of language models.",
		"Solo los docentes del curso %s y los administradores ven y cambian su uso de modelos de lenguaje.")
)

// SpendingQuery says whose calls are summed up, and how far back.
type SpendingQuery struct {
	// CourseID asks for a course's, Everybody for all; otherwise the actor's own.
	CourseID  string
	Everybody bool
	// Days is Required: 1 is today alone.
	Days int
}

// Spending is what calls took.
type Spending struct {
	CostMicros, Calls int64
	// Lines are by day, newest first, and within a day by cost.
	Lines []SpendingLine
	// Budgets are the daily caps that bear on these calls.
	Budgets []Budget
	// ResetsAt is when a new day begins.
	ResetsAt time.Time
}

// SpendingLine sums up the calls of a day for a purpose and model.
type SpendingLine struct {
	Day             time.Time
	Purpose         Purpose
	Provider, Model string
	Calls           int64
	InputTokens     int64
	OutputTokens    int64
	CostMicros      int64
}

// The caps.
const (
	CapLearner = "learner"
	CapCourse  = "course"
	CapTeam    = "team"
)

// Budget is a daily cap and how much of it is spent today.
type Budget struct {
	Cap string
	// DailyMicros is -1 where there is no cap.
	DailyMicros, SpentMicros int64
}

// Settings are what holds for a learner.
type Settings struct {
	// LocalOnly is the learner's choice.
	LocalOnly bool
	Budget    Budget
	ResetsAt  time.Time
}

// CourseSettings are what holds for a course.
type CourseSettings struct {
	CourseID  string
	LocalOnly bool
	Budget    Budget
}

// CoursePatch says what to change; nil stays.
type CoursePatch struct {
	LocalOnly *bool
	// Daily is the cap, ResetDaily puts the configured one back.
	Daily      *int64
	ResetDaily bool
}
