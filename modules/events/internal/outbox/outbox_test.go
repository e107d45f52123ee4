package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
	"github.com/goals-tracker/tracker/modules/events/internal/outbox"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// bundle is a log, and what listens outside.
type bundle struct {
	t    *testing.T
	db   *postgres.DB
	log  *events.Log
	addr string
	// warn is what publishers log; nil for nobody.
	warn slog.Handler

	mu   sync.Mutex
	got  []broker.Delivery
	sent int
}

const source = "https://tracker.example.org"

func setup(t *testing.T, address string) *bundle {
	t.Helper()
	db, log := eventstest.New(t)
	eventstest.Run(t, log)
	return &bundle{t: t, db: db, log: log, addr: address}
}

func (b *bundle) connect() *broker.Broker {
	b.t.Helper()
	conn, err := broker.New(broker.Config{URL: config.Secret(b.addr), RetryAtMost: 200 * time.Millisecond}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.t.Fatal(err)
	}
	b.background(conn.Run)
	return conn
}

// background runs something until the test ends, or stop is called.
func (b *bundle) background(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := run(ctx); err != nil {
			b.t.Errorf("it ended: %v", err)
		}
	})
	stop = func() { cancel(); done.Wait() }
	b.t.Cleanup(stop)
	return stop
}

func (b *bundle) listen(keys ...string) {
	b.t.Helper()
	conn := b.connect()
	q := broker.Queue{Name: "listener"}
	for _, key := range keys {
		q.Bindings = append(q.Bindings, broker.Binding{Exchange: "goals.events", Key: key})
	}
	b.background(func(ctx context.Context) error {
		return conn.Consume(ctx, broker.Consumer{Queue: q, Handle: func(_ context.Context, d broker.Delivery) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.got = append(b.got, d)
			return nil
		}})
	})
	eventually(b.t, "the queue is there", func() bool {
		_, err := conn.DeadLetters(b.t.Context(), q.Name, 1)
		return err == nil
	})
}

func (b *bundle) publish(conn *broker.Broker, change func(*events.PublishConfig, *cloudevent.Format)) (stop func()) {
	b.t.Helper()
	cfg := events.DefaultPublishConfig()
	cfg.Lease, cfg.Batch, cfg.Unrouted, cfg.Start = 3*time.Second, 7, "hold", "beginning"
	format := cloudevent.Format{Source: source}
	if change != nil {
		change(&cfg, &format)
	}
	handler := slog.DiscardHandler
	if b.warn != nil {
		handler = b.warn
	}
	o, err := outbox.New(b.db, b.log, conn, cfg, format, slog.New(handler))
	if err != nil {
		b.t.Fatal(err)
	}
	return b.background(o.Run)
}

// create makes goals of people who take turns, two events each.
func (b *bundle) create(n int) {
	b.t.Helper()
	for range n {
		b.sent++
		stream := events.Stream{Type: "goal", ID: uuid.NewString(), SubjectID: fmt.Sprintf("learner%d", b.sent%3), CourseID: "c1"}
		err := b.db.InTx(context.Background(), postgres.As(auth.System("test")), func(_ context.Context, tx *postgres.Tx) error {
			b.log.Append(tx, stream, 0, &goalsv1.GoalCreated{GoalId: stream.ID, UserId: stream.SubjectID, Details: &goalsv1.GoalDetails{Title: fmt.Sprintf("Goal %d", b.sent)}})
			b.log.Append(tx, stream, 1, &goalsv1.GoalStarted{GoalId: stream.ID})
			return nil
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// arrived are the ids that came, each once, in the order of their first coming.
func (b *bundle) arrived() (ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[string]bool{}
	for _, d := range b.got {
		if !seen[d.ID] {
			seen[d.ID] = true
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// logged are the ids of the log.
func (b *bundle) logged() (ids []string) {
	b.t.Helper()
	system := auth.System("test")
	all, _, err := b.log.Read(b.t.Context(), b.db.As(system), events.Filter{For: system, Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range all {
		ids = append(ids, e.ID.String())
	}
	return ids
}

func (b *bundle) expectAll() {
	b.t.Helper()
	want := b.logged()
	eventually(b.t, "every event arrives", func() bool { return len(b.arrived()) >= len(want) })
	if got := b.arrived(); !slices.Equal(got, want) {
		b.t.Errorf("%d events arrived, not in the order of the log's %d", len(got), len(want))
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it never came true: %s", what)
}

func TestEventsLeaveAsCloudEventsInTheOrderOfTheLog(t *testing.T) {
	b := setup(t, brokertest.URL(t))
	b.create(5) // before anybody listens: the log is the outbox
	b.listen("#")
	b.publish(b.connect(), nil)
	b.create(15)
	b.expectAll()
	d := b.got[0]
	var e map[string]any
	if err := json.Unmarshal(d.Body, &e); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"specversion": "1.0", "id": b.logged()[0], "source": source, "type": "goal.created", "datacontenttype": "application/json",
		"dataschema": source + "/schemas/goal.created.json", "partitionkey": "learner1", "userid": "learner1", "courseid": "c1",
		"sequence": fmt.Sprintf("%019d", 1),
	} {
		if e[name] != want {
			t.Errorf("%s is %v, want %s", name, e[name], want)
		}
		if mirrored := d.Headers["cloudEvents:"+name]; name != "datacontenttype" && mirrored != want {
			t.Errorf("the header of %s is %v", name, mirrored)
		}
	}
	if subject, _ := e["subject"].(string); !strings.HasPrefix(subject, "goal:") {
		t.Errorf("subject is %v", e["subject"])
	}
	if at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(e["time"])); err != nil || at.IsZero() {
		t.Errorf("time is %v: %v", e["time"], err)
	}
	data, _ := e["data"].(map[string]any)
	if details, _ := data["details"].(map[string]any); details["title"] != "Goal 1" {
		t.Errorf("data is %v", data)
	}
	if d.Key != "goal.created" || d.ID != e["id"] || d.ContentType != "application/cloudevents+json" || d.Exchange != "goals.events" {
		t.Errorf("delivered as %s %s %s %s", d.Key, d.ID, d.ContentType, d.Exchange)
	}
	eventually(t, "the checkpoint is there", func() bool {
		p, ok, err := b.log.Published(t.Context())
		return err == nil && ok && p.Behind == 0 && p.Position == 40
	})
}

func TestNothingIsLostWhenPublishersAndTheBrokerDie(t *testing.T) {
	server := brokertest.Shared(t)
	b := setup(t, server.Host(t))
	b.listen("goal.*")
	first := b.connect()
	stopFirst := b.publish(first, nil)
	b.create(20)
	eventually(t, "some have arrived", func() bool { return len(b.arrived()) > 5 })
	b.publish(b.connect(), nil) // waits for the lease
	b.create(20)
	stopFirst()
	b.create(10)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	b.create(20)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	b.create(10)
	b.expectAll()
}

func TestAReplicaThatDiesWithTheLeaseIsReplacedWhenItEnds(t *testing.T) {
	b := setup(t, brokertest.URL(t))
	b.listen("goal.*")
	if _, err := b.db.Pool().Exec(t.Context(), `INSERT INTO events.publishers (name, holder, leased_until) VALUES ('rabbitmq', 'dead', now() + interval '1500 milliseconds')`); err != nil {
		t.Fatal(err)
	}
	b.publish(b.connect(), nil)
	b.create(3)
	if p, ok, err := b.log.Published(t.Context()); err != nil || !ok || p.Holder != "dead" || p.Position != 0 {
		t.Logf("the lease had ended before it was looked at: %+v %v", p, err)
	}
	b.expectAll()
}

func TestWhatNobodyListensToIsSkippedOrHeldAsConfigured(t *testing.T) {
	b := setup(t, brokertest.URL(t))
	b.create(3)
	conn := b.connect()
	stop := b.publish(conn, nil) // holds
	eventually(t, "it was tried", func() bool { return conn.Health().Unroutable > 0 })
	stop()
	if p, _, err := b.log.Published(t.Context()); err != nil || p.Position != 0 {
		t.Errorf("it stands at %+v: %v", p, err)
	}
	stop = b.publish(conn, func(cfg *events.PublishConfig, _ *cloudevent.Format) { cfg.Unrouted = "skip" })
	eventually(t, "it went on", func() bool { p, _, err := b.log.Published(t.Context()); return err == nil && p.Behind == 0 })
	stop()
	b.listen("goal.*")
	b.publish(conn, func(_ *events.PublishConfig, f *cloudevent.Format) {
		f.Keep = map[string][]string{"goal.created": {"goal_id"}}
	})
	b.create(1)
	eventually(t, "the new ones arrive", func() bool { return len(b.arrived()) == 2 })
	b.mu.Lock()
	defer b.mu.Unlock()
	if body := string(b.got[0].Body); strings.Contains(body, "details") || !strings.Contains(body, "goal_id") {
		t.Errorf("what stays here was sent: %s", body)
	}
}
