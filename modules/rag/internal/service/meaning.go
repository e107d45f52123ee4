package service

import (
	"context"
	"errors"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

const (
	// A question asked again soon, as a next page or by a graph's next node, has
	// its vector still. Vectors are kept by space and text, and say nothing of who
	// asked.
	keptVectors = 2000
	keptFor     = 5 * time.Minute
	// A retired space stays for longer than this.
	activeFor = 2 * time.Second
)

// meaning is what the service needs to search by vectors.
type meaning struct {
	models  rag.Models
	vectors *lru.Cache[vectorKey, keptVector]

	mu     sync.Mutex
	spaces []store.Space
	until  time.Time
	known  map[llm.Purpose]*knowledge
}

// knowledge is whether there is a model for a purpose, and till when to believe it.
type knowledge struct {
	can    bool
	until  time.Time
	asking bool
}

const (
	believed = 10 * time.Second
	// The gateway may wait for a plugin to start; a search does not.
	patience = 50 * time.Millisecond
)

// can says whether there is a model for a purpose, as far as that is known.
func (m *meaning) can(purpose llm.Purpose) bool {
	m.mu.Lock()
	k := m.known[purpose]
	if k == nil {
		k = &knowledge{}
		m.known[purpose] = k
	}
	if k.asking || time.Now().Before(k.until) {
		defer m.mu.Unlock()
		return k.can
	}
	k.asking = true
	m.mu.Unlock()
	done := make(chan bool, 1)
	go func() {
		can := m.models.Available(purpose)
		m.mu.Lock()
		k.can, k.until, k.asking = can, time.Now().Add(believed), false
		m.mu.Unlock()
		done <- can
	}()
	select {
	case can := <-done:
		return can
	case <-time.After(patience):
		return false
	}
}

type vectorKey struct {
	space int32
	text  string
}

type keptVector struct {
	vector []float32
	until  time.Time
}

// kept is a question's vector from a moment ago; nil for none.
func (m *meaning) kept(key vectorKey) []float32 {
	v, ok := m.vectors.Get(key)
	if ok && time.Now().After(v.until) {
		m.vectors.Remove(key)
		return nil
	}
	return v.vector
}

func (m *meaning) keep(key vectorKey, vector []float32) {
	m.vectors.Add(key, keptVector{vector, time.Now().Add(keptFor)})
}

// WithModels lets the service search by meaning; without it, by words alone.
// Call it before the first search.
func (s *Service) WithModels(models rag.Models) *Service {
	vectors, _ := lru.New[vectorKey, keptVector](keptVectors) // it fails for no size alone
	s.meaning = &meaning{models: models, vectors: vectors, known: map[llm.Purpose]*knowledge{}}
	return s
}

// active is the space to search in; nil, and why, when there is none.
func (s *Service) active(ctx context.Context) (*store.Space, rag.Fallback, error) {
	m := s.meaning
	if m == nil {
		return nil, rag.NoEmbedder, nil
	}
	m.mu.Lock()
	spaces := m.spaces
	if !time.Now().Before(m.until) {
		var err error
		if spaces, err = store.Spaces(ctx, s.db.As(auth.System("search"))); err != nil {
			m.mu.Unlock()
			return nil, "", err
		}
		m.spaces, m.until = spaces, time.Now().Add(activeFor)
	}
	m.mu.Unlock()
	why := rag.NoEmbedder
	for i := range spaces {
		switch spaces[i].State {
		case rag.SpaceActive:
			return &spaces[i], "", nil
		case rag.SpaceBuilding:
			why = rag.Building
		case rag.SpaceRetired:
		}
	}
	if why == rag.NoEmbedder && m.can(llm.Embed) {
		why = rag.Building // the next tick makes its space
	}
	return nil, why, nil
}

// forget has the next search read the spaces again.
func (m *meaning) forget() {
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.until = time.Time{}
	}
}

// asked is a question's vector, on its way.
type asked struct {
	space  *store.Space
	vector []float32
	why    rag.Fallback
	ready  chan struct{}
}

// ask begins to make a question's vector; nil when none is wanted.
func (s *Service) ask(ctx context.Context, actor auth.Actor, q rag.Query) (*asked, error) {
	if q.By == rag.ByWords {
		return nil, nil
	}
	space, why, err := s.active(ctx)
	if err != nil {
		return nil, err
	}
	a := &asked{space: space, why: why, ready: make(chan struct{})}
	if space == nil {
		close(a.ready)
		return a, nil
	}
	key := vectorKey{space.ID, q.Text}
	if a.vector = s.meaning.kept(key); a.vector != nil {
		close(a.ready)
		return a, nil
	}
	wait := q.EmbedWithin
	if wait <= 0 {
		wait = s.cfg.EmbedDeadline
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	go func() {
		defer cancel()
		defer close(a.ready)
		in := space.Space
		got, err := s.meaning.models.Embed(ctx, llm.EmbedRequest{
			Caller: llm.Caller{UserID: actor.UserID, CourseID: q.CourseID}, Texts: []string{q.Text}, Query: true, Space: &in,
		})
		switch {
		case err == nil && len(got.Vectors) == 1 && len(got.Vectors[0]) == space.Dimensions:
			a.vector = got.Vectors[0]
			s.meaning.keep(key, a.vector)
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			a.why = rag.TooSlow
		case llm.ErrNoModel.Is(err):
			a.why = rag.NoEmbedder
		default:
			a.why = rag.EmbedderFailed
		}
	}()
	return a, nil
}

// wait gives the vector when it is there, or why there is none.
func (a *asked) wait(ctx context.Context) ([]float32, rag.Fallback) {
	if a == nil {
		return nil, ""
	}
	select {
	case <-a.ready:
		return a.vector, a.why
	case <-ctx.Done():
		return nil, rag.TooSlow
	}
}

// Index implements rag.Service.
func (s *Service) Index(ctx context.Context, actor auth.Actor) (rag.Index, error) {
	if !actor.IsSystem() && !actor.Has(auth.Admin) {
		return rag.Index{}, rag.ErrForAdmins.New()
	}
	// What is told here holds for the next search too.
	s.meaning.forget()
	defer s.meaning.forget()
	system := s.db.As(auth.System("index"))
	spaces, err := store.Spaces(ctx, system)
	if err != nil {
		return rag.Index{}, err
	}
	passages, filled, err := store.FilledSpaces(ctx, system)
	if err != nil {
		return rag.Index{}, err
	}
	_, why, err := s.active(ctx)
	if err != nil {
		return rag.Index{}, err
	}
	index := rag.Index{Passages: passages, Fallback: why}
	for _, p := range spaces {
		f := filled[p.ID]
		index.Spaces = append(index.Spaces, rag.Space{
			ID: int(p.ID), Provider: p.Provider, Model: p.Model, Dimensions: p.Dimensions, Version: p.Version, State: p.State,
			Weight: p.Weight, Embedded: f.Done - f.Refused, Refused: f.Refused, Missing: passages - f.Done, Problem: p.Problem,
		})
	}
	return index, nil
}
