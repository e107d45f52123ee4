package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Whose says of whom an event tells, and when it happened.
type Whose struct {
	UserID, CourseID string
	At               time.Time
}

// Journey is how a learner fares with a task.
type Journey struct {
	TaskID, GoalID, Title string
	// CourseID is "" for none.
	CourseID       string
	Concepts       []string
	EstimatedHours float64
	// Status is "open", "done" or "skipped"; CompletedBy says who said so.
	Status, CompletedBy               string
	Tries, FailsInARow, Hints         int
	LastTryAt, LastHintAt, FinishedAt time.Time
}

var putJourney = postgres.SQL("agents.journeys.put", `
	INSERT INTO agents.journeys (task_id, user_id, course_id, goal_id, title, concepts, estimated_hours)
	VALUES (@task, @user, @course, @goal, @title, @concepts, @hours)
	ON CONFLICT (task_id) DO UPDATE SET course_id = excluded.course_id, goal_id = excluded.goal_id, title = excluded.title,
		concepts = excluded.concepts, estimated_hours = excluded.estimated_hours`)

// PutJourney writes what a task is about.
func PutJourney(ctx context.Context, tx *postgres.Tx, who Whose, j Journey) error {
	if j.Concepts == nil {
		j.Concepts = []string{}
	}
	_, err := tx.Exec(ctx, putJourney, postgres.Args{
		"task": j.TaskID, "user": who.UserID, "course": null(who.CourseID), "goal": null(j.GoalID), "title": j.Title,
		"concepts": j.Concepts, "hours": j.EstimatedHours,
	})
	return err
}

// Events of other streams may come before the task's own, so each makes the row.
var countTry = postgres.SQL("agents.journeys.try", `
	INSERT INTO agents.journeys AS j (task_id, user_id, course_id, tries, fails_in_a_row, last_try_at)
	VALUES (@task, @user, @course, 1, CASE WHEN @fine::boolean THEN 0 ELSE 1 END, @at)
	ON CONFLICT (task_id) DO UPDATE SET tries = j.tries + 1, last_try_at = @at,
		fails_in_a_row = CASE WHEN @fine::boolean THEN 0 ELSE j.fails_in_a_row + 1 END`)

// CountTry counts a verdict on a task.
func CountTry(ctx context.Context, tx *postgres.Tx, who Whose, taskID string, fine bool) error {
	_, err := tx.Exec(ctx, countTry, postgres.Args{"task": taskID, "user": who.UserID, "course": null(who.CourseID), "fine": fine, "at": who.At})
	return err
}

var countHint = postgres.SQL("agents.journeys.hint", `
	INSERT INTO agents.journeys AS j (task_id, user_id, course_id, hints, last_hint_at) VALUES (@task, @user, @course, 1, @at)
	ON CONFLICT (task_id) DO UPDATE SET hints = j.hints + 1, last_hint_at = @at`)

// CountHint counts a hint on a task.
func CountHint(ctx context.Context, tx *postgres.Tx, who Whose, taskID string) error {
	_, err := tx.Exec(ctx, countHint, postgres.Args{"task": taskID, "user": who.UserID, "course": null(who.CourseID), "at": who.At})
	return err
}

var endJourney = postgres.SQL("agents.journeys.end", `
	UPDATE agents.journeys SET status = @status, completed_by = @by, done_at = CASE WHEN @status = 'open' THEN NULL ELSE @at::timestamptz END,
		fails_in_a_row = CASE WHEN @status = 'open' THEN 0 ELSE fails_in_a_row END
	WHERE task_id = @task`)

// EndJourney says that a task is "done" or "skipped", or "open" again.
func EndJourney(ctx context.Context, tx *postgres.Tx, who Whose, taskID, status, by string) error {
	_, err := tx.Exec(ctx, endJourney, postgres.Args{"task": taskID, "status": status, "by": by, "at": who.At})
	return err
}

var (
	dropJourney = postgres.SQL("agents.journeys.drop", `DELETE FROM agents.journeys WHERE task_id = @task`)
	dropOfGoal  = postgres.SQL("agents.journeys.drop_goal", `DELETE FROM agents.journeys WHERE goal_id = @goal`)
	dropDueGoal = postgres.SQL("agents.due_goals.drop", `DELETE FROM agents.due_goals WHERE goal_id = @goal`)
	openDueGoal = postgres.SQL("agents.due_goals.open", `UPDATE agents.due_goals SET open = @open WHERE goal_id = @goal`)
	putDueGoal  = postgres.SQL("agents.due_goals.put", `
	INSERT INTO agents.due_goals (goal_id, user_id, course_id, title, due_at, open) VALUES (@goal, @user, @course, @title, @due, true)
	ON CONFLICT (goal_id) DO UPDATE SET course_id = excluded.course_id, title = excluded.title, due_at = excluded.due_at`)
)

// DropJourney forgets a task.
func DropJourney(ctx context.Context, tx *postgres.Tx, taskID string) error {
	_, err := tx.Exec(ctx, dropJourney, postgres.Args{"task": taskID})
	return err
}

// DropJourneysOfGoal forgets a goal and its tasks.
func DropJourneysOfGoal(ctx context.Context, tx *postgres.Tx, goalID string) error {
	_, err := tx.Exec(ctx, dropOfGoal, postgres.Args{"goal": goalID})
	_, errGoal := tx.Exec(ctx, dropDueGoal, postgres.Args{"goal": goalID})
	return errors.Join(err, errGoal)
}

// PutDueGoal writes by when a goal is to be reached; a zero due forgets it.
func PutDueGoal(ctx context.Context, tx *postgres.Tx, who Whose, goalID, title string, due time.Time) error {
	if due.IsZero() {
		_, err := tx.Exec(ctx, dropDueGoal, postgres.Args{"goal": goalID})
		return err
	}
	_, err := tx.Exec(ctx, putDueGoal, postgres.Args{"goal": goalID, "user": who.UserID, "course": null(who.CourseID), "title": title, "due": due})
	return err
}

// OpenDueGoal says whether a goal is still to be reached.
func OpenDueGoal(ctx context.Context, tx *postgres.Tx, goalID string, open bool) error {
	_, err := tx.Exec(ctx, openDueGoal, postgres.Args{"goal": goalID, "open": open})
	return err
}

var journeysOf = postgres.SQL("agents.journeys.of", `
	SELECT j.task_id::text, coalesce(j.goal_id::text, ''), coalesce(j.course_id, ''), j.title, j.concepts, j.estimated_hours, j.status, j.completed_by,
		j.tries, j.fails_in_a_row, j.hints, j.last_try_at, j.last_hint_at, j.done_at
	FROM agents.journeys j WHERE j.user_id = @user AND (@all::boolean OR coalesce(j.course_id, '') = @course)
	ORDER BY coalesce(j.done_at, j.last_try_at) DESC NULLS LAST, j.task_id LIMIT 1000`)

// Journeys are a learner's newest in a course, or in all.
func Journeys(ctx context.Context, q postgres.Queryer, userID, courseID string, all bool) ([]Journey, error) {
	rows, err := q.Query(ctx, journeysOf, postgres.Args{"user": userID, "course": courseID, "all": all})
	if err != nil {
		return nil, fmt.Errorf("list journeys of %s: %w", userID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (j Journey, err error) {
		var tried, hinted, done *time.Time
		err = row.Scan(&j.TaskID, &j.GoalID, &j.CourseID, &j.Title, &j.Concepts, &j.EstimatedHours, &j.Status, &j.CompletedBy,
			&j.Tries, &j.FailsInARow, &j.Hints, &tried, &hinted, &done)
		j.LastTryAt, j.LastHintAt, j.FinishedAt = orZero(tried), orZero(hinted), orZero(done)
		return j, err
	})
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
