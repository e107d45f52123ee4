package academy

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// User is a person as the academy knows them.
type User struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	FullName string `json:"full_name"`
	IsActive bool   `json:"is_active"`
}

// Course is a course as the academy knows it.
type Course struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	// Status is the academy's own word: "published", "draft", "archived".
	Status string `json:"status"`
}

// Membership is a person's place in a course.
type Membership struct {
	// ID is the course's.
	ID string `json:"id"`
	// Role is "student" or "teacher".
	Role string `json:"role"`
}

// Service answers questions about people and courses. An answer may be as old
// as the cache's life; an older one is given while a new one is fetched, and
// when the academy is down rather than none. Errors: ErrUserNotFound,
// ErrCourseNotFound, ErrUnreachable, ErrNotConfigured.
type Service interface {
	// User looks a person up. For the server itself: it checks no rights.
	User(ctx context.Context, id string) (User, error)
	// Course looks a course up. Anyone who is signed in may ask.
	Course(ctx context.Context, id string) (Course, error)
	// Courses lists a person's courses. For the server itself.
	Courses(ctx context.Context, userID string) ([]Membership, error)
	// MayUse decides by Config.CoursePolicy whether the actor may name the course
	// in a goal; one that the academy has deleted nobody may. When the academy
	// can't be asked, what the token says holds. Errors: ErrNotYourCourse,
	// ErrCourseNotFound.
	MayUse(ctx context.Context, actor auth.Actor, courseID string) error
	// Admit refuses a person whom the academy calls inactive (ErrInactive), and
	// gives the actor the courses that the academy says: for teachers those they
	// teach, for others those they are in when their token names none. A person
	// whom it can't be asked about is admitted as they are: their token holds.
	Admit(ctx context.Context, actor auth.Actor) (auth.Actor, error)
	// CourseDeleted reports whether the academy has deleted a course, in a unit of
	// work that acts as the system.
	CourseDeleted(ctx context.Context, q postgres.Queryer, courseID string) (bool, error)
	// Forget drops what is remembered of a person, here and on every replica.
	Forget(ctx context.Context, userID string)
}

// What can go wrong.
var (
	ErrUserNotFound = errs.Define(errs.NotFound, "user_not_found",
		"The academy knows no user %q.", "La academia no conoce al usuario %q.")
	ErrCourseNotFound = errs.Define(errs.NotFound, "course_not_found",
		"The academy has no course %q.", "La academia no tiene ningún curso %q.")
	ErrUnreachable = errs.Define(errs.Unavailable, "academy_unreachable",
		"The academy can't be reached right now. Your goals and tasks work on; try this again in a moment.",
		"La academia no está disponible en este momento. Tus objetivos y tareas siguen funcionando; inténtalo de nuevo en un momento.")
	ErrNotConfigured = errs.Define(errs.Unavailable, "academy_not_configured",
		"This server is not connected to an academy (USER_SERVICE_URL is not set).",
		"Este servidor no está conectado a ninguna academia (falta USER_SERVICE_URL).")
	ErrNotYourCourse = errs.Define(errs.PermissionDenied, "not_your_course",
		"You do not belong to course %q. Ask its team to add you, or make the goal without a course.",
		"No perteneces al curso %q. Pide a su equipo que te añada o crea el objetivo sin curso.")
	ErrInactive = errs.Define(errs.PermissionDenied, "user_inactive",
		"This account is inactive at the academy. Ask the academy's team.",
		"Esta cuenta está inactiva en la academia. Consulta con su equipo.")
	ErrServiceKey = errs.Define(errs.Unauthenticated, "service_key_invalid",
		"Only the academy posts here, with Authorization: Bearer <SERVICE_API_KEY>. Check that both sides have the same key.",
		"Aquí solo publica la academia, con Authorization: Bearer <SERVICE_API_KEY>. Comprueba que ambos lados tienen la misma clave.")
	ErrBadEvent = errs.Define(errs.InvalidArgument, "event_malformed",
		"This can't be taken in: %s",
		"Esto no se puede aceptar: %s")
)
