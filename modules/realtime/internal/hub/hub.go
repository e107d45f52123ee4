// Package hub follows the log once per replica and hands each event to the
// open screens of the person it belongs to.
package hub

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/realtime/internal/store"
)

// Push is one thing for a screen: an event or, when Event is nil, a transient
// message.
type Push struct {
	Event     *Encoded
	Transient *bus.Message
}

// Encoded is an event with its WebSocket frame, made once for all screens.
type Encoded struct {
	events.Event
	Frame []byte
}

// ErrTooManyConnections says that one person has too many screens open.
var ErrTooManyConnections = errs.Define(errs.ResourceExhausted, "too_many_connections",
	"You have %d connections open, which is the most. Close another window first.",
	"Tienes %d conexiones abiertas, que es el máximo. Cierra antes otra ventana.")

// ErrSlow ends a screen that did not keep up.
var ErrSlow = errors.New("the client does not keep up")

// ErrShutdown ends all screens when the server stops.
var ErrShutdown = errors.New("the server is stopping")

// Hub is the replica's fan-out.
type Hub struct {
	db     *postgres.DB
	log    *events.Log
	cfg    realtime.Config
	logger *slog.Logger

	mu       sync.Mutex
	position int64
	epoch    string
	screens  map[string]map[*Screen]struct{}
	stopped  bool
	ready    chan struct{}
}

// New makes a hub; Run makes it follow the log.
func New(db *postgres.DB, log *events.Log, b *bus.Bus, cfg realtime.Config, logger *slog.Logger) *Hub {
	h := &Hub{db: db, log: log, cfg: cfg, logger: logger, screens: map[string]map[*Screen]struct{}{}, ready: make(chan struct{})}
	b.Subscribe(h.transient)
	return h
}

// Run follows the log until ctx ends, then ends all screens.
func (h *Hub) Run(ctx context.Context) error {
	defer h.stop()
	for {
		err := h.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		// A gap can't be mended in place: screens come back and resume.
		h.logger.Warn("pushing is interrupted, clients are asked to resume", "error", err)
		h.endAll(ErrSlow)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *Hub) follow(ctx context.Context) error {
	epoch, err := store.Epoch(ctx, h.db.As(auth.System("realtime")))
	if err != nil {
		return err
	}
	head, err := h.log.Horizon(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.position = head
	if h.epoch == "" {
		close(h.ready)
	}
	h.epoch = epoch
	h.mu.Unlock()
	tail := h.log.Tail(head)
	for {
		batch, err := tail.Next(ctx)
		if err != nil {
			return err
		}
		h.dispatch(batch)
	}
}

func (h *Hub) dispatch(batch []events.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range batch {
		h.position = e.Position
		audience := h.screens[e.Stream.SubjectID]
		if len(audience) == 0 || e.Stream.SubjectID == "" {
			continue
		}
		encoded := Encode(e)
		for screen := range audience {
			h.offer(screen, Push{Event: encoded})
		}
	}
}

func (h *Hub) transient(m bus.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for screen := range h.screens[m.UserID] {
		if len(screen.pushes) < cap(screen.pushes)/2 { // what may be lost never crowds out what may not
			screen.pushes <- Push{Transient: &m}
		}
	}
}

// offer never waits: a screen whose queue is full is ended. Called under mu,
// which is what makes the queue's only writer.
func (h *Hub) offer(screen *Screen, p Push) {
	select {
	case screen.pushes <- p:
	default:
		h.end(screen, ErrSlow)
	}
}

// end takes the screen out. Called under mu.
func (h *Hub) end(screen *Screen, why error) {
	audience := h.screens[screen.userID]
	if _, open := audience[screen]; !open {
		return
	}
	delete(audience, screen)
	if len(audience) == 0 {
		delete(h.screens, screen.userID)
	}
	screen.why = why
	close(screen.pushes)
}

func (h *Hub) endAll(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, audience := range h.screens {
		for screen := range audience {
			h.end(screen, why)
		}
	}
}

func (h *Hub) stop() {
	h.mu.Lock()
	h.stopped = true
	h.mu.Unlock()
	h.endAll(ErrShutdown)
}
