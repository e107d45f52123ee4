package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
)

const runScope = `/*scope*/ (r.user_id = @actor OR r.course_id = ANY (@courses::text[]) OR @all::boolean) /*end*/`

const runColumns = `r.id, r.snapshot_id, r.task_id, r.goal_id, r.user_id, coalesce(r.course_id, ''), r.snapshot_number,
	r.status, coalesce(r.verdict, ''), r.score, r.tests_passed, r.tests_total, r.findings, r.plugin, r.plugin_version,
	r.summary_en, r.summary_es, r.attempt, r.deduplicated, r.created_at, r.started_at, r.finished_at, r.version,
	r.reason, coalesce(r.rejudging_id::text, ''), coalesce(r.previous_verdict, ''), r.task_problem`

var getRun = postgres.SQL("validation.runs.get", `
	SELECT `+runColumns+`, coalesce(p.report::text, '')
	FROM validation.runs r LEFT JOIN validation.reports p ON p.run_id = r.id
	WHERE r.id = @id AND `+runScope)

// Run reads a run with its report, if the actor may; nil for none.
func Run(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*validation.Run, error) {
	var report string
	r, err := scanRun(q.QueryRow(ctx, getRun, scoped(actor, postgres.Args{"id": id})), &report)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load run %s: %w", id, err)
	}
	if report != "" {
		r.Report = &validation.Report{}
		if err := json.Unmarshal([]byte(report), r.Report); err != nil {
			return nil, fmt.Errorf("read report of run %s: %w", id, err)
		}
	}
	return &r, nil
}

var lockRun = postgres.SQL("validation.runs.lock", `SELECT `+runColumns+` FROM validation.runs r WHERE r.id = @id FOR UPDATE`)

// LockRun reads a run and keeps it locked; nil for none.
func LockRun(ctx context.Context, tx *postgres.Tx, id string) (*validation.Run, error) {
	r, err := scanRun(tx.QueryRow(ctx, lockRun, postgres.Args{"id": id}))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock run %s: %w", id, err)
	}
	return &r, nil
}

var lockRunsOf = postgres.SQL("validation.runs.lock_task", `
	SELECT `+runColumns+` FROM validation.runs r WHERE r.task_id = @task ORDER BY r.id FOR UPDATE`)

// LockRunsOf locks all runs of a task, oldest first.
func LockRunsOf(ctx context.Context, tx *postgres.Tx, taskID string) ([]validation.Run, error) {
	rows, err := tx.Query(ctx, lockRunsOf, postgres.Args{"task": taskID})
	if err != nil {
		return nil, fmt.Errorf("lock runs of task %s: %w", taskID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (validation.Run, error) { return scanRun(row) })
	if err != nil {
		return nil, fmt.Errorf("lock runs of task %s: %w", taskID, err)
	}
	return list, nil
}

var putRun = postgres.SQL("validation.runs.put", `
	INSERT INTO validation.runs (id, snapshot_id, task_id, goal_id, user_id, course_id, snapshot_number, status, verdict, score,
		tests_passed, tests_total, findings, plugin, plugin_version, summary_en, summary_es, attempt, deduplicated,
		created_at, started_at, finished_at, version, reason, rejudging_id, previous_verdict, task_problem)
	VALUES (@id, @snapshot_id, @task_id, @goal_id, @user_id, @course_id, @snapshot_number, @status, @verdict, @score,
		@tests_passed, @tests_total, @findings, @plugin, @plugin_version, @summary_en, @summary_es, @attempt, @deduplicated,
		@created_at, @started_at, @finished_at, @version, @reason, @rejudging_id, @previous_verdict, @task_problem)
	ON CONFLICT (id) DO UPDATE SET snapshot_id = excluded.snapshot_id, task_id = excluded.task_id, goal_id = excluded.goal_id,
		user_id = excluded.user_id, course_id = excluded.course_id, snapshot_number = excluded.snapshot_number,
		status = excluded.status, verdict = excluded.verdict, score = excluded.score, tests_passed = excluded.tests_passed,
		tests_total = excluded.tests_total, findings = excluded.findings, plugin = excluded.plugin,
		plugin_version = excluded.plugin_version, summary_en = excluded.summary_en, summary_es = excluded.summary_es,
		attempt = excluded.attempt, deduplicated = excluded.deduplicated, created_at = excluded.created_at,
		started_at = excluded.started_at, finished_at = excluded.finished_at, version = excluded.version,
		reason = excluded.reason, rejudging_id = excluded.rejudging_id, previous_verdict = excluded.previous_verdict,
		task_problem = excluded.task_problem`)

// PutRun writes a run's state.
func PutRun(ctx context.Context, tx *postgres.Tx, r validation.Run) error {
	_, err := tx.Exec(ctx, putRun, RunRow(r))
	return err
}

var removeRun = postgres.SQL("validation.runs.delete", `DELETE FROM validation.runs WHERE id = @id`)

// DeleteRun removes a run's row.
func DeleteRun(ctx context.Context, tx *postgres.Tx, id string) error {
	_, err := tx.Exec(ctx, removeRun, postgres.Args{"id": id})
	return err
}

// RunRow is a run by column.
func RunRow(r validation.Run) map[string]any {
	return map[string]any{
		"id": r.ID, "snapshot_id": r.SnapshotID, "task_id": r.TaskID, "goal_id": r.GoalID, "user_id": r.UserID,
		"course_id": orNull(r.CourseID), "snapshot_number": r.SnapshotNumber, "status": string(r.Status),
		"verdict": orNull(string(r.Verdict)), "score": r.Score, "tests_passed": r.TestsPassed, "tests_total": r.TestsTotal,
		"findings": r.Findings, "plugin": r.Plugin, "plugin_version": r.PluginVersion,
		"summary_en": r.Summary.EN, "summary_es": r.Summary.ES, "attempt": r.Attempt, "deduplicated": r.Deduplicated,
		"created_at": r.CreatedAt, "started_at": timeOrNull(r.StartedAt), "finished_at": timeOrNull(r.FinishedAt), "version": r.Version,
		"reason": string(r.Reason), "rejudging_id": orNull(r.RejudgingID), "previous_verdict": orNull(string(r.PreviousVerdict)),
		"task_problem": r.TaskProblem,
	}
}

func scanRun(row pgx.Row, more ...any) (r validation.Run, err error) {
	var started, finished *time.Time
	err = row.Scan(append([]any{
		&r.ID, &r.SnapshotID, &r.TaskID, &r.GoalID, &r.UserID, &r.CourseID, &r.SnapshotNumber,
		&r.Status, &r.Verdict, &r.Score, &r.TestsPassed, &r.TestsTotal, &r.Findings, &r.Plugin, &r.PluginVersion,
		&r.Summary.EN, &r.Summary.ES, &r.Attempt, &r.Deduplicated, &r.CreatedAt, &started, &finished, &r.Version,
		&r.Reason, &r.RejudgingID, &r.PreviousVerdict, &r.TaskProblem,
	}, more...)...)
	r.CreatedAt, r.StartedAt, r.FinishedAt = r.CreatedAt.UTC(), utc(started), utc(finished)
	return r, err
}

var insertReport = postgres.SQL("validation.reports.insert", `
	INSERT INTO validation.reports (run_id, task_id, user_id, course_id, report, created_at)
	VALUES (@run, @task, @user, @course, @report, @created)`)

// InsertReport writes the report of a finished run, once.
func InsertReport(ctx context.Context, tx *postgres.Tx, r validation.Run, report validation.Report) error {
	body, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("store report of run %s: %w", r.ID, err)
	}
	_, err = tx.Exec(ctx, insertReport, postgres.Args{
		"run": r.ID, "task": r.TaskID, "user": r.UserID, "course": orNull(r.CourseID), "report": json.RawMessage(body), "created": r.FinishedAt,
	})
	return err
}

var knownVerdict = postgres.SQL("validation.verdicts.find", `
	SELECT p.report::text FROM validation.verdicts v JOIN validation.reports p ON p.run_id = v.run_id
	WHERE v.task_id = @task AND v.user_id = @user AND v.key = @key`)

// KnownReport is what was said of an equal submission of the same learner and
// task; nil for nothing.
func KnownReport(ctx context.Context, q postgres.Queryer, userID, taskID string, key []byte) (*validation.Report, error) {
	var body string
	err := q.QueryRow(ctx, knownVerdict, postgres.Args{"user": userID, "task": taskID, "key": key}).Scan(&body)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for an equal submission to task %s: %w", taskID, err)
	}
	var report validation.Report
	if err := json.Unmarshal([]byte(body), &report); err != nil {
		return nil, fmt.Errorf("read report of an equal submission to task %s: %w", taskID, err)
	}
	return &report, nil
}

var rememberVerdict = postgres.SQL("validation.verdicts.put", `
	INSERT INTO validation.verdicts (user_id, task_id, key, run_id, created_at) VALUES (@user, @task, @key, @run, @created)
	ON CONFLICT (task_id, user_id, key) DO UPDATE SET run_id = excluded.run_id, created_at = excluded.created_at`)

// RememberReport lets later equal submissions find the report of a run, in place
// of an older one.
func RememberReport(ctx context.Context, tx *postgres.Tx, r validation.Run, key []byte) error {
	_, err := tx.Exec(ctx, rememberVerdict, postgres.Args{"user": r.UserID, "task": r.TaskID, "key": key, "run": r.ID, "created": r.FinishedAt})
	return err
}
