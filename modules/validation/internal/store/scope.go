// Package store keeps snapshots, runs, reports and the queue in the schema
// validation. Of runs it writes only what validation.Apply made.
package store

import (
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// scoped are the arguments of a statement's scope: what the actor may read.
func scoped(actor auth.Actor, args postgres.Args) postgres.Args {
	courses := []string{}
	if actor.Has(auth.Teacher) {
		courses = append(courses, actor.CourseIDs...)
	}
	args["actor"], args["courses"], args["all"] = actor.UserID, courses, actor.IsSystem() || actor.Has(auth.Admin)
	return args
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
