// Package store holds the SQL of the academy's inbox.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var addMessage = postgres.SQL("academy.inbox.add", `
	INSERT INTO academy.inbox (key, type, user_id, course_id, occurred_at, state)
	VALUES (@key, @type, nullif(@user, ''), nullif(@course, ''), @at, @state)
	ON CONFLICT (key) DO NOTHING`)

// Add notes that a message came; false says that it had come before. Another
// that is just being taken is waited for.
func Add(ctx context.Context, tx *postgres.Tx, key []byte, c academy.Change, state string) (bool, error) {
	tag, err := tx.Exec(ctx, addMessage, postgres.Args{
		"key": key, "type": c.Type, "user": c.UserID, "course": c.CourseID, "at": c.At, "state": state,
	})
	return err == nil && tag.RowsAffected() == 1, err
}

var settleMessage = postgres.SQL("academy.inbox.settle", `
	UPDATE academy.inbox SET state = @state, user_id = CASE WHEN @state = 'waiting' THEN user_id END WHERE key = @key`)

// Settle says what became of a message; one that is done with names nobody.
func Settle(ctx context.Context, tx *postgres.Tx, key []byte, state string) error {
	_, err := tx.Exec(ctx, settleMessage, postgres.Args{"key": key, "state": state})
	return err
}

var hearUser = postgres.SQL("academy.users.hear", `
	INSERT INTO academy.users AS known (user_id, version, occurred_at)
	VALUES (@id, @version::bigint, @at)
	ON CONFLICT (user_id) DO UPDATE
	SET version = coalesce(excluded.version, known.version), occurred_at = greatest(excluded.occurred_at, known.occurred_at)
	WHERE CASE WHEN excluded.version IS NULL OR known.version IS NULL THEN excluded.occurred_at >= known.occurred_at
	           ELSE excluded.version > known.version END`)

// HearUser notes what was heard of a person; false says that something newer
// was heard before.
func HearUser(ctx context.Context, tx *postgres.Tx, id string, version *int64, at time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, hearUser, postgres.Args{"id": id, "version": version, "at": at})
	return err == nil && tag.RowsAffected() == 1, err
}

var forgetUser = postgres.SQL("academy.users.forget", `DELETE FROM academy.users WHERE user_id = @id`)

// ForgetUser drops what was heard of a person.
func ForgetUser(ctx context.Context, tx *postgres.Tx, id string) error {
	_, err := tx.Exec(ctx, forgetUser, postgres.Args{"id": id})
	return err
}

var hearCourse = postgres.SQL("academy.courses.hear", `
	INSERT INTO academy.courses AS known (course_id, version, occurred_at, deleted)
	VALUES (@id, @version::bigint, @at, @deleted)
	ON CONFLICT (course_id) DO UPDATE
	SET version = coalesce(excluded.version, known.version), occurred_at = greatest(excluded.occurred_at, known.occurred_at),
	    deleted = excluded.deleted
	WHERE CASE WHEN excluded.version IS NULL OR known.version IS NULL
	           THEN excluded.occurred_at > known.occurred_at
	             OR excluded.occurred_at = known.occurred_at AND (excluded.deleted OR NOT known.deleted)
	           ELSE excluded.version > known.version END`)

// HearCourse notes what was heard of a course; false says that something newer
// was heard before. Of two messages of the same instant a deletion wins.
func HearCourse(ctx context.Context, tx *postgres.Tx, id string, version *int64, at time.Time, deleted bool) (bool, error) {
	tag, err := tx.Exec(ctx, hearCourse, postgres.Args{"id": id, "version": version, "at": at, "deleted": deleted})
	return err == nil && tag.RowsAffected() == 1, err
}

var courseDeleted = postgres.SQL("academy.courses.deleted", `
	SELECT EXISTS (SELECT 1 FROM academy.courses WHERE course_id = @id AND deleted)`)

// CourseDeleted reports whether the academy has deleted a course.
func CourseDeleted(ctx context.Context, q postgres.Queryer, id string) (deleted bool, err error) {
	err = q.QueryRow(ctx, courseDeleted, postgres.Args{"id": id}).Scan(&deleted)
	return deleted, err
}

// Waiting is a message that reactions have work to do for.
type Waiting struct {
	Key      []byte
	Change   academy.Change
	Done     []string
	Attempts int
}

var takeWaiting = postgres.SQL("academy.inbox.take", `
	UPDATE academy.inbox SET attempts = attempts + 1, next_at = now() + @lease::interval
	WHERE key = (
		SELECT key FROM academy.inbox WHERE state = 'waiting' AND next_at <= now()
		ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING key, type, coalesce(user_id, ''), coalesce(course_id, ''), occurred_at, done, attempts`)

// Take leases the message that has waited longest; false when none waits.
func Take(ctx context.Context, q postgres.Queryer, lease time.Duration) (Waiting, bool, error) {
	var w Waiting
	err := q.QueryRow(ctx, takeWaiting, postgres.Args{"lease": lease}).Scan(
		&w.Key, &w.Change.Type, &w.Change.UserID, &w.Change.CourseID, &w.Change.At, &w.Done, &w.Attempts)
	if errors.Is(err, pgx.ErrNoRows) {
		return w, false, nil
	}
	return w, err == nil, err
}

var keepLease = postgres.SQL("academy.inbox.keep", `
	WITH kept AS (
		UPDATE academy.inbox SET next_at = now() + @lease::interval,
		       done = CASE WHEN @done = '' THEN done ELSE array_append(done, @done) END
		WHERE key = @key AND state = 'waiting' AND attempts = @attempts)
	SELECT NOT EXISTS (SELECT 1 FROM academy.inbox WHERE key = @key AND attempts <> @attempts)`)

// Keep prolongs the lease, and notes a reaction that is done; false says that
// another replica has taken the message over. One that is gone was erased with
// whom it was about, which is no reason to stop.
func Keep(ctx context.Context, tx *postgres.Tx, w Waiting, done string, lease time.Duration) (ours bool, err error) {
	err = tx.QueryRow(ctx, keepLease, postgres.Args{"key": w.Key, "attempts": w.Attempts, "done": done, "lease": lease}).Scan(&ours)
	return ours, err
}

var postponeMessage = postgres.SQL("academy.inbox.postpone", `
	UPDATE academy.inbox SET next_at = now() + @wait::interval, problem = @problem
	WHERE key = @key AND state = 'waiting' AND attempts = @attempts`)

// Postpone says why a message has to wait, and how long.
func Postpone(ctx context.Context, q postgres.Queryer, w Waiting, wait time.Duration, problem string) error {
	_, err := q.Exec(ctx, postponeMessage, postgres.Args{"key": w.Key, "attempts": w.Attempts, "wait": wait, "problem": problem})
	return err
}

var finishMessage = postgres.SQL("academy.inbox.finish", `
	UPDATE academy.inbox SET state = 'done', user_id = NULL, problem = ''
	WHERE key = @key AND state = 'waiting' AND attempts = @attempts`)

// Finish says that every reaction has done its part.
func Finish(ctx context.Context, q postgres.Queryer, w Waiting) error {
	_, err := q.Exec(ctx, finishMessage, postgres.Args{"key": w.Key, "attempts": w.Attempts})
	return err
}

var dropOld = postgres.SQL("academy.inbox.drop", `
	DELETE FROM academy.inbox WHERE key IN (
		SELECT key FROM academy.inbox WHERE state <> 'waiting' AND received_at < now() - @age::interval LIMIT 5000)`)

var dropOldUsers = postgres.SQL("academy.users.drop", `
	DELETE FROM academy.users WHERE user_id IN (
		SELECT user_id FROM academy.users WHERE occurred_at < now() - @age::interval LIMIT 5000)`)

// DropOld forgets messages that were done with long ago, and people of whom
// nothing was heard since.
func DropOld(ctx context.Context, q postgres.Queryer, age time.Duration) error {
	if _, err := q.Exec(ctx, dropOld, postgres.Args{"age": age}); err != nil {
		return err
	}
	_, err := q.Exec(ctx, dropOldUsers, postgres.Args{"age": age})
	return err
}
