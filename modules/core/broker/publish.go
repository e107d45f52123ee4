package broker

import (
	"context"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Message is what is published.
type Message struct {
	// ID is the message's; in a batch each has its own. Required.
	ID string
	// Exchange is a topic exchange, declared when it isn't there; "" routes to the
	// queue that Key names.
	Exchange string
	// Key is the routing key.
	Key string
	// Type is what happened: "goal.created".
	Type string
	// ContentType is of the body.
	ContentType string
	// Headers hold strings, numbers, booleans, and times.
	Headers map[string]any
	Body    []byte
	// Time is when it happened.
	Time time.Time
}

// Publisher publishes batches on a channel of its own. It is safe for use by
// many, one after the other.
type Publisher struct {
	broker *Broker

	mu       sync.Mutex
	channel  *amqp.Channel
	returned chan amqp.Return
	declared map[string]bool
}

// Publisher makes a publisher; it opens its channel when it is used.
func (b *Broker) Publisher() *Publisher { return &Publisher{broker: b} }

// maxBatch bounds a batch: the library hands over as many returns at once.
const maxBatch = 1000

// Publish sends messages in order, persistent and mandatory, and waits until the
// broker has confirmed every one; then they are on its disk, in each queue that
// wants them. unrouted are the ids of those that no queue wants. After an error
// some may have been taken: publish all again, whoever gets them knows them by
// their ids. It waits for a broker that is away until ctx ends.
func (p *Publisher) Publish(ctx context.Context, messages ...Message) (unrouted []string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(messages) > 0 {
		n := min(len(messages), maxBatch)
		some, err := p.bounded(ctx, messages[:n])
		if err != nil {
			p.drop()
			return nil, err
		}
		unrouted, messages = append(unrouted, some...), messages[n:]
	}
	if len(unrouted) > 0 {
		p.broker.unroutable.Add(int64(len(unrouted)))
	}
	return unrouted, nil
}

// Close gives the channel back.
func (p *Publisher) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

func (p *Publisher) drop() {
	if p.channel != nil {
		leave(p.channel)
		p.channel = nil
	}
}

// bounded is batch that ends soon after ctx does. What comes after it doesn't
// count: a channel takes its time to close, too, where the broker takes nothing.
func (p *Publisher) bounded(ctx context.Context, messages []Message) (unrouted []string, err error) {
	defer p.broker.out.cutWhenStuck(ctx)()
	return p.batch(ctx, messages)
}

func (p *Publisher) batch(ctx context.Context, messages []Message) (unrouted []string, err error) {
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	waiting := make([]*amqp.DeferredConfirmation, len(messages))
	for i, m := range messages {
		if m.Exchange != "" && !p.declared[m.Exchange] {
			if err := declareExchange(p.channel, m.Exchange); err != nil {
				return nil, err
			}
			p.declared[m.Exchange] = true
		}
		// By the clock: the library doesn't ask ctx, and a process that was stopped for
		// a while comes here before its timers do.
		if deadline, ok := ctx.Deadline(); ok && time.Now().After(deadline) {
			return nil, fmt.Errorf("publish %s: %w", m.Type, context.DeadlineExceeded)
		}
		waiting[i], err = p.channel.PublishWithDeferredConfirmWithContext(ctx, m.Exchange, m.Key, true, false, amqp.Publishing{
			MessageId: m.ID, Type: m.Type, ContentType: m.ContentType, Headers: m.Headers, Body: m.Body,
			Timestamp: m.Time, DeliveryMode: amqp.Persistent, AppId: "tracker",
		})
		if err != nil {
			return nil, fmt.Errorf("publish %s: %w", m.Type, explain(err))
		}
	}
	for i, confirmation := range waiting {
		acked, err := confirmation.WaitContext(ctx)
		switch {
		case err != nil:
			return nil, fmt.Errorf("RabbitMQ has not confirmed %s in time: %w", messages[i].Type, err)
		case acked:
		case p.channel.IsClosed():
			return nil, fmt.Errorf("publish %s: the connection broke before RabbitMQ confirmed it: %w", messages[i].Type, ErrAway)
		default:
			return nil, fmt.Errorf("RabbitMQ could not take %s", messages[i].Type)
		}
	}
	// A return comes before its confirmation, on the same goroutine.
	for {
		select {
		case r := <-p.returned:
			unrouted = append(unrouted, r.MessageId)
		default:
			return unrouted, nil
		}
	}
}

func (p *Publisher) open(ctx context.Context) error {
	if _, err := p.broker.out.ready(ctx); err != nil {
		return err
	}
	if p.channel != nil && !p.channel.IsClosed() {
		return nil
	}
	channel, err := p.broker.out.channel(ctx)
	if err != nil {
		return err
	}
	if err := channel.Confirm(false); err != nil {
		leave(channel)
		return fmt.Errorf("ask for confirmations: %w", explain(err))
	}
	p.returned = channel.NotifyReturn(make(chan amqp.Return, maxBatch))
	p.channel, p.declared = channel, map[string]bool{}
	return nil
}
