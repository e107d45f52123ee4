// Package store is the module's SQL.
package store

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// readable are the collections that an actor may read, as rights says.
const readable = `/*scope*/ (@system OR c.user_id <> '' AND c.user_id = @actor
	OR (c.user_id = '' OR ` + ofPeers + `) AND (c.course_id = '' OR @everything OR c.course_id = ANY (@courses::text[]))) /*end*/`

// ofPeers are collections of others that their course may read now.
const ofPeers = `(c.shared AND EXISTS (SELECT FROM rag.policies o WHERE o.course_id = c.course_id AND o.peer_snapshots))`

// rights adds what readable asks for.
func rights(actor auth.Actor, args postgres.Args) postgres.Args {
	courses := actor.CourseIDs
	if courses == nil {
		courses = []string{}
	}
	args["actor"], args["courses"] = actor.UserID, courses
	args["system"], args["everything"] = actor.IsSystem(), actor.IsSystem() || actor.Has(auth.Admin)
	return args
}

var (
	ensureCollection = postgres.SQL("rag.collections.ensure", `
		INSERT INTO rag.collections (course_id) VALUES (@course) ON CONFLICT (course_id, user_id) DO NOTHING`)
	lockCollection = postgres.SQL("rag.collections.lock", `
		SELECT c.id FROM rag.collections c WHERE c.course_id = @course AND c.user_id = '' FOR NO KEY UPDATE`)
	// What learners have of their own stays theirs.
	dropCollection = postgres.SQL("rag.collections.drop", `
		DELETE FROM rag.collections WHERE course_id = @course AND (user_id = '' OR shared)`)
)

// Lock finds the collection of a course's material, makes it if need be, and
// keeps others from changing it until the end of the unit of work.
func Lock(ctx context.Context, tx *postgres.Tx, courseID string) (int32, error) {
	if _, err := tx.Exec(ctx, ensureCollection, postgres.Args{"course": courseID}); err != nil {
		return 0, fmt.Errorf("make collection of course %s: %w", courseID, err)
	}
	var id int32
	if err := tx.QueryRow(ctx, lockCollection, postgres.Args{"course": courseID}).Scan(&id); err != nil {
		return 0, fmt.Errorf("lock collection of course %s: %w", courseID, err)
	}
	return id, nil
}

// DropCourse deletes a course's material with all that hangs on it.
func DropCourse(ctx context.Context, tx *postgres.Tx, courseID string) error {
	if _, err := tx.Exec(ctx, dropCollection, postgres.Args{"course": courseID}); err != nil {
		return fmt.Errorf("delete material of course %s: %w", courseID, err)
	}
	if _, err := tx.Exec(ctx, dropPolicy, postgres.Args{"course": courseID}); err != nil {
		return fmt.Errorf("delete policy of course %s: %w", courseID, err)
	}
	if _, err := tx.Exec(ctx, forgetSeen, postgres.Args{"course": courseID}); err != nil {
		return fmt.Errorf("forget what was seen of course %s: %w", courseID, err)
	}
	return nil
}
