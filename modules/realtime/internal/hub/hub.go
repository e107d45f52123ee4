// Package hub follows the log once per replica and hands each event to the
// open screens of the person it belongs to.
package hub

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/realtime"
)

// ErrTooManyConnections says that one person has too many screens open.
var ErrTooManyConnections = errs.Define(errs.ResourceExhausted, "too_many_connections",
	"You have %d connections open, which is the most. Close another window first.",
	"Tienes %d conexiones abiertas, que es el máximo. Cierra antes otra ventana.")

var errAccount = errs.Define(errs.Unauthenticated, "account_erased",
	"This account is being erased.", "Esta cuenta se está borrando.")

// Why screens are ended.
var (
	// ErrSlow: the client did not keep up.
	ErrSlow = errors.New("the client does not keep up")
	// ErrGap: the hub can't go on without a gap; clients come back and resume.
	ErrGap = errors.New("pushing is interrupted")
	// ErrShutdown: the server stops.
	ErrShutdown = errors.New("the server is stopping")
	// ErrErased: the person is being erased.
	ErrErased = errors.New("the person is being erased")
)

// messageErased tells all replicas' hubs to end a person's screens. It is no
// push: nobody gets to see it.
const messageErased = "realtime.erased"

// Hub is the replica's fan-out.
type Hub struct {
	db     *postgres.DB
	log    *events.Log
	bus    *bus.Bus
	cfg    realtime.Config
	logger *slog.Logger

	readers chan struct{}
	places  *limits.Places
	settled func(context.Context) (int64, error) // up to where the log is

	mu sync.Mutex
	// following: screens get what comes. changed is closed when it begins, or when
	// the hub stops.
	following bool
	changed   chan struct{}
	position  int64
	epoch     string
	ring      ring
	screens   map[string]map[*Screen]struct{}
	stopped   bool
	refuse    func(userID string) bool
}

// New makes a hub; Run makes it follow the log.
func New(db *postgres.DB, log *events.Log, b *bus.Bus, cfg realtime.Config, places *limits.Places, logger *slog.Logger) *Hub {
	h := &Hub{
		db: db, log: log, bus: b, cfg: cfg, logger: logger, ring: ring{max: cfg.Ring},
		screens: map[string]map[*Screen]struct{}{}, changed: make(chan struct{}),
		readers: make(chan struct{}, readersAtOnce), places: places, settled: log.Horizon,
	}
	b.Subscribe(h.hear)
	return h
}

// RefuseWhen has screens refused, and open ones ended within a second, for whom
// fn holds. fn is a look into memory.
func (h *Hub) RefuseWhen(fn func(userID string) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse = fn
}

func (h *Hub) refused(userID string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refuse != nil && h.refuse(userID)
}

// Erased ends a person's screens, here at once and on other replicas as soon as
// they hear of it.
func (h *Hub) Erased(userID string) {
	h.bus.Publish(bus.Message{UserID: userID, Type: messageErased, Payload: []byte("{}")})
}

// Open is how many screens are open.
func (h *Hub) Open() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, audience := range h.screens {
		n += len(audience)
	}
	return n
}

// Run follows the log until ctx ends, then ends all screens.
func (h *Hub) Run(ctx context.Context) error {
	defer h.Stop()
	var watch sync.WaitGroup
	watch.Go(func() { h.watch(ctx) })
	defer watch.Wait()
	for {
		err := h.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		h.logger.Warn("pushing is interrupted, clients are asked to resume", "error", err)
		h.pause()
		if errors.Is(err, events.ErrAnotherLog) {
			continue // which it says once
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *Hub) follow(ctx context.Context) error {
	epoch, err := h.log.Epoch(ctx)
	if err != nil {
		return err
	}
	head, err := h.settled(ctx)
	if err != nil {
		return err
	}
	h.begin(epoch, head)
	tail := h.log.Tail(head)
	for {
		batch, err := tail.Next(ctx)
		if err != nil {
			return err
		}
		h.dispatch(batch)
	}
}

// begin has the hub go on from a position of the log, and lets people in.
func (h *Hub) begin(epoch string, head int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.position, h.epoch, h.following = head, epoch, true
	h.ring.start(head)
	h.tell()
}

// pause ends all screens, which come back and resume, since a gap can't be mended
// in place; who comes before the log is followed again has to wait.
func (h *Hub) pause() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.following = false
	h.removeAll(ErrGap)
}

// tell wakes those who wait to be let in. Called under mu.
func (h *Hub) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// watch looks whether people with open screens were erased meanwhile.
func (h *Hub) watch(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-second.C:
			h.endRefused()
		}
	}
}

func (h *Hub) dispatch(batch []events.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range batch {
		h.position = e.Position
		event := h.ring.add(e)
		if e.Stream.SubjectID == "" {
			continue
		}
		for screen := range h.screens[e.Stream.SubjectID] {
			if !screen.offer(Push{Event: event}) {
				h.remove(screen, ErrSlow)
			}
		}
	}
}

// hear takes a message of the bus.
func (h *Hub) hear(m bus.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	audience := h.screens[m.UserID]
	if m.Type == messageErased {
		h.ring.forget(m.UserID)
	}
	if len(audience) == 0 {
		return
	}
	if m.Type == messageErased {
		for screen := range audience {
			h.remove(screen, ErrErased)
		}
		return
	}
	transient := &Transient{Message: m}
	for screen := range audience {
		screen.offer(Push{Transient: transient})
	}
}

// remove takes the screen out and ends it. Called under mu.
func (h *Hub) remove(s *Screen, why error) {
	audience := h.screens[s.actor.UserID]
	if _, open := audience[s]; open {
		delete(audience, s)
		if len(audience) == 0 {
			delete(h.screens, s.actor.UserID)
		}
		h.places.Leave(s.actor.UserID)
	}
	s.end(why)
}

func (h *Hub) end(s *Screen, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(s, why)
}

// removeAll ends all screens. Called under mu.
func (h *Hub) removeAll(why error) {
	for _, audience := range h.screens {
		for screen := range audience {
			h.remove(screen, why)
		}
	}
}

func (h *Hub) endRefused() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse == nil {
		return
	}
	for userID, audience := range h.screens {
		if h.refuse(userID) {
			for screen := range audience {
				h.remove(screen, ErrErased)
			}
		}
	}
}

// Stop ends all screens, and lets nobody in any more.
func (h *Hub) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	h.removeAll(ErrShutdown)
	h.tell()
}
