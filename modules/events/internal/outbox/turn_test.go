package outbox_test

import (
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
)

// warnings counts lines.
type warnings struct{ atomic.Int64 }

func (w *warnings) Write(line []byte) (int, error) { w.Add(1); return len(line), nil }

func TestAReplicaThatIsCutOffFromTheBrokerLeavesTheLeaseToOthers(t *testing.T) {
	b := setup(t, brokertest.URL(t))
	b.listen("goal.*")
	b.create(3)
	address, warned := b.addr, &warnings{}
	b.addr, b.warn = "amqp://guest:guest@127.0.0.1:1/", slog.NewTextHandler(warned, nil)
	b.publish(b.connect(), nil)
	eventually(t, "it has tried and said so", func() bool { return warned.Load() > 0 })
	if p, _, err := b.log.Published(t.Context()); err != nil || p.Holder != "" {
		t.Errorf("it waits for the broker with the lease in its hands: %+v, %v", p, err)
	}
	b.addr, b.warn = address, nil
	b.publish(b.connect(), nil)
	b.expectAll()
}

func TestWhatIsSentFirstIsTheOperatorsChoice(t *testing.T) {
	b := setup(t, brokertest.URL(t))
	b.listen("goal.*")
	b.create(3) // six events
	conn := b.connect()
	b.publish(conn, func(cfg *events.PublishConfig, _ *cloudevent.Format) { cfg.Start = "now" })
	eventually(t, "it has begun", func() bool { p, ok, err := b.log.Published(t.Context()); return err == nil && ok && p.Position == 6 })
	b.create(1)
	eventually(t, "what is new arrives", func() bool { return len(b.arrived()) == 2 })
	if got, want := b.arrived(), b.logged()[6:]; !slices.Equal(got, want) {
		t.Errorf("%v arrived, want the new ones %v", got, want)
	}

	// While it is publishing.
	if err := b.log.PublishFrom(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two old ones arrive", func() bool { return len(b.arrived()) == 4 })
	if got, want := b.arrived()[2:], b.logged()[4:6]; !slices.Equal(got, want) {
		t.Errorf("%v arrived, want %v", got, want)
	}
	eventually(t, "it is at the end", func() bool { p, _, err := b.log.Published(t.Context()); return err == nil && p.Position == 8 })
	if err := b.log.PublishFrom(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all have arrived", func() bool { return len(b.arrived()) == 8 })
	for _, sequence := range []int64{0, -2, 10, 1 << 40} {
		if err := b.log.PublishFrom(t.Context(), sequence); err == nil || !strings.Contains(err.Error(), "from 1 to 8") {
			t.Errorf("from %d: %v", sequence, err)
		}
	}
	if err := b.log.PublishFrom(t.Context(), events.Now); err != nil {
		t.Error(err)
	}
	if err := b.log.StartPublishing(t.Context(), "yesterday"); err == nil || !strings.Contains(err.Error(), "events.publish.start") {
		t.Errorf("from yesterday: %v", err)
	}
}

func TestNothingOfAPersonLeavesWhoIsErasedWhileItWaits(t *testing.T) {
	b := setup(t, brokertest.URL(t))
	var erased atomic.Bool
	b.log.RefuseWhen(func(subject string) bool { return erased.Load() && subject == "learner1" })
	b.listen("goal.*")
	b.create(3)
	erased.Store(true)
	b.publish(b.connect(), nil)
	eventually(t, "it is at the end", func() bool { p, _, err := b.log.Published(t.Context()); return err == nil && p.Position == 6 })
	eventually(t, "the others' arrive", func() bool { return len(b.arrived()) == 4 })
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.got {
		if d.Headers["cloudEvents:userid"] == "learner1" {
			t.Errorf("%s of somebody who is erased was sent", d.Type)
		}
	}
}
