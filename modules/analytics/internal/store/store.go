// Package store keeps the projections.
package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var putGoal = postgres.SQL("analytics.goals.put", `
	INSERT INTO analytics.goals (goal_id, user_id, course_id, status)
	VALUES (@goal, @user, @course, @status)
	ON CONFLICT (goal_id) DO UPDATE SET course_id = excluded.course_id, status = excluded.status`)

var goalStatus = postgres.SQL("analytics.goals.status", `
	UPDATE analytics.goals SET status = @status WHERE goal_id = @goal`)

var goalCourse = postgres.SQL("analytics.goals.course", `
	WITH goal AS (UPDATE analytics.goals SET course_id = @course WHERE goal_id = @goal)
	UPDATE analytics.tasks SET course_id = @course WHERE goal_id = @goal`)

var dropGoal = postgres.SQL("analytics.goals.drop", `
	WITH tasks AS (DELETE FROM analytics.tasks WHERE goal_id = @goal)
	DELETE FROM analytics.goals WHERE goal_id = @goal`)

var putTask = postgres.SQL("analytics.tasks.put", `
	INSERT INTO analytics.tasks (task_id, goal_id, user_id, course_id, status, estimated_hours, actual_hours)
	VALUES (@task, @goal, @user, @course, 'todo', @estimated, @actual)
	ON CONFLICT (task_id) DO UPDATE SET course_id = excluded.course_id,
		estimated_hours = excluded.estimated_hours, actual_hours = excluded.actual_hours`)

var taskStatus = postgres.SQL("analytics.tasks.status", `
	UPDATE analytics.tasks SET status = @status, actual_hours = coalesce(@actual, actual_hours) WHERE task_id = @task`)

var dropTask = postgres.SQL("analytics.tasks.drop", `DELETE FROM analytics.tasks WHERE task_id = @task`)

var countVerdict = postgres.SQL("analytics.verdicts.count", `
	INSERT INTO analytics.verdicts (user_id, course_id, verdict, runs) VALUES (@user, @course, @verdict, 1)
	ON CONFLICT (user_id, course_id, verdict) DO UPDATE SET runs = analytics.verdicts.runs + 1`)

var countDay = postgres.SQL("analytics.activity.count", `
	INSERT INTO analytics.activity (user_id, course_id, day, events, submissions, passed, tasks_completed, hints, last_at)
	VALUES (@user, @course, @day, 1, @submissions, @passed, @completed, @hints, @at)
	ON CONFLICT (user_id, course_id, day) DO UPDATE SET
		events = analytics.activity.events + 1,
		submissions = analytics.activity.submissions + excluded.submissions,
		passed = analytics.activity.passed + excluded.passed,
		tasks_completed = analytics.activity.tasks_completed + excluded.tasks_completed,
		hints = analytics.activity.hints + excluded.hints,
		last_at = greatest(analytics.activity.last_at, excluded.last_at)`)

// Goal is a goal's row.
type Goal struct{ ID, UserID, CourseID, Status string }

// PutGoal adds a goal or changes its course and status.
func PutGoal(ctx context.Context, q postgres.Queryer, g Goal) error {
	_, err := q.Exec(ctx, putGoal, postgres.Args{"goal": g.ID, "user": g.UserID, "course": g.CourseID, "status": g.Status})
	return err
}

// SetGoalStatus changes a goal's status.
func SetGoalStatus(ctx context.Context, q postgres.Queryer, goalID, status string) error {
	_, err := q.Exec(ctx, goalStatus, postgres.Args{"goal": goalID, "status": status})
	return err
}

// MoveGoal changes the course of a goal and its tasks.
func MoveGoal(ctx context.Context, q postgres.Queryer, goalID, courseID string) error {
	_, err := q.Exec(ctx, goalCourse, postgres.Args{"goal": goalID, "course": courseID})
	return err
}

// DropGoal forgets a goal and its tasks.
func DropGoal(ctx context.Context, q postgres.Queryer, goalID string) error {
	_, err := q.Exec(ctx, dropGoal, postgres.Args{"goal": goalID})
	return err
}

// Task is a task's row.
type Task struct {
	ID, GoalID, UserID, CourseID string
	Estimated, Actual            float64
}

// PutTask adds a task as todo, or changes its course and hours.
func PutTask(ctx context.Context, q postgres.Queryer, t Task) error {
	_, err := q.Exec(ctx, putTask, postgres.Args{"task": t.ID, "goal": t.GoalID, "user": t.UserID,
		"course": t.CourseID, "estimated": t.Estimated, "actual": t.Actual})
	return err
}

// SetTaskStatus changes a task's status and, when hours is set, its hours.
func SetTaskStatus(ctx context.Context, q postgres.Queryer, taskID, status string, hours *float64) error {
	_, err := q.Exec(ctx, taskStatus, postgres.Args{"task": taskID, "status": status, "actual": hours})
	return err
}

// DropTask forgets a task.
func DropTask(ctx context.Context, q postgres.Queryer, taskID string) error {
	_, err := q.Exec(ctx, dropTask, postgres.Args{"task": taskID})
	return err
}

// CountVerdict counts a run.
func CountVerdict(ctx context.Context, q postgres.Queryer, userID, courseID, verdict string) error {
	_, err := q.Exec(ctx, countVerdict, postgres.Args{"user": userID, "course": courseID, "verdict": verdict})
	return err
}

// Step is what one event adds to its day.
type Step struct {
	UserID, CourseID                      string
	At                                    time.Time
	Submissions, Passed, Completed, Hints int
}

// CountStep counts an event into its UTC day.
func CountStep(ctx context.Context, q postgres.Queryer, s Step) error {
	_, err := q.Exec(ctx, countDay, postgres.Args{"user": s.UserID, "course": s.CourseID,
		"day": s.At.UTC().Format(time.DateOnly), "at": s.At,
		"submissions": s.Submissions, "passed": s.Passed, "completed": s.Completed, "hints": s.Hints})
	return err
}

var readProgress = postgres.SQL("analytics.progress", `
	WITH goals AS (
		SELECT user_id, status, count(*)::int AS n FROM analytics.goals
		WHERE /*scope*/ (@everyone OR user_id = @user) /*end*/ AND (@course = '' OR course_id = @course)
		GROUP BY user_id, status
	), tasks AS (
		SELECT user_id, status, count(*)::int AS n, sum(estimated_hours) AS estimated, sum(actual_hours) AS actual
		FROM analytics.tasks
		WHERE /*scope*/ (@everyone OR user_id = @user) /*end*/ AND (@course = '' OR course_id = @course)
		GROUP BY user_id, status
	), verdicts AS (
		SELECT user_id, verdict AS status, sum(runs)::int AS n FROM analytics.verdicts
		WHERE /*scope*/ (@everyone OR user_id = @user) /*end*/ AND (@course = '' OR course_id = @course)
		GROUP BY user_id, verdict
	), activity AS (
		SELECT user_id, max(last_at) AS last_at, sum(submissions)::int AS submissions, sum(hints)::int AS hints
		FROM analytics.activity
		WHERE /*scope*/ (@everyone OR user_id = @user) /*end*/ AND (@course = '' OR course_id = @course)
		GROUP BY user_id
	), people AS (
		SELECT user_id FROM goals UNION SELECT user_id FROM tasks
		UNION SELECT user_id FROM verdicts UNION SELECT user_id FROM activity
	)
	SELECT p.user_id,
		coalesce((SELECT jsonb_object_agg(status, n) FROM goals g WHERE g.user_id = p.user_id), '{}'),
		coalesce((SELECT jsonb_object_agg(status, n) FROM tasks t WHERE t.user_id = p.user_id), '{}'),
		coalesce((SELECT jsonb_object_agg(status, n) FROM verdicts v WHERE v.user_id = p.user_id), '{}'),
		coalesce((SELECT sum(estimated) FROM tasks t WHERE t.user_id = p.user_id), 0),
		coalesce((SELECT sum(actual) FROM tasks t WHERE t.user_id = p.user_id), 0),
		a.last_at, coalesce(a.submissions, 0), coalesce(a.hints, 0)
	FROM people p LEFT JOIN activity a USING (user_id)
	ORDER BY p.user_id`)

// Progress sums up one learner, or with everyone each learner that the caller
// may see; an empty course means all courses.
func Progress(ctx context.Context, q postgres.Queryer, userID, courseID string, everyone bool) ([]analytics.Progress, error) {
	rows, err := q.Query(ctx, readProgress, postgres.Args{"user": userID, "course": courseID, "everyone": everyone})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (analytics.Progress, error) {
		p := analytics.Progress{CourseID: courseID}
		var last *time.Time
		err := row.Scan(&p.UserID, &p.Goals, &p.Tasks, &p.Verdicts, &p.EstimatedHours, &p.ActualHours, &last, &p.Submissions, &p.Hints)
		if last != nil {
			p.LastActiveAt = last.UTC()
		}
		return p, err
	})
}

var readDays = postgres.SQL("analytics.activity.days", `
	SELECT day, sum(events)::int, sum(submissions)::int, sum(passed)::int, sum(tasks_completed)::int
	FROM analytics.activity
	WHERE /*scope*/ user_id = @user /*end*/ AND (@course = '' OR course_id = @course) AND day >= @since::date
	GROUP BY day ORDER BY day`)

// Days lists a learner's days with activity since a day, oldest first.
func Days(ctx context.Context, q postgres.Queryer, userID, courseID string, since time.Time) ([]analytics.Day, error) {
	rows, err := q.Query(ctx, readDays, postgres.Args{"user": userID, "course": courseID, "since": since.UTC().Format(time.DateOnly)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[analytics.Day])
}
