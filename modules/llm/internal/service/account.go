// Package service shows what models cost and sets within which bounds they are
// used.
package service

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/internal/store"
)

// Account implements llm.Account.
type Account struct {
	cfg    llm.Config
	db     *postgres.DB
	ledger *store.Usage
	models func(context.Context) []llm.Model
}

var _ llm.Account = (*Account)(nil)

// New makes the service; models lists what can be used now.
func New(cfg llm.Config, db *postgres.DB, ledger *store.Usage, models func(context.Context) []llm.Model) *Account {
	return &Account{cfg: cfg, db: db, ledger: ledger, models: models}
}

// Models implements llm.Account.
func (a *Account) Models(ctx context.Context) []llm.Model { return a.models(ctx) }

// Spending implements llm.Account.
func (a *Account) Spending(ctx context.Context, actor auth.Actor, q llm.SpendingQuery) (llm.Spending, error) {
	switch {
	case q.Everybody && !admin(actor):
		return llm.Spending{}, llm.ErrForAdmins.New()
	case q.CourseID != "" && !q.Everybody && !actor.Teaches(q.CourseID):
		return llm.Spending{}, llm.ErrForTeachers.New(q.CourseID)
	}
	lines, err := store.Spending(ctx, a.db.As(actor), actor.UserID, q.CourseID, q.Everybody, q.Days)
	if err != nil {
		return llm.Spending{}, err
	}
	s := llm.Spending{Lines: lines, ResetsAt: midnight()}
	for _, l := range lines {
		s.CostMicros += l.CostMicros
		s.Calls += l.Calls
	}
	s.Budgets, err = a.budgets(ctx, actor, q)
	return s, err
}

// budgets are the caps that bear on the calls: the team's is shown to admins
// alone, since it tells what others spend.
func (a *Account) budgets(ctx context.Context, actor auth.Actor, q llm.SpendingQuery) ([]llm.Budget, error) {
	who := llm.Caller{UserID: actor.UserID}
	if q.CourseID != "" || q.Everybody {
		who = llm.Caller{CourseID: q.CourseID}
	}
	user, course, team, err := a.ledger.SpentToday(ctx, who.UserID, who.CourseID)
	if err != nil {
		return nil, err
	}
	if q.Everybody {
		return []llm.Budget{{Cap: llm.CapTeam, DailyMicros: a.cfg.TeamDaily, SpentMicros: team}}, nil
	}
	if q.CourseID != "" {
		terms, err := store.CourseTerms(ctx, a.db.As(actor), q.CourseID)
		return []llm.Budget{a.courseBudget(terms, course)}, err
	}
	terms, err := store.LoadTerms(ctx, a.db.As(actor), who)
	return []llm.Budget{a.learnerBudget(terms, user)}, err
}

func (a *Account) learnerBudget(t llm.Terms, spent int64) llm.Budget {
	b := llm.Budget{Cap: llm.CapLearner, DailyMicros: a.cfg.LearnerDaily, SpentMicros: spent}
	if t.Learner != nil {
		b.DailyMicros = *t.Learner
	}
	return b
}

func (a *Account) courseBudget(t llm.Terms, spent int64) llm.Budget {
	b := llm.Budget{Cap: llm.CapCourse, DailyMicros: a.cfg.CourseDaily, SpentMicros: spent}
	if t.Course != nil {
		b.DailyMicros = *t.Course
	}
	return b
}

// Settings implements llm.Account.
func (a *Account) Settings(ctx context.Context, actor auth.Actor) (llm.Settings, error) {
	return a.settings(ctx, a.db.As(actor), actor)
}

func (a *Account) settings(ctx context.Context, q postgres.Queryer, actor auth.Actor) (llm.Settings, error) {
	terms, err := store.LoadTerms(ctx, q, llm.Caller{UserID: actor.UserID})
	if err != nil {
		return llm.Settings{}, err
	}
	spent, _, _, err := a.ledger.SpentToday(ctx, actor.UserID, "")
	return llm.Settings{LocalOnly: terms.LocalOnly, Budget: a.learnerBudget(terms, spent), ResetsAt: midnight()}, err
}

// SetLocalOnlyTx implements llm.Account.
func (a *Account) SetLocalOnlyTx(ctx context.Context, tx *postgres.Tx, localOnly bool) (llm.Settings, error) {
	if err := store.SetLocalOnly(ctx, tx, tx.Actor().UserID, localOnly); err != nil {
		return llm.Settings{}, err
	}
	return a.settings(ctx, tx, tx.Actor())
}

// CourseSettings implements llm.Account.
func (a *Account) CourseSettings(ctx context.Context, actor auth.Actor, courseID string) (llm.CourseSettings, error) {
	if !actor.Teaches(courseID) {
		return llm.CourseSettings{}, llm.ErrForTeachers.New(courseID)
	}
	return a.course(ctx, a.db.As(actor), courseID)
}

func (a *Account) course(ctx context.Context, q postgres.Queryer, courseID string) (llm.CourseSettings, error) {
	terms, err := store.CourseTerms(ctx, q, courseID)
	if err != nil {
		return llm.CourseSettings{}, err
	}
	_, spent, _, err := a.ledger.SpentToday(ctx, "", courseID)
	return llm.CourseSettings{CourseID: courseID, LocalOnly: terms.LocalOnly, Budget: a.courseBudget(terms, spent)}, err
}

// UpdateCourseTx implements llm.Account.
func (a *Account) UpdateCourseTx(ctx context.Context, tx *postgres.Tx, courseID string, p llm.CoursePatch) (llm.CourseSettings, error) {
	if !tx.Actor().Teaches(courseID) {
		return llm.CourseSettings{}, llm.ErrForTeachers.New(courseID)
	}
	if (p.Daily != nil || p.ResetDaily) && !admin(tx.Actor()) {
		return llm.CourseSettings{}, llm.ErrForAdmins.New()
	}
	if err := store.PatchCourse(ctx, tx, courseID, p); err != nil {
		return llm.CourseSettings{}, err
	}
	return a.course(ctx, tx, courseID)
}

// SetLearnerBudgetTx implements llm.Account.
func (a *Account) SetLearnerBudgetTx(ctx context.Context, tx *postgres.Tx, userID string, daily *int64) (int64, error) {
	if !admin(tx.Actor()) {
		return 0, llm.ErrForAdmins.New()
	}
	if err := store.SetBudget(ctx, tx, userID, daily); err != nil {
		return 0, err
	}
	return a.learnerBudget(llm.Terms{Learner: daily}, 0).DailyMicros, nil
}

func admin(a auth.Actor) bool { return a.IsSystem() || a.Has(auth.Admin) }

func midnight() time.Time {
	const day = 24 * time.Hour
	return time.Now().UTC().Truncate(day).Add(day)
}
