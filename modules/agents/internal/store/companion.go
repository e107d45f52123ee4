package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// DueGoal is a goal that is to be reached by a time.
type DueGoal struct {
	GoalID, CourseID, Title string
	DueAt                   time.Time
}

var toEvaluate = postgres.SQL("agents.evaluations.due", `
	SELECT j.user_id, coalesce(j.course_id, '')
	FROM agents.journeys j LEFT JOIN agents.evaluations e ON e.user_id = j.user_id AND e.course_id = coalesce(j.course_id, '')
	WHERE j.tries > 0 OR j.status = 'done'
	GROUP BY j.user_id, coalesce(j.course_id, ''), e.evaluated_at
	HAVING count(*) FILTER (WHERE j.status = 'done' AND j.done_at > coalesce(e.evaluated_at, '-infinity')) >= @news
		OR e.evaluated_at < @old::timestamptz AND max(greatest(j.last_try_at, j.done_at)) > e.evaluated_at
	ORDER BY 1, 2 LIMIT 500`)

// Learner is a learner in a course.
type Learner struct{ UserID, CourseID string }

// ToEvaluate are learners who finished so many tasks since their last
// evaluation, or did anything since one that is old.
func ToEvaluate(ctx context.Context, q postgres.Queryer, news int, old time.Time) ([]Learner, error) {
	rows, err := q.Query(ctx, toEvaluate, postgres.Args{"news": news, "old": old})
	if err != nil {
		return nil, fmt.Errorf("find learners to evaluate: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Learner])
}

var putEvaluation = postgres.SQL("agents.evaluations.put", `
	INSERT INTO agents.evaluations (id, user_id, course_id, mastery, reasons, trend, evidence, evaluated_at)
	VALUES (@id, @user, @course, @mastery, @reasons, @trend, @evidence, @at)
	ON CONFLICT (user_id, course_id) DO UPDATE SET id = excluded.id, mastery = excluded.mastery, reasons = excluded.reasons, trend = excluded.trend,
		evidence = excluded.evidence, evaluated_at = excluded.evaluated_at
	WHERE agents.evaluations.evaluated_at < @unless::timestamptz`)

// PutEvaluation writes an evaluation; false when another came since unless.
func PutEvaluation(ctx context.Context, tx *postgres.Tx, e agents.Evaluation, unless time.Time) (bool, error) {
	mastery, err := json.Marshal(e.Mastery)
	if err != nil {
		return false, fmt.Errorf("write evaluation: %w", err)
	}
	reasons, err := json.Marshal(e.Reasons)
	if err != nil {
		return false, fmt.Errorf("write evaluation: %w", err)
	}
	tag, err := tx.Exec(ctx, putEvaluation, postgres.Args{
		"id": e.ID, "user": e.UserID, "course": e.CourseID, "mastery": string(mastery), "reasons": string(reasons), "trend": string(e.Trend),
		"evidence": e.Evidence, "at": e.EvaluatedAt, "unless": unless,
	})
	return err == nil && tag.RowsAffected() == 1, err
}

var getEvaluation = postgres.SQL("agents.evaluations.get", `
	SELECT e.id::text, e.user_id, e.course_id, e.mastery, e.reasons, e.trend, e.evidence, e.evaluated_at, agents.standing('evaluation', e.id) FROM agents.evaluations e
	WHERE e.user_id = @user AND e.course_id = @course AND `+classScope)

// classScope is what the actor may read: their own, and their courses'.
const classScope = `/*scope*/(@all::boolean OR e.user_id = @actor OR e.course_id = ANY(@courses::text[]))/*end*/`

// Evaluation reads a learner's newest evaluation; nil for none.
func Evaluation(ctx context.Context, q postgres.Queryer, actor auth.Actor, userID, courseID string) (*agents.Evaluation, error) {
	courses := []string{}
	if actor.Has(auth.Teacher) {
		courses = append(courses, actor.CourseIDs...)
	}
	var e agents.Evaluation
	var mastery, reasons []byte
	err := q.QueryRow(ctx, getEvaluation, postgres.Args{
		"user": userID, "course": courseID, "actor": actor.UserID, "courses": courses, "all": actor.IsSystem() || actor.Has(auth.Admin),
	}).Scan(&e.ID, &e.UserID, &e.CourseID, &mastery, &reasons, &e.Trend, &e.Evidence, &e.EvaluatedAt, &e.Dispute)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load evaluation of %s: %w", userID, err)
	}
	e.EvaluatedAt = e.EvaluatedAt.UTC()
	return &e, errors.Join(json.Unmarshal(mastery, &e.Mastery), json.Unmarshal(reasons, &e.Reasons))
}

// Who failed lately, has a deadline near, or worked yesterday and not today.
var toCoach = postgres.SQL("agents.coach.due", `
	SELECT DISTINCT f.user_id FROM (
		SELECT j.user_id FROM agents.journeys j WHERE j.status = 'open' AND j.fails_in_a_row >= 3 AND j.last_try_at > @now::timestamptz - interval '1 day'
		UNION SELECT g.user_id FROM agents.due_goals g WHERE g.open AND g.due_at BETWEEN @now::timestamptz AND @now::timestamptz + interval '7 days'
		UNION SELECT j.user_id FROM agents.journeys j WHERE j.last_try_at BETWEEN @now::timestamptz - interval '2 days' AND @now::timestamptz
	) f LEFT JOIN agents.coach_settings s ON s.user_id = f.user_id
	WHERE coalesce(s.enabled, true) AND f.user_id > @after ORDER BY 1 LIMIT 500`)

// ToCoach are learners whom the coach may have to say something to, after one.
func ToCoach(ctx context.Context, q postgres.Queryer, now time.Time, after string) ([]string, error) {
	rows, err := q.Query(ctx, toCoach, postgres.Args{"now": now, "after": after})
	if err != nil {
		return nil, fmt.Errorf("find learners to coach: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

var dueGoals = postgres.SQL("agents.due_goals.of", `
	SELECT g.goal_id::text, coalesce(g.course_id, ''), g.title, g.due_at FROM agents.due_goals g
	WHERE g.user_id = @user AND g.open ORDER BY g.due_at LIMIT 50`)

// DueGoals are a learner's next.
func DueGoals(ctx context.Context, q postgres.Queryer, userID string) ([]DueGoal, error) {
	rows, err := q.Query(ctx, dueGoals, postgres.Args{"user": userID})
	if err != nil {
		return nil, fmt.Errorf("list goals of %s that are due: %w", userID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DueGoal])
}

var insertNudge = postgres.SQL("agents.nudges.insert", `
	INSERT INTO agents.nudges (id, user_id, kind, goal_id, task_id, text_en, text_es, key, created_at)
	VALUES (@id, @user, @kind, @goal, @task, @en, @es, @key, @at) ON CONFLICT (user_id, key) DO NOTHING`)

// InsertNudge writes what the coach says; false when it was said already.
func InsertNudge(ctx context.Context, tx *postgres.Tx, n agents.Nudge) (bool, error) {
	tag, err := tx.Exec(ctx, insertNudge, postgres.Args{
		"id": n.ID, "user": n.UserID, "kind": n.Kind, "goal": null(n.GoalID), "task": null(n.TaskID), "en": n.Text.EN, "es": n.Text.ES,
		"key": n.Key, "at": n.CreatedAt,
	})
	return err == nil && tag.RowsAffected() == 1, err
}

var nudges = postgres.SQL("agents.nudges.list", `
	SELECT r.id::text, r.user_id, r.kind, coalesce(r.goal_id::text, ''), coalesce(r.task_id::text, ''), r.text_en, r.text_es, r.key, r.created_at,
		agents.standing('nudge', r.id)
	FROM agents.nudges r WHERE `+ownScope+` ORDER BY r.id DESC LIMIT @size`)

// Nudges are the newest that the actor heard.
func Nudges(ctx context.Context, q postgres.Queryer, actor auth.Actor, size int) ([]agents.Nudge, error) {
	rows, err := q.Query(ctx, nudges, own(actor, postgres.Args{"size": size}))
	if err != nil {
		return nil, fmt.Errorf("list nudges: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (n agents.Nudge, err error) {
		err = row.Scan(&n.ID, &n.UserID, &n.Kind, &n.GoalID, &n.TaskID, &n.Text.EN, &n.Text.ES, &n.Key, &n.CreatedAt, &n.Dispute)
		n.CreatedAt = n.CreatedAt.UTC()
		return n, err
	})
}

var saidSince = postgres.SQL("agents.nudges.since", `SELECT count(*) FROM agents.nudges r WHERE r.user_id = @user AND r.created_at >= @since`)

// SaidSince counts what a learner heard since a time.
func SaidSince(ctx context.Context, q postgres.Queryer, userID string, since time.Time) (n int, err error) {
	err = q.QueryRow(ctx, saidSince, postgres.Args{"user": userID, "since": since}).Scan(&n)
	return n, err
}

var getCoach = postgres.SQL("agents.coach.get", `
	SELECT s.enabled, s.muted, s.quiet_from, s.quiet_to, s.time_zone FROM agents.coach_settings s WHERE s.user_id = @user`)

// CoachSettings are a learner's, or the defaults.
func CoachSettings(ctx context.Context, q postgres.Queryer, userID string) (agents.CoachSettings, error) {
	s := agents.DefaultCoach()
	err := q.QueryRow(ctx, getCoach, postgres.Args{"user": userID}).Scan(&s.Enabled, &s.Muted, &s.QuietFrom, &s.QuietTo, &s.TimeZone)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("load coach settings of %s: %w", userID, err)
	}
	return s, nil
}

var putCoach = postgres.SQL("agents.coach.put", `
	INSERT INTO agents.coach_settings (user_id, enabled, muted, quiet_from, quiet_to, time_zone, updated_at)
	VALUES (@user, @enabled, @muted, @from, @to, @zone, now())
	ON CONFLICT (user_id) DO UPDATE SET enabled = excluded.enabled, muted = excluded.muted, quiet_from = excluded.quiet_from,
		quiet_to = excluded.quiet_to, time_zone = excluded.time_zone, updated_at = excluded.updated_at`)

// PutCoachSettings writes a learner's.
func PutCoachSettings(ctx context.Context, tx *postgres.Tx, userID string, s agents.CoachSettings) error {
	_, err := tx.Exec(ctx, putCoach, postgres.Args{
		"user": userID, "enabled": s.Enabled, "muted": s.Muted, "from": s.QuietFrom, "to": s.QuietTo, "zone": s.TimeZone,
	})
	return err
}
