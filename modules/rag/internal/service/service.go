// Package service implements rag.Service.
package service

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/keyfile"
	"github.com/goals-tracker/tracker/modules/core/page"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// Memberships says which courses a person belongs to: the academy.
type Memberships interface {
	Courses(ctx context.Context, userID string) ([]academy.Membership, error)
}

// Service implements rag.Service.
type Service struct {
	db      *postgres.DB
	members Memberships
	cfg     rag.Config
	now     func() time.Time
	// meaning is nil without models: then search goes by words alone.
	meaning *meaning
	// tickets is nil where no jobs are made.
	tickets Tickets
	// key makes pseudonyms, with a key of each person's own where there are any.
	key  []byte
	keys Keys
	// deleted is nil where nothing says that courses are gone.
	deleted Deleted
}

// Deleted reports, in a unit of work that acts as the system, whether a course is
// gone.
type Deleted func(ctx context.Context, q postgres.Queryer, courseID string) (bool, error)

// WithDeleted has nothing taken into courses that are gone.
func (s *Service) WithDeleted(deleted Deleted) *Service {
	s.deleted = deleted
	return s
}

// Keys are people's own keys: when one is removed, nobody can find out any more
// whose pseudonym something stands under.
type Keys interface {
	Key(userID string) ([]byte, error)
}

// WithKeys has each person's pseudonyms made with a key of their own as well.
func (s *Service) WithKeys(keys Keys) *Service {
	s.keys = keys
	return s
}

// WithKey sets the key of pseudonyms; see keyfile.Load. Without it they are new ones
// with each start.
func (s *Service) WithKey(key []byte) *Service {
	s.key = key
	return s
}

// Tickets has what is new given its vectors soon after the unit of work.
type Tickets interface {
	Issue(tx *postgres.Tx)
}

// WithTickets has new passages embedded by jobs of the units of work that write
// them; without it, they wait until somebody looks for them.
func (s *Service) WithTickets(t Tickets) *Service {
	s.tickets = t
	return s
}

// New makes the service; now is the clock.
func New(db *postgres.DB, members Memberships, cfg rag.Config, now func() time.Time) *Service {
	key := make([]byte, keyfile.Size)
	_, _ = rand.Read(key) // it never fails
	return &Service{db: db, members: members, cfg: cfg, now: now, key: key}
}

// maxPassages bounds one reading of passages; maxOutline is more than any
// course has documents, since Config.MaxFiles is below.
const (
	maxPassages = 1000
	maxPage     = 100
)

// Passages implements rag.Service.
func (s *Service) Passages(ctx context.Context, actor auth.Actor, f rag.PassageFilter) ([]rag.Passage, error) {
	reader, err := s.reader(ctx, actor, f.CourseID)
	if err != nil {
		return nil, err
	}
	if f.Limit <= 0 || f.Limit > maxPassages {
		f.Limit = maxPassages
	}
	// An id that can't be one is as good as one that isn't there.
	var asked bool
	f.ChunkIDs, asked = onlyIDs(f.ChunkIDs)
	documents, also := onlyIDs(f.DocumentIDs)
	f.DocumentIDs = documents
	if asked && len(f.ChunkIDs) == 0 || also && len(documents) == 0 {
		return nil, nil
	}
	return store.Passages(ctx, s.db.As(reader), reader, f)
}

func onlyIDs(list []string) (ids []string, asked bool) {
	for _, id := range list {
		if uuid.Validate(id) == nil {
			ids = append(ids, id)
		}
	}
	return ids, len(list) > 0
}

// Documents implements rag.Service.
func (s *Service) Documents(ctx context.Context, actor auth.Actor, courseID string, size int, token string) ([]rag.Document, string, error) {
	reader, err := s.reader(ctx, actor, courseID)
	if err != nil {
		return nil, "", err
	}
	if size <= 0 {
		size = 20
	}
	size = min(size, maxPage)
	scope, after := "documents course="+courseID, ""
	if err := page.Decode(token, scope, &after); err != nil {
		return nil, "", err
	}
	list, err := store.ListDocuments(ctx, s.db.As(reader), reader, courseID, after, size+1)
	if err != nil || len(list) <= size {
		return list, "", err
	}
	return list[:size], page.Encode(scope, list[size-1].Path), nil
}

// Document implements rag.Service.
func (s *Service) Document(ctx context.Context, actor auth.Actor, id string) (rag.Document, error) {
	if uuid.Validate(id) != nil {
		return rag.Document{}, rag.ErrNotFound.New(id)
	}
	d, err := store.GetDocument(ctx, s.db.As(actor), actor, id)
	if !rag.ErrNotFound.Is(err) || actor.IsSystem() || actor.Has(auth.Admin) {
		return d, err
	}
	// The token may not list all courses.
	reader := s.member(ctx, actor)
	return store.GetDocument(ctx, s.db.As(reader), reader, id)
}

// DeleteDocument implements rag.Service.
func (s *Service) DeleteDocument(ctx context.Context, tx *postgres.Tx, id string) error {
	d, err := s.Document(ctx, tx.Actor(), id)
	if err != nil {
		return err
	}
	editor, err := s.editor(ctx, tx.Actor(), d.CourseID)
	if err != nil {
		return err
	}
	tx.Become(editor)
	collection, err := store.Lock(ctx, tx, d.CourseID)
	if err != nil {
		return err
	}
	if err := store.DropDocuments(ctx, tx, []string{id}); err != nil {
		return err
	}
	if _, _, err := relate(ctx, tx, collection, d.CourseID, s.now().UTC().Truncate(time.Microsecond)); err != nil {
		return err
	}
	return store.SweepTerms(ctx, tx, collection)
}

// RemoveCourse implements rag.Service.
func (s *Service) RemoveCourse(ctx context.Context, tx *postgres.Tx, courseID string) error {
	if actor := tx.Actor(); !actor.IsSystem() && !actor.Has(auth.Admin) {
		return rag.ErrNotATeacher.New(courseID)
	}
	// What is being taken in goes, too.
	if _, err := store.Lock(ctx, tx, courseID); err != nil {
		return err
	}
	tx.Become(auth.System("rag")) // people's roles know nothing of watches
	defer tx.Become(tx.Actor())
	return store.DropCourse(ctx, tx, courseID)
}

// Exercises implements rag.Service.
func (s *Service) Exercises(ctx context.Context, actor auth.Actor, courseID string) ([]rag.Exercise, error) {
	if !actor.IsSystem() {
		return nil, errs.Forbidden.New(errs.Say("solutions and tests are for the server alone", "las soluciones y las pruebas son solo para el servidor"))
	}
	return store.Exercises(ctx, s.db.As(actor), actor, courseID)
}
