package embed

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

const (
	// A lease outlives any one batch.
	leased = 2 * time.Minute
	// One turn ends before River ends it; the next goes on.
	turn = 8 * time.Minute
	// A local model shares its cores with the questions of people who wait.
	localBatch, remoteBatch = 16, 96
	// How long the answer of which space the model makes is believed.
	spaceKnown = 10 * time.Minute
	// A space that was full is looked over as a whole this often; in between only
	// its end is, which is where new passages stand but for late commits.
	wholeEvery = 10 * time.Minute
	tail       = 5000
)

// Filler fills spaces. Safe for concurrent use; any number may run, on any
// number of replicas.
type Filler struct {
	db     *postgres.DB
	models rag.Models
	cfg    rag.Config
	log    *slog.Logger
	now    func() time.Time
	worker uuid.UUID

	mu     sync.Mutex
	target llm.Space
	remote bool
	signed string
	until  time.Time
	full   map[int32]mark
}

// mark is up to where a space was full, and when.
type mark struct {
	num int64
	at  time.Time
}

// New makes a filler; now is the clock.
func New(db *postgres.DB, models rag.Models, cfg rag.Config, log *slog.Logger, now func() time.Time) *Filler {
	return &Filler{db: db, models: models, cfg: cfg, log: log, now: now, worker: uuid.New(), full: map[int32]mark{}}
}

func (f *Filler) system() postgres.Queryer { return f.db.As(auth.System("embedding")) }

func (f *Filler) inTx(ctx context.Context, fn func(context.Context, *postgres.Tx) error) error {
	return f.db.InTx(ctx, postgres.As(auth.System("embedding")), fn)
}

// Work does all there is to do, for a turn at most. That there is no model is
// no error.
func (f *Filler) Work(ctx context.Context) error {
	_, err := f.Turn(ctx)
	return err
}

// Turn does what Work does. It is not done when the turn was too short, or when
// another worker fills a space just now, who may have looked for passages before
// the newest were there.
func (f *Filler) Turn(ctx context.Context) (done bool, err error) {
	turned, cancel := context.WithTimeout(ctx, turn)
	defer cancel()
	done, err = f.work(turned)
	if turned.Err() != nil && ctx.Err() == nil {
		return false, nil // the next turn goes on
	}
	return done, err
}

func (f *Filler) work(ctx context.Context) (done bool, err error) {
	if err := f.dropRetired(ctx); err != nil {
		return false, err
	}
	target, err := f.wanted(ctx)
	if llm.ErrNoModel.Is(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask the embedding model which space it makes: %w", err)
	}
	spaces, err := store.Spaces(ctx, f.system())
	if err != nil {
		return false, err
	}
	var wanted *store.Space
	done = true
	for i := range spaces {
		s := &spaces[i]
		if s.Space == target && s.State != rag.SpaceRetired {
			wanted = s
			continue
		}
		if s.State == rag.SpaceActive {
			// Until the new space is full, new passages are found by the old one.
			if done, err = f.fillOld(ctx, *s); err != nil {
				return false, err
			}
		}
	}
	if wanted == nil {
		if wanted, err = f.make(ctx, target); err != nil {
			return false, err
		}
	}
	full, err := f.fill(ctx, *wanted)
	if err != nil || !full || wanted.State == rag.SpaceActive {
		return done && full, err
	}
	if err := f.inTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return store.Activate(ctx, tx, wanted.ID, f.now().UTC())
	}); err != nil {
		return false, err
	}
	f.log.InfoContext(ctx, "searches use another embedding space now", "provider", target.Provider, "model", target.Model)
	return done, nil
}

// fillOld fills a space that another one is to replace; that its model is gone
// is no error.
func (f *Filler) fillOld(ctx context.Context, space store.Space) (full bool, err error) {
	full, err = f.fill(ctx, space)
	if llm.ErrNoModel.Is(err) {
		return true, nil
	}
	return full, err
}

// make makes a space to fill.
func (f *Filler) make(ctx context.Context, target llm.Space) (*store.Space, error) {
	var made store.Space
	err := f.inTx(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		made, err = store.EnsureSpace(ctx, tx, target, Weight(target), f.now().UTC())
		return err
	})
	if err != nil {
		return nil, err
	}
	f.log.InfoContext(ctx, "a new embedding space is being filled", "provider", target.Provider, "model", target.Model, "dims", target.Dimensions)
	return &made, nil
}

// wanted is the space that the configured model makes. It is asked for by
// embedding a word, which is the only thing that surely tells; not each time.
func (f *Filler) wanted(ctx context.Context) (llm.Space, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.models.Available(llm.Embed) {
		f.until = time.Time{}
		return llm.Space{}, llm.ErrNoModel.New(string(llm.Embed))
	}
	models := f.models.Models(ctx)
	signed := fmt.Sprint(models)
	if signed == f.signed && f.now().Before(f.until) {
		return f.target, nil
	}
	got, err := f.models.Embed(ctx, llm.EmbedRequest{Texts: []string{"tracker"}})
	if err != nil {
		return llm.Space{}, err
	}
	f.target, f.signed, f.until, f.remote = got.Space, signed, f.now().Add(spaceKnown), true
	for _, m := range models {
		if m.Provider == got.Space.Provider && m.Model == got.Space.Model {
			f.remote = m.Remote
		}
	}
	return f.target, nil
}

// fill gives vectors to all passages without one in a space; false when it
// could not come to the end.
func (f *Filler) fill(ctx context.Context, space store.Space) (full bool, err error) {
	mine, err := store.Lease(ctx, f.system(), space.ID, f.worker, f.now().UTC(), f.now().UTC().Add(leased))
	if err != nil || !mine {
		return false, err
	}
	full, err = f.pass(ctx, space)
	problem := ""
	if err != nil && ctx.Err() == nil {
		problem = err.Error()
	}
	bare := context.WithoutCancel(ctx)
	if releaseErr := store.Release(bare, f.system(), space.ID, f.worker, problem); err == nil {
		err = releaseErr
	}
	return full, err
}

// pass goes over all passages, again and again until none is left, since one
// may commit after others that got a higher number.
func (f *Filler) pass(ctx context.Context, space store.Space) (bool, error) {
	start, size := f.start(space)
	last, err := store.LastChunk(ctx, f.system())
	if err != nil {
		return false, err
	}
	for after := start; ctx.Err() == nil; {
		bare, err := store.Without(ctx, f.system(), space.ID, after, 8*size)
		if err != nil {
			return false, err
		}
		if len(bare) == 0 {
			if after == start {
				f.remember(space, start, last)
				return true, nil
			}
			after = start
			continue
		}
		for len(bare) > 0 {
			n := 0
			for n < len(bare) && n < size && bare[n].CourseID == bare[0].CourseID {
				n++ // a batch is on one course's budget
			}
			if err := f.embed(ctx, space, bare[:n]); err != nil {
				return false, err
			}
			after, bare = bare[n-1].Num, bare[n:]
		}
		mine, err := store.Lease(ctx, f.system(), space.ID, f.worker, f.now().UTC(), f.now().UTC().Add(leased))
		if err != nil || !mine {
			return false, err
		}
	}
	return false, nil
}

// start is after which passage to look, and how many to take at once.
func (f *Filler) start(space store.Space) (after int64, size int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size = localBatch
	if f.remote {
		size = remoteBatch
	}
	m, ok := f.full[space.ID]
	if !ok || space.State != rag.SpaceActive || f.now().After(m.at.Add(wholeEvery)) {
		return 0, size
	}
	return max(0, m.num-tail), size
}

func (f *Filler) remember(space store.Space, start, last int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.now()
	if start > 0 {
		at = f.full[space.ID].at // the whole was not looked over
	}
	f.full[space.ID] = mark{num: last, at: at}
}

// embed gives passages of one course their vectors. A passage that the model
// can't take is found by halving, and marked.
func (f *Filler) embed(ctx context.Context, space store.Space, batch []store.Bare) error {
	texts, nums := make([]string, len(batch)), make([]int64, len(batch))
	for i, b := range batch {
		texts[i], nums[i] = Text(b.Kind, b.Title, b.Heading, b.Text), b.Num
	}
	in := space.Space
	got, err := f.models.Embed(ctx, llm.EmbedRequest{Caller: llm.Caller{CourseID: batch[0].CourseID}, Texts: texts, Space: &in})
	switch {
	case llm.ErrBadRequest.Is(err) && len(batch) > 1:
		half := len(batch) / 2
		if err := f.embed(ctx, space, batch[:half]); err != nil {
			return err
		}
		return f.embed(ctx, space, batch[half:])
	case llm.ErrBadRequest.Is(err):
		f.log.WarnContext(ctx, "a passage can't be embedded and is found by its words alone", "passage", nums[0], "model", space.Model, "error", err)
		return store.AddVectors(ctx, f.system(), space.ID, nums, make([][]float32, 1), f.now().UTC())
	case err != nil:
		return fmt.Errorf("embed %d passages with %s/%s: %w", len(batch), space.Provider, space.Model, err)
	case got.Space != space.Space || len(got.Vectors) != len(batch):
		return fmt.Errorf("%s/%s answered with %d vectors of %v to %d passages; they are not kept", space.Provider, space.Model, len(got.Vectors), got.Space, len(batch))
	}
	return store.AddVectors(ctx, f.system(), space.ID, nums, got.Vectors, f.now().UTC())
}

// dropAtOnce bounds the vectors that one statement deletes.
const dropAtOnce = 20_000

// dropRetired forgets spaces that were replaced long enough ago.
func (f *Filler) dropRetired(ctx context.Context) error {
	spaces, err := store.Spaces(ctx, f.system())
	if err != nil {
		return err
	}
	for _, s := range spaces {
		if s.State != rag.SpaceRetired || f.now().Before(s.RetiredAt.Add(f.cfg.KeepRetired)) {
			continue
		}
		for {
			n, err := store.DropVectors(ctx, f.system(), s.ID, dropAtOnce)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
		if err := f.inTx(ctx, func(ctx context.Context, tx *postgres.Tx) error { return store.DropSpace(ctx, tx, s.ID) }); err != nil {
			return err
		}
		f.log.InfoContext(ctx, "an embedding space was dropped", "provider", s.Provider, "model", s.Model)
	}
	return nil
}
