// Package work runs the academy's inbox: what its messages ask for, as jobs, and
// the messages themselves, as they come by RabbitMQ.
package work

import (
	"context"
	"errors"
	"mime"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Exchange is where the academy publishes.
const Exchange = "academy.events"

// sweepEvery is how soon a message is taken up whose ticket was lost, or whose
// time has come again.
const sweepEvery = 10 * time.Second

type inboxArgs struct{}

// Kind implements river.JobArgs.
func (inboxArgs) Kind() string { return "academy_inbox" }

// InsertOpts implements river.JobArgsWithInsertOpts: the next sweep tries again.
func (inboxArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 1} }

type worker struct {
	river.WorkerDefaults[inboxArgs]
	inbox *inbox.Inbox
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, _ *river.Job[inboxArgs]) error { return w.inbox.Work(ctx) }

// Timeout implements river.Worker: a person may have done much.
func (w *worker) Timeout(*river.Job[inboxArgs]) time.Duration { return 30 * time.Minute }

// Register has a replica work on waiting messages.
func Register(r *jobs.Registry, b *inbox.Inbox) {
	jobs.Register(r, &worker{inbox: b})
	r.Every(sweepEvery, inboxArgs{})
}

// Enqueue makes a ticket for the message that a unit of work takes in.
func Enqueue(inserter *jobs.Inserter) func(tx *postgres.Tx) {
	return func(tx *postgres.Tx) { inserter.Insert(tx, inboxArgs{}, nil) }
}

// Consumer takes the academy's messages out of a queue of its exchange. A
// message is acknowledged after the commit that noted it; one that can't be
// read goes to the dead letters; while the database is away it waits.
func Consumer(b *inbox.Inbox, queue string) broker.Consumer {
	return broker.Consumer{
		Queue: broker.Queue{Name: queue, Bindings: []broker.Binding{{Exchange: Exchange, Key: "#"}}},
		Ready: b.Ready,
		Handle: func(ctx context.Context, d broker.Delivery) error {
			m, err := read(d)
			if err == nil {
				_, err = b.Take(ctx, m)
			}
			var bad *inbox.MalformedError
			switch {
			case errors.As(err, &bad):
				return broker.Poison(err)
			case postgres.Away(err):
				return broker.Later(err)
			}
			return err
		},
	}
}

// read reads a CloudEvent in either mode of the AMQP binding; headers begin with
// cloudEvents: or cloudEvents_.
func read(d broker.Delivery) (inbox.Message, error) {
	if len(d.Body) > inbox.MaxMessage {
		return inbox.Message{}, &inbox.MalformedError{Reason: "it is too long"}
	}
	mediaType, _, _ := mime.ParseMediaType(d.ContentType) // else it is of no known kind
	attribute := func(name string) string {
		for _, prefix := range []string{"cloudEvents:", "cloudEvents_"} {
			switch value := d.Headers[prefix+name].(type) {
			case string:
				return value
			case time.Time:
				return value.UTC().Format(time.RFC3339Nano)
			}
		}
		return ""
	}
	if mediaType != "application/cloudevents+json" && attribute("specversion") != "" {
		return inbox.Binary(attribute, d.Body)
	}
	return inbox.Structured(d.Body)
}
