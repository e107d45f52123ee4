package events

import (
	"context"
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
	// Personal also sends the fields of payloads that are about a person: titles,
	// code, feedback. Without it they carry ids, states and numbers only. Defaults
	// to true: what listens belongs to the course team, as this server does.
	Personal bool `koanf:"personal"`
	// Unrouted says what to do with events that no queue is bound for: "skip" them,
	// or "hold" them and all later ones until one is. Defaults to skip.
	Unrouted string `koanf:"unrouted"`
	// Batch is how many events are sent before their confirmations are waited for.
	// Defaults to 200.
	Batch int `koanf:"batch"`
	// Lease is how long a replica that publishes may be silent before another one
	// does. Defaults to 15 s.
	Lease time.Duration `koanf:"lease"`
}

// DefaultPublishConfig is what holds when nothing is set.
func DefaultPublishConfig() PublishConfig {
	return PublishConfig{Exchange: "goals.events", Personal: true, Unrouted: "skip", Batch: 200, Lease: 15 * time.Second}
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
