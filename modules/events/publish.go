package events

import (
	"context"
	"fmt"
	"time"

	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// PublishConfig is the section "events.publish": what leaves the server by
// RabbitMQ and webhooks.
type PublishConfig struct {
	// Source is this server's address as others know it: the attribute source of
	// every CloudEvent, and what its dataschema begins with. Defaults to
	// server.address.
	Source string `koanf:"source"`
	// Exchange is the topic exchange in RabbitMQ; the routing key is the event's
	// type. Defaults to goals.events.
	Exchange string `koanf:"exchange"`
	// Start is where the log begins for RabbitMQ when it is set for the first time:
	// "now" leaves out what happened before, "beginning" sends it. `tracker events
	// outbox --from` moves it later. Defaults to now.
	Start string `koanf:"start"`
	// Personal also sends the fields of payloads that are about a person: titles,
	// code, feedback. Without it they carry ids, states and numbers only. Defaults
	// to true: what listens belongs to the course team, as this server does.
	Personal bool `koanf:"personal"`
	// Unrouted says what to do with events that no queue is bound for: "skip" them,
	// or "hold" them and all later ones until one is. Defaults to skip.
	Unrouted string `koanf:"unrouted"`
	// Batch is how many events are sent at most before their confirmations are
	// waited for; fewer when they are large or the broker is slow. Defaults to 200.
	Batch int `koanf:"batch"`
	// Lease is how long a replica that publishes may be silent before another one
	// does. Defaults to 15 s.
	Lease time.Duration `koanf:"lease"`
}

// DefaultPublishConfig is what holds when nothing is set.
func DefaultPublishConfig() PublishConfig {
	return PublishConfig{Exchange: "goals.events", Start: "now", Personal: true, Unrouted: "skip", Batch: 200, Lease: 15 * time.Second}
}

// RabbitMQ is the publisher to the broker.
const RabbitMQ = "rabbitmq"

// Published is where a publisher stands.
type Published struct {
	// Position is up to where everything was confirmed.
	Position int64
	// Behind is how many events are not.
	Behind int64
	// Holder is the replica that publishes now, "" for none.
	Holder    string
	UpdatedAt time.Time
}

// StartPublishing has RabbitMQ's part of the log begin, as the setting start says,
// unless it has begun.
func (l *Log) StartPublishing(ctx context.Context, start string) error {
	if start != "now" && start != "beginning" {
		return fmt.Errorf("events.publish.start is %q: use now or beginning", start)
	}
	return store.MakePublisher(ctx, l.db.As(reader), RabbitMQ, start == "now")
}

// PublishFrom has RabbitMQ get the log from a sequence on, that one included,
// whatever it had before; Now leaves out all that has happened. The replica that
// publishes notices within the lease's third.
func (l *Log) PublishFrom(ctx context.Context, sequence int64) error {
	head, err := l.Horizon(ctx)
	if err != nil {
		return err
	}
	position := sequence - 1
	switch {
	case sequence == Now:
		position = head
	case sequence < 1 || position > head:
		return fmt.Errorf("there is no sequence %d to publish from: the log's go from 1 to %d", sequence, head)
	}
	return store.ResetPublisher(ctx, l.db.As(reader), RabbitMQ, position)
}

// Published says where the publisher to RabbitMQ stands; ok is false before it
// ever ran.
func (l *Log) Published(ctx context.Context) (p Published, ok bool, err error) {
	stands, ok, err := store.ReadPublisher(ctx, l.db.As(reader), RabbitMQ)
	if err != nil || !ok {
		return Published{}, ok, err
	}
	behind, err := store.CountAfter(ctx, l.db.As(reader), stands.Position)
	return Published{Position: stands.Position, Behind: behind, Holder: stands.Holder, UpdatedAt: stands.UpdatedAt}, true, err
}
