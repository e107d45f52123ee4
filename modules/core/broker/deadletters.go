package broker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// DeadLetter is a message that nobody could handle.
type DeadLetter struct {
	// ID names it here: the message's, else the CloudEvent's in it, else a digest
	// of it.
	ID string
	// Queue is where it died.
	Queue string
	// Exchange and Key are how it came there.
	Exchange, Key string
	Type          string
	// Reason is the broker's: "rejected", "delivery_limit", "expired", "maxlen".
	Reason string
	// DiedAt is when, Deaths how often.
	DiedAt time.Time
	Deaths int64
	Body   []byte
}

// DeadLetters lists a queue's dead letters, at most limit, oldest first. They
// stay where they are.
func (b *Broker) DeadLetters(ctx context.Context, queue string, limit int) ([]DeadLetter, error) {
	var letters []DeadLetter
	err := b.eachDead(ctx, queue, limit, func(d amqp.Delivery) (bool, error) {
		letters = append(letters, letter(queue, d))
		return false, nil
	})
	return letters, err
}

// ReplayDead puts dead letters back into their queue, all when no ids are
// named, and says which. They are tried afresh.
func (b *Broker) ReplayDead(ctx context.Context, queue string, ids ...string) ([]DeadLetter, error) {
	publisher := b.Publisher()
	defer publisher.Close()
	var done []DeadLetter
	err := b.eachDead(ctx, queue, everything, func(d amqp.Delivery) (bool, error) {
		l := letter(queue, d)
		if len(ids) > 0 && !slices.Contains(ids, l.ID) {
			return false, nil
		}
		headers := maps.Clone(map[string]any(d.Headers))
		maps.DeleteFunc(headers, func(name string, _ any) bool {
			return name == "x-death" || name == "x-delivery-count" || strings.HasPrefix(name, "x-first-death-") || strings.HasPrefix(name, "x-last-death-")
		})
		// By the queue's name: other queues of the exchange had it already.
		unrouted, err := publisher.Publish(ctx, Message{
			ID: d.MessageId, Key: queue, Type: d.Type, ContentType: d.ContentType, Headers: headers, Body: d.Body, Time: d.Timestamp,
		})
		if err == nil && len(unrouted) > 0 {
			err = fmt.Errorf("there is no queue %s to put it back into", queue)
		}
		if err != nil {
			return false, fmt.Errorf("replay %s: %w", l.ID, err)
		}
		done = append(done, l)
		return true, nil
	})
	return done, err
}

// DropDead throws dead letters away, all when no ids are named, and says which.
func (b *Broker) DropDead(ctx context.Context, queue string, ids ...string) ([]DeadLetter, error) {
	var done []DeadLetter
	err := b.eachDead(ctx, queue, everything, func(d amqp.Delivery) (bool, error) {
		l := letter(queue, d)
		if len(ids) > 0 && !slices.Contains(ids, l.ID) {
			return false, nil
		}
		done = append(done, l)
		return true, nil
	})
	return done, err
}

// everything is more than anybody has, and little enough for memory.
const everything = 20_000

// eachDead looks at the letters that are there now, each once. Those that remove
// says are gone; the others are given back in the end.
func (b *Broker) eachDead(ctx context.Context, queue string, limit int, visit func(amqp.Delivery) (remove bool, err error)) error {
	channel, err := b.in.channel(ctx)
	if err != nil {
		return err
	}
	defer leave(channel)
	// Not declared here: the name may be a slip.
	if _, err := channel.QueueDeclarePassive(DeadName(queue), true, false, false, false, nil); err != nil {
		var refused *amqp.Error
		if errors.As(err, &refused) && refused.Code == amqp.NotFound {
			return fmt.Errorf("there is no queue %s: no server has taken messages from %q yet", DeadName(queue), queue)
		}
		return fmt.Errorf("look for queue %s: %w", DeadName(queue), explain(err))
	}
	// All first: what is replayed may die again before the end.
	var letters []amqp.Delivery
	for len(letters) < limit && ctx.Err() == nil {
		d, ok, err := channel.Get(DeadName(queue), false)
		if err != nil {
			return fmt.Errorf("read dead letters of %s: %w", queue, explain(err))
		}
		if !ok {
			break
		}
		letters = append(letters, d)
	}
	for _, d := range letters {
		remove, err := visit(d)
		if err != nil {
			return err // the channel's end gives back what is left
		}
		if remove {
			err = wrap("remove", d.Ack(false))
		} else {
			err = wrap("give back", d.Nack(false, true))
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func letter(queue string, d amqp.Delivery) DeadLetter {
	l := DeadLetter{ID: d.MessageId, Queue: queue, Exchange: d.Exchange, Key: d.RoutingKey, Type: d.Type, Body: d.Body}
	deaths, _ := d.Headers["x-death"].([]any)
	for i, entry := range deaths {
		death, ok := entry.(amqp.Table)
		if !ok {
			continue
		}
		l.Deaths += number(death["count"])
		if i > 0 {
			continue // the last one comes first
		}
		l.Reason, _ = death["reason"].(string)
		l.DiedAt, _ = death["time"].(time.Time)
		l.Exchange, _ = death["exchange"].(string)
		if keys, ok := death["routing-keys"].([]any); ok && len(keys) > 0 {
			l.Key, _ = keys[0].(string)
		}
	}
	var event struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	if json.Unmarshal(d.Body, &event) == nil {
		l.Type = firstOf(l.Type, event.Type)
		l.ID = firstOf(l.ID, event.ID)
	}
	if l.ID == "" {
		sum := sha256.Sum256(d.Body)
		l.ID = "sha256-" + hex.EncodeToString(sum[:8])
	}
	return l
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
