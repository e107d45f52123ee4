package main

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
)

// consumer hears what comes by RabbitMQ, in its order.
type consumer struct {
	mu    sync.Mutex
	first map[string]int
	n     int
}

// hear binds a durable queue before anything is published, and reads it again
// after each break.
func hear(t *testing.T, address string) *consumer {
	t.Helper()
	h := &consumer{first: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	bound := make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		for ctx.Err() == nil {
			err := h.read(ctx, address, bound)
			select {
			case bound <- err:
			default:
			}
			pause(ctx, 1)
		}
	})
	t.Cleanup(func() { cancel(); reading.Wait() })
	if err := <-bound; err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *consumer) read(ctx context.Context, address string, bound chan<- error) error {
	conn, err := amqp.Dial(address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.ExchangeDeclare("goals.events", "topic", true, false, false, false, nil); err != nil {
		return err
	}
	if _, err := ch.QueueDeclare("everything", true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		return err
	}
	if err := ch.QueueBind("everything", "#", "goals.events", false, nil); err != nil {
		return err
	}
	messages, err := ch.ConsumeWithContext(ctx, "everything", "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	select {
	case bound <- nil:
	default:
	}
	for m := range messages {
		var e struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(m.Body, &e); err != nil {
			return err
		}
		h.mu.Lock()
		if _, again := h.first[e.ID]; !again {
			h.first[e.ID] = h.n
		}
		h.n++
		h.mu.Unlock()
		if err := m.Ack(false); err != nil {
			return err
		}
	}
	return errors.New("the connection ended")
}

func (h *consumer) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n
}

// all are the log's events as (subject, id), in order.
func all(t *testing.T, conn *pgx.Conn) (events [][2]string) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT coalesce(subject_id, ''), event_id::text FROM events.events ORDER BY position`)
	if err != nil {
		t.Fatal(err)
	}
	events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e [2]string, err error) { return e, row.Scan(&e[0], &e[1]) })
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// missing is how many events of the log did not come.
func (h *consumer) missing(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	events := all(t, conn)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		if _, came := h.first[e[1]]; !came {
			n++
		}
	}
	return n
}

// order checks that each person's events came in the order of the log.
func (h *consumer) order(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	last := map[string]int{}
	for _, e := range all(t, conn) {
		at := h.first[e[1]]
		if before, ok := last[e[0]]; ok && at < before {
			t.Errorf("an event of %s came before the one that precedes it", e[0])
		}
		last[e[0]] = at
	}
}
