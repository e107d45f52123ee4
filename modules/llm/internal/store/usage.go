// Package store keeps the ledger of model calls in PostgreSQL.
package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
)

// Usage is the ledger. It writes as the system: a learner must not be able to
// change what he spent.
type Usage struct{ db *postgres.DB }

var _ llm.Ledger = (*Usage)(nil)

// NewUsage makes a ledger on the database.
func NewUsage(db *postgres.DB) *Usage { return &Usage{db: db} }

var system = auth.System("llm")

// Reservations that share a cap wait for each other: the sum that the next one
// reads must hold this one's row. The keys are taken in one order.
var lockCaps = postgres.SQL("llm.lock_caps", `
	SELECT count(pg_advisory_xact_lock(hashtextextended(wanted.key, 7210)))
	FROM (SELECT key FROM unnest(@keys::text[]) AS key ORDER BY key) AS wanted`)

var spentToday = postgres.SQL("llm.spent_today", `
	SELECT
		coalesce(sum(cost_micros) FILTER (WHERE user_id = @user_id), 0)::bigint,
		coalesce(sum(cost_micros) FILTER (WHERE course_id = @course_id), 0)::bigint,
		coalesce(sum(cost_micros), 0)::bigint
	FROM llm.usage
	WHERE created_at >= date_trunc('day', now(), 'UTC') AND cost_micros > 0
		AND (@everybody::boolean OR user_id = @user_id OR course_id = @course_id)`)

var insertUsage = postgres.SQL("llm.insert_usage", `
	INSERT INTO llm.usage
		(id, user_id, course_id, purpose, provider, model, input_tokens, output_tokens, cost_micros, price_version, run_id)
	VALUES
		(@id, nullif(@user_id, ''), nullif(@course_id, ''), @purpose, @provider, @model,
		 @input_tokens, @output_tokens, @cost_micros, @price_version, nullif(@run_id, ''))`)

// Reserve implements llm.Ledger.
func (u *Usage) Reserve(ctx context.Context, e llm.Entry, caps llm.Caps) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make id: %w", err)
	}
	err = u.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		if e.CostMicros > 0 {
			if err := check(ctx, tx, e, caps); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, insertUsage, postgres.Args{
			"id": id, "user_id": e.UserID, "course_id": e.CourseID, "purpose": string(e.Purpose),
			"provider": e.Provider, "model": e.Model, "input_tokens": e.InputTokens, "output_tokens": e.OutputTokens,
			"cost_micros": e.CostMicros, "price_version": e.PriceVersion, "run_id": e.RunID,
		})
		return err
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("reserve %d micros for %s/%s: %w", e.CostMicros, e.Provider, e.Model, err)
	}
	return id, nil
}

func check(ctx context.Context, tx *postgres.Tx, e llm.Entry, caps llm.Caps) error {
	var keys []string
	if caps.Learner >= 0 && e.UserID != "" {
		keys = append(keys, "user:"+e.UserID)
	}
	if caps.Course >= 0 && e.CourseID != "" {
		keys = append(keys, "course:"+e.CourseID)
	}
	if caps.Team >= 0 {
		keys = append(keys, "team")
	}
	if len(keys) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, lockCaps, postgres.Args{"keys": keys}); err != nil {
		return err
	}
	var user, course, team int64
	row := tx.QueryRow(ctx, spentToday, postgres.Args{"user_id": e.UserID, "course_id": e.CourseID, "everybody": caps.Team >= 0})
	if err := row.Scan(&user, &course, &team); err != nil {
		return fmt.Errorf("sum what was spent today: %w", err)
	}
	switch {
	case caps.Learner >= 0 && e.UserID != "" && user+e.CostMicros > caps.Learner:
		return over("learner", caps.Learner)
	case caps.Course >= 0 && e.CourseID != "" && course+e.CostMicros > caps.Course:
		return over("course", caps.Course)
	case caps.Team >= 0 && team+e.CostMicros > caps.Team:
		return over("team", caps.Team)
	}
	return nil
}

// whose the caps are.
var whose = map[string]errs.Words{
	"learner": errs.Say("learner", "de la persona"), "course": errs.Say("course", "del curso"), "team": errs.Say("team", "del equipo"),
}

func over(which string, limit int64) error {
	return llm.ErrOverBudget.New(errs.Say("%s, %.2f USD", "%s: %.2f USD", whose[which], float64(limit)/1e6)).WithDetail("cap", which)
}

var settleUsage = postgres.SQL("llm.settle_usage", `
	UPDATE llm.usage
	SET input_tokens = @input_tokens, output_tokens = @output_tokens, cost_micros = @cost_micros, settled_at = now()
	WHERE id = @id AND settled_at IS NULL`)

// Settle implements llm.Ledger.
func (u *Usage) Settle(ctx context.Context, id uuid.UUID, e llm.Entry) error {
	_, err := u.db.As(system).Exec(ctx, settleUsage, postgres.Args{
		"id": id, "input_tokens": e.InputTokens, "output_tokens": e.OutputTokens, "cost_micros": e.CostMicros,
	})
	if err != nil {
		return fmt.Errorf("settle usage %s: %w", id, err)
	}
	return nil
}

var releaseUsage = postgres.SQL("llm.release_usage", `DELETE FROM llm.usage WHERE id = @id AND settled_at IS NULL`)

// Release implements llm.Ledger.
func (u *Usage) Release(ctx context.Context, id uuid.UUID) error {
	if _, err := u.db.As(system).Exec(ctx, releaseUsage, postgres.Args{"id": id}); err != nil {
		return fmt.Errorf("release usage %s: %w", id, err)
	}
	return nil
}
