package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
)

// Key is where a page ends.
type Key struct {
	At time.Time `json:"t"`
	ID string    `json:"i"`
}

// Newest is the key before the first page.
var Newest = Key{At: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), ID: "ffffffff-ffff-ffff-ffff-ffffffffffff"}

const pageOrder = ` AND (g.created_at, g.id) < (@after_time, @after_id)
	AND (cardinality(@statuses::text[]) = 0 OR g.status = ANY (@statuses))
	ORDER BY g.created_at DESC, g.id DESC LIMIT @size`

// Three statements, so that each goes along one index; one's own goals are what
// is asked for most.
var (
	listOwn = postgres.SQL("goals.list.own", `SELECT `+columns+from+`
		WHERE /*scope*/ g.user_id = @actor /*end*/ AND (@course = '' OR g.course_id = @course)`+pageOrder)
	listUser = postgres.SQL("goals.list.user", `SELECT `+columns+from+`
		WHERE g.user_id = @user AND (@course = '' OR g.course_id = @course) AND `+scope+pageOrder)
	listCourse = postgres.SQL("goals.list.course", `SELECT `+columns+from+`
		WHERE g.course_id = @course AND `+scope+pageOrder)
)

// Filter says which goals to list: a user's, all of a course, or a user's of a course.
type Filter struct {
	UserID, CourseID string
	Statuses         []goals.Status
}

// List reads at most size goals after a key, newest first, as far as the actor
// may read them.
func List(ctx context.Context, q postgres.Queryer, actor auth.Actor, f Filter, after Key, size int) ([]goals.Goal, error) {
	statuses := make([]string, len(f.Statuses))
	for i, s := range f.Statuses {
		statuses[i] = string(s)
	}
	args := postgres.Args{
		"course": f.CourseID, "statuses": statuses, "after_time": after.At, "after_id": after.ID, "size": size,
	}
	statement := listCourse
	switch f.UserID {
	case "":
		Scope(actor, args)
	case actor.UserID:
		statement, args["actor"] = listOwn, actor.UserID
	default:
		statement, args["user"] = listUser, f.UserID
		Scope(actor, args)
	}
	rows, err := q.Query(ctx, statement, args)
	if err != nil {
		return nil, fmt.Errorf("list goals: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (goals.Goal, error) { return scan(row) })
	if err != nil {
		return nil, fmt.Errorf("list goals: %w", err)
	}
	return list, nil
}

var withCourse = postgres.SQL("goals.with_course", `SELECT `+columns+from+`
	WHERE g.course_id = @course AND NOT g.course_deleted AND `+scope+`
	ORDER BY g.id LIMIT @size FOR UPDATE OF g`)

// LockWithCourse locks goals of a course that are not marked as without it.
func LockWithCourse(ctx context.Context, tx *postgres.Tx, actor auth.Actor, courseID string, size int) ([]goals.Goal, error) {
	rows, err := tx.Query(ctx, withCourse, Scope(actor, postgres.Args{"course": courseID, "size": size}))
	if err != nil {
		return nil, fmt.Errorf("lock goals of course %s: %w", courseID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (goals.Goal, error) { return scan(row) })
	if err != nil {
		return nil, fmt.Errorf("lock goals of course %s: %w", courseID, err)
	}
	return list, nil
}
