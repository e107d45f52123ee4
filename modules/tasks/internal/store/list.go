package store

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// Key is where a page ends.
type Key struct {
	GoalID   string `json:"g"`
	Position int    `json:"p"`
	ID       string `json:"i"`
}

// First is the key before the first page: newest goals come first, and ids of
// goals grow with time.
var First = Key{GoalID: "ffffffff-ffff-ffff-ffff-ffffffffffff", Position: -1, ID: "00000000-0000-0000-0000-000000000000"}

const pageOrder = `
	AND t.goal_id <= @after_goal AND (t.goal_id < @after_goal OR (t.position, t.id) > (@after_position, @after_id))
	AND (cardinality(@statuses::text[]) = 0 OR t.status = ANY (@statuses))
	AND (cardinality(@types::text[]) = 0 OR t.type = ANY (@types))
	ORDER BY t.goal_id DESC, t.position, t.id LIMIT @size`

// Four statements, so that each goes along one index; one's own tasks are what
// is asked for most.
var (
	listOwn = postgres.SQL("tasks.list.own", `SELECT `+columns+` FROM tasks.tasks t
		WHERE /*scope*/ t.user_id = @actor /*end*/ AND (@course = '' OR t.course_id = @course)`+pageOrder)
	listGoal = postgres.SQL("tasks.list.goal", `SELECT `+columns+` FROM tasks.tasks t
		WHERE t.goal_id = @goal AND (@user = '' OR t.user_id = @user) AND (@course = '' OR t.course_id = @course) AND `+scope+pageOrder)
	listUser = postgres.SQL("tasks.list.user", `SELECT `+columns+` FROM tasks.tasks t
		WHERE t.user_id = @user AND (@course = '' OR t.course_id = @course) AND `+scope+pageOrder)
	listCourse = postgres.SQL("tasks.list.course", `SELECT `+columns+` FROM tasks.tasks t
		WHERE t.course_id = @course AND `+scope+pageOrder)
)

// Filter says which tasks to list: a goal's, a user's or a course's.
type Filter struct {
	GoalID, UserID, CourseID string
	Statuses                 []tasks.Status
	Types                    []tasks.Type
}

// List reads at most size tasks after a key, as far as the actor may read them.
func List(ctx context.Context, q postgres.Queryer, actor auth.Actor, f Filter, after Key, size int) ([]tasks.Task, error) {
	args := postgres.Args{
		"course": f.CourseID, "statuses": texts(f.Statuses), "types": texts(f.Types),
		"after_goal": after.GoalID, "after_position": after.Position, "after_id": after.ID, "size": size,
	}
	statement := listCourse
	switch {
	case f.GoalID != "":
		statement, args["goal"], args["user"] = listGoal, f.GoalID, f.UserID
		Scope(actor, args)
	case f.UserID == "":
		Scope(actor, args)
	case f.UserID == actor.UserID:
		statement, args["actor"] = listOwn, actor.UserID
	default:
		statement, args["user"] = listUser, f.UserID
		Scope(actor, args)
	}
	rows, err := q.Query(ctx, statement, args)
	return collect(rows, err)
}

func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}
