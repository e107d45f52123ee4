package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
)

// The scope is the service's: a learner's own rows, a course's, or all.
var spending = postgres.SQL("llm.usage.sum", `
	SELECT date_trunc('day', u.created_at, 'UTC') AS day, u.purpose, u.provider, u.model, count(*),
		sum(u.input_tokens)::bigint, sum(u.output_tokens)::bigint, sum(u.cost_micros)::bigint AS cost
	FROM llm.usage u
	WHERE u.created_at >= date_trunc('day', now(), 'UTC') - (@days - 1) * interval '1 day'
		AND /*scope*/(@all::boolean OR (@course::text <> '' AND u.course_id = @course) OR (@course::text = '' AND u.user_id = @actor))/*end*/
	GROUP BY 1, 2, 3, 4 ORDER BY day DESC, cost DESC, u.purpose, u.provider, u.model LIMIT 5000`)

// Spending sums up the calls of a user, of a course where one is named, or all.
func Spending(ctx context.Context, q postgres.Queryer, userID, courseID string, all bool, days int) ([]llm.SpendingLine, error) {
	rows, err := q.Query(ctx, spending, postgres.Args{"actor": userID, "course": courseID, "all": all, "days": days})
	if err != nil {
		return nil, fmt.Errorf("sum up what models took: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l llm.SpendingLine, err error) {
		err = row.Scan(&l.Day, &l.Purpose, &l.Provider, &l.Model, &l.Calls, &l.InputTokens, &l.OutputTokens, &l.CostMicros)
		l.Day = l.Day.UTC()
		return l, err
	})
}

// SpentToday is what was spent since midnight UTC of each cap, estimates of
// calls under way included.
func (u *Usage) SpentToday(ctx context.Context, userID, courseID string) (user, course, team int64, err error) {
	row := u.db.As(system).QueryRow(ctx, spentToday, postgres.Args{"user_id": userID, "course_id": courseID, "everybody": true})
	if err = row.Scan(&user, &course, &team); err != nil {
		return 0, 0, 0, fmt.Errorf("sum what was spent today: %w", err)
	}
	return user, course, team, nil
}
