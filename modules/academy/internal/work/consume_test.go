package work_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	"github.com/goals-tracker/tracker/modules/academy/internal/work"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

const queue = "tracker.academy.test"

// patience is for a machine that is busy with other tests.
const patience = 60 * time.Second

// bundle is an inbox that a real RabbitMQ fills.
type bundle struct {
	t      *testing.T
	broker *broker.Broker
	inbox  *inbox.Inbox

	mu       sync.Mutex
	outcomes map[inbox.Outcome]int
	names    map[string]string
}

// Message implements inbox.Metrics.
func (b *bundle) Message(_ string, outcome inbox.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes[outcome]++
}

// LearnUser implements inbox.Memory.
func (b *bundle) LearnUser(_ context.Context, id string, user *academy.User) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if user != nil {
		b.names[id] = user.FullName
	}
}

// LearnCourse implements inbox.Memory.
func (*bundle) LearnCourse(context.Context, string, *academy.Course) {}

func (b *bundle) count(outcome inbox.Outcome) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.outcomes[outcome]
}

func setup(t *testing.T, reactions ...academy.Reaction) *bundle {
	t.Helper()
	return setupOn(t, postgrestest.DB(t), reactions...)
}

func setupOn(t *testing.T, db *postgres.DB, reactions ...academy.Reaction) *bundle {
	t.Helper()
	b := &bundle{t: t, outcomes: map[inbox.Outcome]int{}, names: map[string]string{}}
	var err error
	b.inbox, err = inbox.New(inbox.Deps{DB: db, Memory: b, Metrics: b, Reactions: reactions, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b.broker, err = broker.New(broker.Config{URL: config.Secret(brokertest.URL(t)), RetryAtMost: 200 * time.Millisecond}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.background(b.broker.Run)
	return b
}

func (b *bundle) background(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := run(ctx); err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(func() { cancel(); done.Wait() })
}

func (b *bundle) consume() {
	b.background(func(ctx context.Context) error { return b.broker.Consume(ctx, work.Consumer(b.inbox, queue)) })
}

// publish sends messages once a queue wants them.
func (b *bundle) publish(messages ...broker.Message) {
	b.t.Helper()
	p := b.broker.Publisher()
	defer p.Close()
	for _, m := range messages {
		b.eventually("a queue that wants "+m.ID, func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			unrouted, err := p.Publish(ctx, m)
			return err == nil && len(unrouted) == 0
		})
	}
}

func (b *bundle) eventually(what string, ok func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("it never came to this: %s; %v", what, b.outcomes)
		}
	}
}

func structured(id, eventType, subject, name string, minute int) broker.Message {
	body, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": id, "source": "/academy", "type": eventType, "subject": subject,
		"time": fmt.Sprintf("2026-03-01T12:%02d:00Z", minute),
		"data": map[string]any{"email": "x@academy.test", "full_name": name, "is_active": true},
	})
	if err != nil {
		panic(err)
	}
	return broker.Message{ID: id, Exchange: work.Exchange, Key: eventType, Type: eventType, ContentType: "application/cloudevents+json", Body: body}
}

func binary(id, eventType, subject, data string) broker.Message {
	return broker.Message{ID: id, Exchange: work.Exchange, Key: eventType, ContentType: "application/json", Body: []byte(data), Headers: map[string]any{
		"cloudEvents:specversion": "1.0", "cloudEvents:id": id, "cloudEvents:source": "/academy", "cloudEvents_type": eventType, "cloudEvents:subject": subject,
	}}
}

func TestTheAcademysMessagesAreTakenInWhateverOrderTheyCome(t *testing.T) {
	b := setup(t)
	b.consume()
	b.publish(
		structured("1", academy.UserUpdated, "u1", "Second", 20),
		structured("2", academy.UserCreated, "u1", "First", 10),
		structured("1", academy.UserUpdated, "u1", "Second", 20),
		structured("3", "lesson.started", "l1", "", 0),
		binary("4", academy.UserCreated, "u2", `{"email":"b@academy.test","full_name":"Ben","is_active":true}`),
	)
	b.eventually("every message is taken", func() bool {
		return b.count(inbox.Taken) == 2 && b.count(inbox.Stale) == 1 && b.count(inbox.Duplicate) == 1 && b.count(inbox.Unknown) == 1
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names["u1"] != "Second" || b.names["u2"] != "Ben" {
		t.Errorf("learnt %v", b.names)
	}
}

func TestWhatNobodyCanReadGoesToTheDeadLettersAndHoldsNothingUp(t *testing.T) {
	b := setup(t)
	b.consume()
	poison := structured("1", academy.UserUpdated, "u1", "", 0)
	poison.Body = []byte(`{"specversion":"1.0"`)
	nobody := structured("2", academy.UserUpdated, "", "", 0)
	b.publish(poison, nobody, structured("3", academy.UserUpdated, "u1", "Ana", 0))
	b.eventually("the good one is taken", func() bool { return b.count(inbox.Taken) == 1 })
	b.eventually("both dead letters", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		letters, err := b.broker.DeadLetters(ctx, queue, 10)
		return err == nil && len(letters) == 2
	})
}

func TestAMessageIsAcknowledgedOnlyWhenItIsNotedForGood(t *testing.T) {
	var tries atomic.Int64
	b := setup(t, academy.Reaction{Name: "tombstone", Types: []string{academy.UserDeleted}, Accept: func(context.Context, *postgres.Tx, academy.Change) error {
		if tries.Add(1) < 3 {
			return errors.New("not now")
		}
		return nil
	}})
	b.consume()
	b.publish(structured("1", academy.UserDeleted, "u1", "", 0))
	b.eventually("it is taken after two refusals", func() bool { return b.count(inbox.Taken) == 1 })
	if n := tries.Load(); n != 3 {
		t.Errorf("tried %d times", n)
	}
}
