package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Delivery is a message that came.
type Delivery struct {
	// ID is the message's as its publisher named it; "" when it did not.
	ID       string
	Exchange string
	// Key is the routing key.
	Key string
	// Type is the publisher's word for what happened; it may be "".
	Type        string
	ContentType string
	Headers     map[string]any
	Body        []byte
	// Time is the publisher's; zero when it gave none.
	Time time.Time
	// Attempt counts from 1.
	Attempt int
}

// Consumer is work on the messages of a queue.
type Consumer struct {
	// Queue is declared, with its bindings and dead letters. Required.
	Queue Queue
	// Prefetch is how many messages wait here at most. Defaults to 20.
	Prefetch int
	// Handle handles one message; messages come one after the other. When it
	// returns nil the message is done, so it returns after its commit. The same
	// message may come again. An error has it tried again after a while, at most
	// Queue.DeliveryLimit times, then it is a dead letter; Poison makes it one at
	// once; Later waits as long as it takes. Required.
	Handle func(ctx context.Context, d Delivery) error
	// Ready is asked before messages are fetched, and none are for as long as it is
	// an error: what Later waits for. Without it, messages that wait longer than
	// Hold use up their deliveries. Defaults to always.
	Ready func(ctx context.Context) error
	// Hold is how long a message waits here for Later before all that are here are
	// given back, which counts once. RabbitMQ takes them back itself, and closes the
	// channel, after half an hour. Defaults to 20 m.
	Hold time.Duration
}

// Poison marks an error that trying again won't help: the message goes to the
// dead letters at once.
func Poison(err error) error { return verdict{err, poison} }

// Later marks an error that is not the message's fault, as a database that is
// away: it is tried again here, with growing waits, and not counted.
func Later(err error) error { return verdict{err, later} }

type fate int

const (
	poison fate = iota + 1
	later
)

// verdict is an error with what becomes of the message.
type verdict struct {
	error
	fate fate
}

// Unwrap gives the error itself.
func (v verdict) Unwrap() error { return v.error }

func fateOf(err error) fate {
	var v verdict
	if errors.As(err, &v) {
		return v.fate
	}
	return 0
}

// Consume works on a queue until ctx ends, then returns nil; a connection that
// breaks is waited for. It is an error where none is configured.
func (b *Broker) Consume(ctx context.Context, c Consumer) error {
	if !b.Configured() {
		return ErrNotConfigured
	}
	if c.Prefetch <= 0 {
		c.Prefetch = 20
	}
	c.Hold = positive(c.Hold, longestHold)
	logger := b.logger.With("queue", c.Queue.Name)
	for failures := 0; ctx.Err() == nil; {
		worked, err := b.consumeReady(ctx, c)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to end
		}
		if worked {
			failures = 0
		}
		if failures++; failures <= 3 || failures%20 == 0 {
			logger.Warn("the queue is interrupted, it is taken up again", "error", err)
		}
		sleep(ctx, b.backoff(failures))
	}
	return nil
}

// consumeReady is consume once there is what the work needs.
func (b *Broker) consumeReady(ctx context.Context, c Consumer) (worked bool, err error) {
	if c.Ready != nil {
		if err := c.Ready(ctx); err != nil {
			return false, fmt.Errorf("messages wait: %w", err)
		}
	}
	return b.consume(ctx, c)
}

// consume works on a queue while one channel lasts.
func (b *Broker) consume(ctx context.Context, c Consumer) (worked bool, err error) {
	channel, err := b.in.channel(ctx)
	if err != nil {
		return false, err
	}
	defer leave(channel)
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	deliveries, err := subscribe(ctx, channel, c)
	if err != nil {
		return false, err
	}
	for {
		select {
		case <-ctx.Done():
			return worked, nil
		case d, open := <-deliveries:
			if !open {
				select {
				case err := <-closed:
					if err != nil {
						return worked, explain(err)
					}
				default:
				}
				return worked, errors.New("RabbitMQ ended the delivery: was the queue deleted?")
			}
			if err := b.work(ctx, c, d, closed); err != nil {
				return worked, err
			}
			worked = true
		}
	}
}

// subscribeTime is how long a broker may take to hand over a queue.
const subscribeTime = 30 * time.Second

// subscribe makes the queue and asks for its messages. The library waits for
// answers however long they take, so it does so aside.
func subscribe(ctx context.Context, channel *amqp.Channel, c Consumer) (<-chan amqp.Delivery, error) {
	type answer struct {
		deliveries <-chan amqp.Delivery
		err        error
	}
	answered := make(chan answer, 1)
	go func() {
		err := c.Queue.declare(channel)
		if err == nil {
			err = wrap("bound what waits as", channel.Qos(c.Prefetch, 0, false))
		}
		var deliveries <-chan amqp.Delivery
		if err == nil {
			deliveries, err = channel.Consume(c.Queue.Name, "", false, false, false, false, nil)
		}
		answered <- answer{deliveries, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			return nil, fmt.Errorf("consume %s: %w", c.Queue.Name, explain(a.err))
		}
		return a.deliveries, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(subscribeTime):
		return nil, fmt.Errorf("consume %s: RabbitMQ did not answer within %v", c.Queue.Name, subscribeTime)
	}
}

// longestHold is less than the half hour after which RabbitMQ takes a message
// back and closes the channel.
const longestHold = 20 * time.Minute

// errHeld ends the channel, whose messages go back.
var errHeld = errors.New("messages have waited long enough here, they go back")

// work handles one delivery and says to the broker what became of it.
func (b *Broker) work(ctx context.Context, c Consumer, d amqp.Delivery, closed <-chan *amqp.Error) error {
	started := time.Now()
	for tries := 0; ; tries++ {
		err := handle(ctx, c, read(d))
		if ctx.Err() != nil && err != nil {
			return nil //nolint:nilerr // the server stops: the channel's end gives the message back
		}
		switch {
		case err == nil:
			return wrap("acknowledge", d.Ack(false))
		case fateOf(err) == poison:
			b.logger.Error("a message can't be handled, it goes to the dead letters", "queue", c.Queue.Name, "id", d.MessageId, "type", d.Type, "error", err)
			return wrap("refuse", d.Reject(false))
		}
		b.logger.Warn("a message is not handled yet", "queue", c.Queue.Name, "id", d.MessageId, "type", d.Type, "attempt", read(d).Attempt, "error", err)
		wait := b.backoff(tries + read(d).Attempt)
		select {
		case <-ctx.Done():
			return nil
		case broken := <-closed:
			return explain(orClosed(broken))
		case <-time.After(wait):
		}
		switch {
		case fateOf(err) != later:
			return wrap("give back", d.Nack(false, true))
		case time.Since(started) >= c.Hold:
			// All that wait here came at about the same time: they go back together.
			return fmt.Errorf("%w: %w", errHeld, err)
		}
	}
}

// handle runs the handler; a panic is an error like any other.
func handle(ctx context.Context, c Consumer, d Delivery) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.Handle(ctx, d)
}

func read(d amqp.Delivery) Delivery {
	return Delivery{
		ID: d.MessageId, Exchange: d.Exchange, Key: d.RoutingKey, Type: d.Type, ContentType: d.ContentType,
		Headers: maps.Clone(map[string]any(d.Headers)), Body: d.Body, Time: d.Timestamp, Attempt: 1 + int(number(d.Headers["x-delivery-count"])),
	}
}

func number(value any) int64 {
	switch n := value.(type) {
	case int64:
		return n
	case int32:
		return int64(n)
	case int16:
		return int64(n)
	case int8:
		return int64(n)
	case int:
		return int64(n)
	}
	return 0
}

func orClosed(err *amqp.Error) *amqp.Error {
	if err == nil {
		return amqp.ErrClosed
	}
	return err
}

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s message: %w", doing, explain(err))
	}
	return nil
}
