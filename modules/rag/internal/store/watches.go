package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var (
	// The database's clock decides: replicas' clocks differ.
	holdWatch = postgres.SQL("rag.watches.hold", `
		INSERT INTO rag.watches AS w (course_id, holder, held_until) VALUES (@course, @holder, now() + @lease::interval)
		ON CONFLICT (course_id) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
		WHERE w.holder = excluded.holder OR w.held_until < now()
		RETURNING w.fingerprint`)
	ranWatch = postgres.SQL("rag.watches.ran", `
		UPDATE rag.watches SET fingerprint = @fingerprint, problem = @problem, ran_at = now()
		WHERE course_id = @course AND holder = @holder`)
	// So that the folder is taken in again should the course come back.
	forgetSeen   = postgres.SQL("rag.watches.forget", `UPDATE rag.watches SET fingerprint = '' WHERE course_id = @course`)
	releaseWatch = postgres.SQL("rag.watches.release", `
		UPDATE rag.watches SET held_until = now() WHERE course_id = @course AND holder = @holder`)
)

// HoldWatch takes or keeps the watch of a course for a while; held is false when
// another server has it.
func HoldWatch(ctx context.Context, q postgres.Queryer, courseID, holder string, lease time.Duration) (fingerprint string, held bool, err error) {
	err = q.QueryRow(ctx, holdWatch, postgres.Args{"course": courseID, "holder": holder, "lease": lease}).Scan(&fingerprint)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("hold the watch of course %s: %w", courseID, err)
	}
	return fingerprint, true, nil
}

// RanWatch notes what was ingested, or what was wrong.
func RanWatch(ctx context.Context, q postgres.Queryer, courseID, holder, fingerprint, problem string) error {
	_, err := q.Exec(ctx, ranWatch, postgres.Args{"course": courseID, "holder": holder, "fingerprint": fingerprint, "problem": problem})
	if err != nil {
		return fmt.Errorf("note what the watch of course %s saw: %w", courseID, err)
	}
	return nil
}

// ReleaseWatch lets another server watch at once.
func ReleaseWatch(ctx context.Context, q postgres.Queryer, courseID, holder string) error {
	if _, err := q.Exec(ctx, releaseWatch, postgres.Args{"course": courseID, "holder": holder}); err != nil {
		return fmt.Errorf("release the watch of course %s: %w", courseID, err)
	}
	return nil
}
