// Package bus carries transient messages to a person's open screens, on
// whichever replica they are: progress, queue positions, tokens as they stream.
// They may be lost; what may not be lost is an event.
package bus

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// channel is the Postgres channel that replicas share.
const channel = "tracker_bus"

// maxNotification is what fits into one notification (Postgres allows 8,000
// bytes); longer messages reach this replica only.
const maxNotification = 7900

// flushEvery bounds how often notifications are sent: each is a commit.
const flushEvery = 10 * time.Millisecond

// Message is one push.
type Message struct {
	UserID  string          `json:"u"`
	Type    string          `json:"t"`
	Payload json.RawMessage `json:"p"`
}

type envelope struct {
	Replica  string    `json:"r"`
	Messages []Message `json:"m"`
}

// Bus joins the replicas.
type Bus struct {
	db      *postgres.DB
	replica string
	logger  *slog.Logger
	out     chan Message
	carrier Carrier

	mu          sync.Mutex
	subscribers map[int]func(Message)
	next        int
}

// New makes a bus; Run sends what is published to the other replicas.
func New(db *postgres.DB, listener *postgres.Listener, logger *slog.Logger) *Bus {
	b := &Bus{
		db:          db,
		replica:     uuid.NewString(),
		logger:      logger,
		out:         make(chan Message, 1024),
		subscribers: map[int]func(Message){},
	}
	listener.On(channel, b.receive)
	return b
}

// Carrier carries messages between replicas in place of PostgreSQL, where there
// is one: Redis. *cache.Cache is one.
type Carrier interface {
	// Publish sends to all subscribers of a channel.
	Publish(ctx context.Context, channel string, payload []byte) error
	// Subscribe calls fn for what is published until ctx ends.
	Subscribe(ctx context.Context, channel string, fn func(payload string))
}

// Over lets the bus use a carrier; what it does not take goes by PostgreSQL.
// Wiring time only.
func (b *Bus) Over(carrier Carrier) { b.carrier = carrier }

// Publish delivers a message to this replica's subscribers at once and to the
// others soon. It never blocks: when too much waits, the other replicas miss it.
func (b *Bus) Publish(m Message) {
	b.deliver(m)
	select {
	case b.out <- m:
	default:
	}
}

// Subscribe calls fn for every message until cancel is called. fn must return
// fast.
func (b *Bus) Subscribe(fn func(Message)) (cancel func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.next
	b.next++
	b.subscribers[id] = fn
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subscribers, id)
	}
}

// Run sends messages to the other replicas until ctx ends.
func (b *Bus) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	carried := make(chan string, 1)
	if b.carrier != nil {
		var subscribed sync.WaitGroup
		subscribed.Go(func() { b.subscribe(ctx, carried) })
		defer subscribed.Wait()
	}
	shared := ""
	for {
		select {
		case <-ctx.Done():
			return
		case shared = <-carried:
		case m := <-b.out:
			b.send(ctx, shared, b.gather(m))
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// gather takes what else waits, as much as fits.
func (b *Bus) gather(first Message) [][]byte {
	var payloads [][]byte
	var batch []Message
	size := 100
	flush := func() {
		if len(batch) == 0 {
			return
		}
		if payload, err := json.Marshal(envelope{Replica: b.replica, Messages: batch}); err == nil && len(payload) <= maxNotification {
			payloads = append(payloads, payload)
		}
		batch, size = nil, 100
	}
	add := func(m Message) {
		n := len(m.Payload) + len(m.Type) + len(m.UserID) + 40
		if size+n > maxNotification {
			flush()
		}
		batch, size = append(batch, m), size+n
	}
	add(first)
	for range 200 {
		select {
		case m := <-b.out:
			add(m)
		default:
			flush()
			return payloads
		}
	}
	flush()
	return payloads
}

// subscribe hears the carrier, on a channel that only replicas of this database
// share, and says which it is.
func (b *Bus) subscribe(ctx context.Context, carried chan<- string) {
	for {
		var id string
		err := b.db.Pool().QueryRow(ctx, `
			SELECT md5(s.system_identifier || '/' || d.oid) FROM pg_control_system() s, pg_database d
			WHERE d.datname = current_database()`).Scan(&id)
		if err == nil {
			carried <- channel + ":" + id
			b.carrier.Subscribe(ctx, channel+":"+id, b.receive)
			return
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
	}
}

// send sends over the carrier's channel, if there is one.
func (b *Bus) send(ctx context.Context, shared string, payloads [][]byte) {
	for _, payload := range payloads {
		if shared != "" && b.carrier.Publish(ctx, shared, payload) == nil {
			continue
		}
		if err := b.db.Notify(ctx, channel, string(payload)); err != nil && ctx.Err() == nil {
			b.logger.Warn("a push did not reach the other replicas", "error", err)
		}
	}
}

func (b *Bus) receive(payload string) {
	var e envelope
	if payload == "" || json.Unmarshal([]byte(payload), &e) != nil || e.Replica == b.replica {
		return
	}
	for _, m := range e.Messages {
		b.deliver(m)
	}
}

func (b *Bus) deliver(m Message) {
	b.mu.Lock()
	fns := make([]func(Message), 0, len(b.subscribers))
	for _, fn := range b.subscribers {
		fns = append(fns, fn)
	}
	b.mu.Unlock()
	for _, fn := range fns {
		fn(m)
	}
}
