package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

var (
	getPolicy = postgres.SQL("rag.policies.get", `
		SELECT p.course_id, p.default_scope, p.peer_snapshots, p.updated_at FROM rag.policies p
		WHERE p.course_id = @course AND /*scope*/ (@everything OR p.course_id = ANY (@courses::text[])) /*end*/`)
	lockPolicy = postgres.SQL("rag.policies.lock", `SELECT pg_advisory_xact_lock(hashtextextended('rag.policy:' || @course, 0))`)
	putPolicy  = postgres.SQL("rag.policies.put", `
		INSERT INTO rag.policies AS p (course_id, default_scope, peer_snapshots, settled, updated_at)
		VALUES (@course, @scope, @peers, NOT @peers, @now)
		ON CONFLICT (course_id) DO UPDATE SET default_scope = excluded.default_scope,
			settled = p.settled AND p.peer_snapshots = excluded.peer_snapshots,
			peer_snapshots = excluded.peer_snapshots, updated_at = excluded.updated_at`)
	unsettled = postgres.SQL("rag.policies.unsettled", `
		SELECT p.course_id, p.default_scope, p.peer_snapshots, p.updated_at FROM rag.policies p WHERE NOT p.settled ORDER BY p.course_id`)
	settlePolicy = postgres.SQL("rag.policies.settle", `
		UPDATE rag.policies SET settled = true WHERE course_id = @course AND updated_at = @read AND NOT settled`)
	dropPolicy = postgres.SQL("rag.policies.drop", `DELETE FROM rag.policies WHERE course_id = @course`)
)

func scanPolicy(row pgx.CollectableRow) (p rag.Policy, err error) {
	err = row.Scan(&p.CourseID, &p.DefaultScope, &p.PeerSnapshots, &p.UpdatedAt)
	p.UpdatedAt = p.UpdatedAt.UTC()
	return p, err
}

// Policy reads a course's policy; where none is set it is the default one.
func Policy(ctx context.Context, q postgres.Queryer, actor auth.Actor, courseID string) (rag.Policy, error) {
	args := rights(actor, postgres.Args{"course": courseID})
	delete(args, "system")
	delete(args, "actor")
	rows, err := q.Query(ctx, getPolicy, args)
	if err != nil {
		return rag.Policy{}, fmt.Errorf("read policy of course %s: %w", courseID, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPolicy)
	if errors.Is(err, pgx.ErrNoRows) {
		return rag.Policy{CourseID: courseID, DefaultScope: rag.ScopeCourse}, nil
	}
	if err != nil {
		return p, fmt.Errorf("read policy of course %s: %w", courseID, err)
	}
	return p, nil
}

// PutPolicy sets a course's policy; its row waits for others' changes.
func PutPolicy(ctx context.Context, tx *postgres.Tx, p rag.Policy) error {
	_, err := tx.Exec(ctx, putPolicy, postgres.Args{"course": p.CourseID, "scope": string(p.DefaultScope), "peers": p.PeerSnapshots, "now": p.UpdatedAt})
	if err != nil {
		return fmt.Errorf("write policy of course %s: %w", p.CourseID, err)
	}
	return nil
}

// LockPolicy keeps a course's policy as it is while copies are made by it.
func LockPolicy(ctx context.Context, tx *postgres.Tx, courseID string) error {
	if _, err := tx.Exec(ctx, lockPolicy, postgres.Args{"course": courseID}); err != nil {
		return fmt.Errorf("lock policy of course %s: %w", courseID, err)
	}
	return nil
}

// Unsettled are the policies whose copies are not yet as they say.
func Unsettled(ctx context.Context, q postgres.Queryer) ([]rag.Policy, error) {
	rows, err := q.Query(ctx, unsettled, postgres.Args{})
	if err != nil {
		return nil, fmt.Errorf("list policies: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanPolicy)
	if err != nil {
		return nil, fmt.Errorf("list policies: %w", err)
	}
	return list, nil
}

// SettlePolicy says that the copies are as the policy of that time says.
func SettlePolicy(ctx context.Context, tx *postgres.Tx, courseID string, read time.Time) error {
	if _, err := tx.Exec(ctx, settlePolicy, postgres.Args{"course": courseID, "read": read}); err != nil {
		return fmt.Errorf("settle policy of course %s: %w", courseID, err)
	}
	return nil
}
