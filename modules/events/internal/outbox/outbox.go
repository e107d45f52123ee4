// Package outbox sends the log's events to RabbitMQ: the log itself is the
// outbox. One replica at a time publishes, in the order of the log, and notes
// up to where only when the broker has confirmed; so each event gets there at
// least once, whatever dies, and who listens knows repeats by their ids.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// Outbox publishes while it runs.
type Outbox struct {
	db     *postgres.DB
	log    *events.Log
	broker *broker.Broker
	cfg    events.PublishConfig
	format cloudevent.Format
	logger *slog.Logger
	// holder names this replica.
	holder string
	// most is how many events are sent at once, now.
	most int
	// position is what this replica has published up to; 0 while it does not.
	position atomic.Int64
	// unrouted is when what nobody wants was last told of.
	unrouted time.Time
}

// New makes an outbox. format says how events look.
func New(db *postgres.DB, log *events.Log, b *broker.Broker, cfg events.PublishConfig, format cloudevent.Format, logger *slog.Logger) (*Outbox, error) {
	if cfg.Unrouted != "skip" && cfg.Unrouted != "hold" {
		return nil, fmt.Errorf("events.publish.unrouted is %q: use skip or hold", cfg.Unrouted)
	}
	return &Outbox{
		db: db, log: log, broker: b, cfg: cfg, format: format, holder: uuid.NewString(), most: cfg.Batch,
		logger: logger.With("part", "outbox", "exchange", cfg.Exchange),
	}, nil
}

func (o *Outbox) system() postgres.Queryer { return o.db.As(auth.System("outbox")) }

// Run publishes whenever this replica has the lease, until ctx ends. It needs
// the log's tailer to run.
func (o *Outbox) Run(ctx context.Context) error {
	if !o.broker.Configured() {
		<-ctx.Done()
		return nil
	}
	publisher := o.broker.Publisher()
	defer publisher.Close()
	for failures := 0; ctx.Err() == nil; {
		err := o.turn(ctx, publisher)
		if ctx.Err() != nil {
			return nil
		}
		wait := o.cfg.Lease / 3
		if err != nil {
			if failures++; failures <= 3 || failures%20 == 0 {
				o.logger.Warn("events wait to be published", "error", err)
			}
			// In the end longer than others wait, so that one of them gets its turn.
			wait = min(o.cfg.Lease/2, 100*time.Millisecond<<min(failures, 8))
		} else {
			failures = 0
		}
		sleep(ctx, wait)
	}
	return nil
}

// turn publishes when this replica reaches RabbitMQ, and gives the lease back
// whatever ends it: a replica that is cut off must not keep the others from it.
func (o *Outbox) turn(ctx context.Context, publisher *broker.Publisher) error {
	waiting, cancel := context.WithTimeout(ctx, o.cfg.Lease)
	defer cancel()
	if err := o.broker.Ready(waiting); err != nil {
		return err
	}
	defer o.release(ctx)
	return o.hold(ctx, publisher)
}

// hold publishes for as long as this replica has the lease. It returns nil when
// another one has it.
func (o *Outbox) hold(ctx context.Context, publisher *broker.Publisher) error {
	if err := o.log.StartPublishing(ctx, o.cfg.Start); err != nil {
		return err
	}
	asked := time.Now()
	position, mine, err := store.LeasePublisher(ctx, o.system(), events.RabbitMQ, o.holder, o.cfg.Lease)
	if err != nil || !mine {
		return err
	}
	o.position.Store(position)
	defer o.position.Store(0)
	tail := o.log.Tail(position)
	for {
		batch, err := next(ctx, tail, o.cfg.Lease/3)
		if err != nil {
			return err
		}
		for len(batch) > 0 {
			some := batch[:portion(batch, o.most)]
			batch = batch[len(some):]
			// By our own clock, and well before the lease ends.
			if err := o.publish(ctx, publisher, some, asked.Add(o.cfg.Lease*2/3)); err != nil {
				// One that is too slow for as many would get them again and again.
				o.most = max(len(some)/2, 1)
				return err
			}
			o.most = min(2*o.most, o.cfg.Batch)
			position = some[len(some)-1].Position
			if len(batch) == 0 {
				break // the end of the batch is noted below
			}
			asked = time.Now()
			if mine, err = o.move(ctx, position); err != nil || !mine {
				return err
			}
		}
		if at := tail.Position(); at != events.Now {
			position = at
		}
		asked = time.Now()
		if mine, err = o.move(ctx, position); err != nil || !mine {
			return err
		}
	}
}

// Position is up to where this replica has published; 0 while another one does.
func (o *Outbox) Position() int64 { return o.position.Load() }

// move notes what is confirmed and keeps the lease.
func (o *Outbox) move(ctx context.Context, position int64) (mine bool, err error) {
	mine, err = store.MovePublisher(ctx, o.system(), events.RabbitMQ, o.holder, position, o.cfg.Lease)
	if mine {
		o.position.Store(position)
	}
	return mine, err
}

// next waits a while for events; none is no error.
func next(ctx context.Context, tail *events.Tail, wait time.Duration) ([]events.Event, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	batch, err := tail.Next(waiting)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	return batch, err
}

// portionBytes bounds what is sent at once, beside the number of events.
const portionBytes = 1 << 20

// portion is how many of the first events are sent at once: at least one.
func portion(batch []events.Event, most int) int {
	bytes := 0
	for i, e := range batch {
		if bytes += len(e.Raw); i > 0 && (i >= most || bytes > portionBytes) {
			return i
		}
	}
	return len(batch)
}

// errHeld is for events that nobody wants yet.
var errHeld = errors.New("no queue is bound for them: bind one, or set events.publish.unrouted to skip")

func (o *Outbox) publish(ctx context.Context, publisher *broker.Publisher, batch []events.Event, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	messages := make([]broker.Message, 0, len(batch))
	for _, e := range batch {
		if o.log.Refused(e.Stream.SubjectID) {
			continue // erased since it was read
		}
		body, err := o.format.Marshal(e)
		if err != nil {
			return err
		}
		messages = append(messages, broker.Message{
			ID: e.ID.String(), Exchange: o.cfg.Exchange, Key: e.Type, Type: e.Type, ContentType: cloudevent.ContentType,
			Headers: o.format.Headers(e), Body: body, Time: cloudevent.Time(e),
		})
	}
	unrouted, err := publisher.Publish(ctx, messages...)
	if err != nil || len(unrouted) == 0 {
		return err
	}
	if o.cfg.Unrouted == "hold" {
		return fmt.Errorf("%d events: %w", len(unrouted), errHeld)
	}
	if time.Since(o.unrouted) > time.Hour {
		o.unrouted = time.Now()
		o.logger.Warn("nobody listens to some events: no queue is bound for them", "events", len(unrouted), "first", unrouted[0])
	}
	return nil
}

// release lets another replica go on at once.
func (o *Outbox) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := store.ReleasePublisher(ctx, o.system(), events.RabbitMQ, o.holder); err != nil {
		o.logger.Debug("another replica publishes when the lease has ended", "error", err)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
