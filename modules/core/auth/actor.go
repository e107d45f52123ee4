// Package auth knows who is calling: it turns tokens into actors and holds
// what an actor may do. It keeps no users; those are the academy's.
package auth

import (
	"context"
	"slices"
	"time"
)

// Role is what a person is in the academy.
type Role string

// The roles that tokens carry.
const (
	Student Role = "student"
	Teacher Role = "teacher"
	Admin   Role = "admin"
)

// Actor is who acts. The zero Actor is nobody and may do nothing.
type Actor struct {
	// UserID is the academy's id, at most 36 characters; "" for the system.
	UserID string
	Email  string
	Roles  []Role
	// CourseIDs are the courses of the token: joined as a student, taught as a
	// teacher.
	CourseIDs []string
	// ExpiresAt is when the token ends; zero for the system.
	ExpiresAt time.Time
	// system names the part of the server that acts by itself.
	system string
}

// System is the server acting by itself; part names the part: "validation".
func System(part string) Actor { return Actor{system: part} }

// IsSystem reports whether the server itself acts.
func (a Actor) IsSystem() bool { return a.system != "" }

// Name is how the log names the actor: the user id, or "system:<part>".
func (a Actor) Name() string {
	if a.IsSystem() {
		return "system:" + a.system
	}
	return a.UserID
}

// Has reports whether the actor has a role.
func (a Actor) Has(role Role) bool { return slices.Contains(a.Roles, role) }

// Teaches reports whether the actor may act for a course's people: its
// teachers, admins and the system.
func (a Actor) Teaches(courseID string) bool {
	if a.IsSystem() || a.Has(Admin) {
		return true
	}
	return courseID != "" && a.Has(Teacher) && slices.Contains(a.CourseIDs, courseID)
}

// Joined reports whether the actor may read a course's material.
func (a Actor) Joined(courseID string) bool {
	return a.Teaches(courseID) || (courseID != "" && slices.Contains(a.CourseIDs, courseID))
}

// Owns reports whether data of the user is the actor's own.
func (a Actor) Owns(userID string) bool {
	return a.IsSystem() || (a.UserID != "" && a.UserID == userID)
}

type actorKey struct{}

// WithActor puts the actor into a request's context; only the HTTP middleware
// and tests do so, and only handlers read it.
func WithActor(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// FromContext is the actor of the request.
func FromContext(ctx context.Context) (Actor, bool) {
	actor, ok := ctx.Value(actorKey{}).(Actor)
	return actor, ok
}
