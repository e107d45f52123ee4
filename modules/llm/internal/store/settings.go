package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
)

// Terms finds what people and courses set.
type Terms struct{ db *postgres.DB }

var _ llm.TermsSource = (*Terms)(nil)

// NewTerms reads from the database.
func NewTerms(db *postgres.DB) *Terms { return &Terms{db: db} }

var terms = postgres.SQL("llm.settings.terms", `
	SELECT coalesce(s.local_only, false) OR coalesce(c.local_only, false), b.daily_micros, c.daily_micros
	FROM (SELECT 1) one
	LEFT JOIN llm.learner_settings s ON s.user_id = @user_id
	LEFT JOIN llm.learner_budgets b ON b.user_id = @user_id
	LEFT JOIN llm.course_settings c ON c.course_id = @course_id`)

// Terms implements llm.TermsSource.
func (s *Terms) Terms(ctx context.Context, c llm.Caller) (t llm.Terms, err error) {
	return LoadTerms(ctx, s.db.As(system), c)
}

// LoadTerms reads what holds for a caller, as far as q may see it.
func LoadTerms(ctx context.Context, q postgres.Queryer, c llm.Caller) (t llm.Terms, err error) {
	err = q.QueryRow(ctx, terms, postgres.Args{"user_id": c.UserID, "course_id": c.CourseID}).Scan(&t.LocalOnly, &t.Learner, &t.Course)
	if err != nil {
		return t, fmt.Errorf("load what a learner and a course set of models: %w", err)
	}
	return t, nil
}

var setLocalOnly = postgres.SQL("llm.settings.set_local_only", `
	INSERT INTO llm.learner_settings (user_id, local_only, updated_at) VALUES (@user_id, @local_only, now())
	ON CONFLICT (user_id) DO UPDATE SET local_only = excluded.local_only, updated_at = excluded.updated_at`)

// SetLocalOnly writes what a learner chose.
func SetLocalOnly(ctx context.Context, tx *postgres.Tx, userID string, localOnly bool) error {
	_, err := tx.Exec(ctx, setLocalOnly, postgres.Args{"user_id": userID, "local_only": localOnly})
	return err
}

var (
	setBudget = postgres.SQL("llm.budgets.put", `
	INSERT INTO llm.learner_budgets (user_id, daily_micros, updated_at) VALUES (@user_id, @daily, now())
	ON CONFLICT (user_id) DO UPDATE SET daily_micros = excluded.daily_micros, updated_at = excluded.updated_at`)
	dropBudget = postgres.SQL("llm.budgets.delete", `DELETE FROM llm.learner_budgets WHERE user_id = @user_id`)
)

// SetBudget writes a learner's own cap; nil takes it away.
func SetBudget(ctx context.Context, tx *postgres.Tx, userID string, daily *int64) error {
	if daily == nil {
		_, err := tx.Exec(ctx, dropBudget, postgres.Args{"user_id": userID})
		return err
	}
	_, err := tx.Exec(ctx, setBudget, postgres.Args{"user_id": userID, "daily": *daily})
	return err
}

var courseSettings = postgres.SQL("llm.courses.get", `
	SELECT c.local_only, c.daily_micros FROM llm.course_settings c WHERE c.course_id = @course_id`)

// CourseTerms reads what a course set.
func CourseTerms(ctx context.Context, q postgres.Queryer, courseID string) (t llm.Terms, err error) {
	err = q.QueryRow(ctx, courseSettings, postgres.Args{"course_id": courseID}).Scan(&t.LocalOnly, &t.Course)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("load what course %s set of models: %w", courseID, err)
	}
	return t, nil
}

var putCourse = postgres.SQL("llm.courses.put", `
	INSERT INTO llm.course_settings (course_id, local_only, daily_micros, updated_at)
	VALUES (@course_id, coalesce(@local_only, false), @daily, now())
	ON CONFLICT (course_id) DO UPDATE SET local_only = coalesce(@local_only, llm.course_settings.local_only), updated_at = now(),
		daily_micros = CASE WHEN @reset::boolean THEN NULL ELSE coalesce(@daily, llm.course_settings.daily_micros) END`)

// PatchCourse changes what a course set, each field by itself.
func PatchCourse(ctx context.Context, tx *postgres.Tx, courseID string, p llm.CoursePatch) error {
	_, err := tx.Exec(ctx, putCourse, postgres.Args{
		"course_id": courseID, "local_only": p.LocalOnly, "daily": p.Daily, "reset": p.ResetDaily,
	})
	return err
}
