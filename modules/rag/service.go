package rag

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
)

// Service keeps and searches course material. Rights are the actor's: of the
// token, or where that doesn't name a course, as the academy says.
type Service interface {
	// Search finds passages. Errors: ErrNotYourCourse, ErrBadQuery.
	Search(ctx context.Context, actor auth.Actor, q Query) (Result, error)
	// Index says which embedding spaces there are and how full they are, and why
	// search does without vectors where it does. For admins and the system. Errors:
	// ErrForAdmins.
	Index(ctx context.Context, actor auth.Actor) (Index, error)
	// Passages reads passages in the order of their documents' paths and their
	// places in them; ids that the actor may not read are left out. Errors:
	// ErrNotYourCourse.
	Passages(ctx context.Context, actor auth.Actor, f PassageFilter) ([]Passage, error)
	// Outline lists all documents of a course with their front matter, in the
	// course's order: units by number, then the others by path. Errors:
	// ErrNotYourCourse.
	Outline(ctx context.Context, actor auth.Actor, courseID string) ([]Document, error)
	// Documents pages through a course's documents by path. Errors:
	// ErrNotYourCourse, errs.BadPageToken.
	Documents(ctx context.Context, actor auth.Actor, courseID string, size int, token string) (list []Document, next string, err error)
	// Document reads one document with its text. Errors: ErrNotFound.
	Document(ctx context.Context, actor auth.Actor, id string) (Document, error)
	// Concepts is the course's concept graph: what it teaches in which order, what
	// needs what, and where it is practised. Errors: ErrNotYourCourse.
	Concepts(ctx context.Context, actor auth.Actor, courseID string) (Graph, error)

	// Policy is how a course's material is searched. Errors: ErrNotYourCourse.
	Policy(ctx context.Context, actor auth.Actor, courseID string) (Policy, error)
	// UpdatePolicyTx changes it. What learners may not see any more is gone from
	// their searches at once; what they now may see comes within seconds. For
	// teachers of the course, admins and the system. Errors: ErrNotATeacher,
	// ErrBadPolicy.
	UpdatePolicyTx(ctx context.Context, tx *postgres.Tx, courseID string, change PolicyPatch) (Policy, error)

	// Ingest adds or replaces documents of a course, by path, in units of work of
	// bounded size; what did not change is left alone. With prune, documents that
	// are not among the files leave the index at the end. For teachers of the
	// course, admins and the system. Progress may be nil. A file that can't be
	// taken is a Problem in the report and no error. An ingest that is interrupted
	// can be repeated. Errors: ErrNotATeacher, ErrTooMany.
	Ingest(ctx context.Context, call postgres.Call, courseID string, files []File, prune bool, progress func(Progress)) (Report, error)
	// IngestTx is Ingest in one unit of work.
	IngestTx(ctx context.Context, tx *postgres.Tx, courseID string, files []File, prune bool) (Report, error)
	// DeleteDocument takes a document out of the index, an exercise with its
	// statement. Errors: ErrNotFound, ErrNotATeacher.
	DeleteDocument(ctx context.Context, tx *postgres.Tx, id string) error
	// RemoveCourse takes all of a course's material out, when the academy has
	// deleted the course. For the system and admins.
	RemoveCourse(ctx context.Context, tx *postgres.Tx, courseID string) error
	// Exercises lists a course's exercises by unit, difficulty and path, with
	// their solutions and tests: for the system only. Errors: errs.Forbidden.
	Exercises(ctx context.Context, actor auth.Actor, courseID string) ([]Exercise, error)
}

// Models makes vectors and ranks passages: the llm gateway.
type Models interface {
	Embed(ctx context.Context, req llm.EmbedRequest) (*llm.Embeddings, error)
	Rerank(ctx context.Context, req llm.RerankRequest) (*llm.Ranking, error)
	Available(purpose llm.Purpose) bool
	Models(ctx context.Context) []llm.Model
}

// Filler gives passages their vectors, in the configured model's space.
type Filler interface {
	// Work does what there is to do, for some minutes at most. That there is no
	// model, or that another worker is at it, is no error.
	Work(ctx context.Context) error
}
