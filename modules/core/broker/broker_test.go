package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/config"
)

// patience is for a machine that is busy with other tests.
const patience = 60 * time.Second

// run gives a broker that runs for as long as the test.
func run(t *testing.T, address string) *broker.Broker {
	t.Helper()
	b, err := broker.New(broker.Config{URL: config.Secret(address), RetryAtMost: 200 * time.Millisecond}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = b.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
	return b
}

// work consumes in the background for as long as the test.
func work(t *testing.T, b *broker.Broker, c broker.Consumer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := b.Consume(ctx, c); err != nil {
			t.Errorf("consume: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it never came true: %s", what)
}

func message(id, key string) broker.Message {
	return broker.Message{
		ID: id, Exchange: "numbers", Key: key, Type: key, ContentType: "application/json",
		Headers: map[string]any{"ce-id": id}, Body: []byte(`{"id":"` + id + `"}`), Time: time.Unix(1_700_000_000, 0),
	}
}

var numbers = broker.Queue{Name: "tracker.numbers", Bindings: []broker.Binding{{Exchange: "numbers", Key: "number.#"}}, DeliveryLimit: 2}

func TestWhatIsPublishedComesOnceWithAllThatItCarries(t *testing.T) {
	b := run(t, brokertest.URL(t))
	got := make(chan broker.Delivery, 10)
	work(t, b, broker.Consumer{Queue: numbers, Handle: func(_ context.Context, d broker.Delivery) error { got <- d; return nil }})
	p := b.Publisher()
	t.Cleanup(p.Close)
	eventually(t, "the queue is there", func() bool {
		unrouted, err := p.Publish(within(t), message("a", "number.one"))
		return err == nil && len(unrouted) == 0
	})
	want := "a|numbers|number.one|number.one|application/json|a|" + `{"id":"a"}` + "|1700000000|1"
	d := <-got
	if s := fmt.Sprintf("%s|%s|%s|%s|%s|%v|%s|%d|%d", d.ID, d.Exchange, d.Key, d.Type, d.ContentType, d.Headers["ce-id"], d.Body, d.Time.Unix(), d.Attempt); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
	unrouted, err := p.Publish(within(t), message("b", "letter.b"), message("c", "number.two"), message("d", "letter.d"))
	if err != nil || !slices.Equal(unrouted, []string{"b", "d"}) {
		t.Errorf("unrouted are %v (%v), want those that no queue is bound for", unrouted, err)
	}
	if d := <-got; d.ID != "c" {
		t.Errorf("got %s, want c", d.ID)
	}
	if h := b.Health(); h.State != broker.Connected || h.Unroutable < 2 || !strings.Contains(h.Server, "RabbitMQ 3") {
		t.Errorf("health is %+v", h)
	}
}

func TestWhatNobodyCanHandleBecomesADeadLetterThatIsListedReplayedAndDropped(t *testing.T) {
	b := run(t, brokertest.URL(t))
	var mu sync.Mutex
	seen := map[string]int{}
	broken := true
	work(t, b, broker.Consumer{Queue: numbers, Handle: func(_ context.Context, d broker.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		seen[d.ID]++
		switch {
		case !broken:
			return nil
		case d.Key == "number.poison":
			return broker.Poison(errors.New("no JSON"))
		case d.Key == "number.panics" && d.Attempt == 1:
			panic("once")
		case d.Key == "number.away" && seen[d.ID] < 5:
			return broker.Later(errors.New("the database is away"))
		case d.Key == "number.fails":
			return errors.New("not yet")
		}
		return nil
	}})
	p := b.Publisher()
	t.Cleanup(p.Close)
	eventually(t, "the queue is there", func() bool {
		unrouted, err := p.Publish(within(t), message("first", "number.zero"))
		return err == nil && len(unrouted) == 0
	})
	if _, err := p.Publish(within(t), message("p", "number.poison"), message("f", "number.fails"), message("q", "number.panics"), message("w", "number.away")); err != nil {
		t.Fatal(err)
	}
	dead := func() (all []broker.DeadLetter) {
		all, err := b.DeadLetters(within(t), numbers.Name, 10)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	eventually(t, "two letters are dead and the others handled", func() bool {
		mu.Lock()
		handled := seen["w"] == 5 && seen["q"] == 2
		mu.Unlock()
		return handled && len(dead()) == 2
	})
	reasons := map[string]string{}
	var letters []broker.DeadLetter
	eventually(t, "and shows it again", func() bool { letters = dead(); return len(letters) == 2 })
	for _, l := range letters {
		reasons[l.ID] = fmt.Sprintf("%s %s %s, a %s, %d %v", l.Reason, l.Exchange, l.Key, l.Type, l.Deaths, !l.DiedAt.IsZero())
	}
	if reasons["p"] != "rejected numbers number.poison, a number.poison, 1 true" || reasons["f"] != "delivery_limit numbers number.fails, a number.fails, 1 true" {
		t.Errorf("the dead letters are %v", reasons)
	}
	mu.Lock()
	if seen["p"] != 1 || seen["f"] != 3 {
		t.Errorf("tries were %v; poison is tried once, what fails once and twice more", seen)
	}
	broken = false
	mu.Unlock()

	var replayed []broker.DeadLetter
	eventually(t, "one is replayed", func() bool {
		var err error
		if replayed, err = b.ReplayDead(within(t), numbers.Name, "f"); err != nil {
			t.Fatal(err)
		}
		return len(replayed) > 0
	})
	if len(replayed) != 1 || replayed[0].ID != "f" {
		t.Fatalf("replayed %v", replayed)
	}
	eventually(t, "the replayed one is handled", func() bool { mu.Lock(); defer mu.Unlock(); return seen["f"] == 4 })
	eventually(t, "the other one is left", func() bool { left := dead(); return len(left) == 1 && left[0].ID == "p" })
	eventually(t, "it is dropped", func() bool {
		dropped, err := b.DropDead(within(t), numbers.Name)
		if err != nil || len(dropped) > 1 {
			t.Fatalf("dropped %v: %v", dropped, err)
		}
		return len(dropped) == 1
	})
	if left := dead(); len(left) != 0 {
		t.Errorf("dead letters left are %v", left)
	}
	if _, err := b.DeadLetters(within(t), "nobody", 1); err == nil || !strings.Contains(err.Error(), "nobody.dead") {
		t.Errorf("of a queue that is not there: %v", err)
	}
}

func TestAfterACrashOfTheBrokerWhatItHadConfirmedIsThereAndWorkGoesOn(t *testing.T) {
	server := brokertest.Shared(t)
	b := run(t, server.Host(t))
	var mu sync.Mutex
	var got []string
	work(t, b, broker.Consumer{Queue: numbers, Handle: func(_ context.Context, d broker.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(got, d.ID) {
			got = append(got, d.ID)
		}
		return nil
	}})
	p := b.Publisher()
	t.Cleanup(p.Close)
	var sent []string
	publish := func(ctx context.Context, id string) {
		t.Helper()
		for {
			try, cancel := context.WithTimeout(ctx, 5*time.Second)
			unrouted, err := p.Publish(try, message(id, "number."+id))
			cancel()
			if err == nil && len(unrouted) == 0 {
				sent = append(sent, id)
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("publish %s: %v", id, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	for i := range 20 {
		publish(within(t), fmt.Sprintf("before%d", i))
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the crash is noticed", func() bool { return b.Health().State == broker.Away })
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Publish(short, message("lost", "number.lost")); !errors.Is(err, broker.ErrAway) {
		t.Errorf("publishing to a broker that is away: %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		publish(within(t), fmt.Sprintf("after%d", i))
	}
	if err := server.CloseConnections(); err != nil {
		t.Fatal(err)
	}
	publish(within(t), "last")
	eventually(t, "all that was confirmed came", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, id := range sent {
			if !slices.Contains(got, id) {
				return false
			}
		}
		return true
	})
}

func TestEachTestHasAVirtualHostOfItsOwn(t *testing.T) {
	one, other := run(t, brokertest.URL(t)), run(t, brokertest.URL(t))
	work(t, one, broker.Consumer{Queue: numbers, Handle: func(context.Context, broker.Delivery) error { return nil }})
	eventually(t, "the queue is there", func() bool { _, err := one.DeadLetters(within(t), numbers.Name, 1); return err == nil })
	if _, err := other.DeadLetters(within(t), numbers.Name, 1); err == nil {
		t.Error("a queue of one virtual host is seen in the other")
	}
}

func TestABrokerShortOfMemoryBlocksPublishersAndSaysSo(t *testing.T) {
	server := brokertest.Shared(t)
	b := run(t, server.Host(t))
	p := b.Publisher()
	t.Cleanup(p.Close)
	if _, err := p.Publish(within(t), message("a", "number.a")); err != nil {
		t.Fatal(err)
	}
	if err := server.Alarm(true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Alarm(false); err != nil {
			t.Error(err)
		}
	})
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := p.Publish(short, message("b", "number.b")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("publishing to a blocked broker: %v", err)
	}
	eventually(t, "health says blocked", func() bool { return b.Health().State == broker.Blocked })
	if err := server.Alarm(false); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Publish(within(t), message("c", "number.c")); err != nil {
		t.Error(err)
	}
	eventually(t, "health says connected", func() bool { return b.Health().State == broker.Connected })
}

func TestWithoutABrokerNothingWaitsAndNothingIsPublished(t *testing.T) {
	b := run(t, "")
	if b.Configured() || b.Health().State != broker.Off {
		t.Errorf("health is %+v", b.Health())
	}
	if err := b.Consume(within(t), broker.Consumer{Queue: numbers}); !errors.Is(err, broker.ErrNotConfigured) {
		t.Errorf("consume: %v", err)
	}
	if _, err := b.Publisher().Publish(within(t), message("a", "number.a")); !errors.Is(err, broker.ErrNotConfigured) {
		t.Errorf("publish: %v", err)
	}
	if _, err := b.Check(within(t)); !errors.Is(err, broker.ErrNotConfigured) {
		t.Errorf("check: %v", err)
	}
}

func TestNoErrorOrLogLineHoldsThePassword(t *testing.T) {
	address, err := url.Parse(brokertest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	const password = "hunter2hunter2"
	wrong := *address
	wrong.User = url.UserPassword("guest", password)
	nowhere := wrong
	nowhere.Host = "127.0.0.1:1"
	noHost := *address
	noHost.Path = "/not-there"
	for name, c := range map[string]struct{ url, says string }{
		"a wrong password":             {wrong.String(), "check user, password"},
		"nobody who listens":           {nowhere.String(), "refused"},
		"an unknown virtual host":      {noHost.String(), "virtual host"},
		"an address nobody can read":   {"amqp://guest:" + password + "@host:port/%zz", "can't be read"},
		"an address of something else": {"https://guest:" + password + "@127.0.0.1/", "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			var mu sync.Mutex
			logger := slog.New(slog.NewTextHandler(locked{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
			b, err := broker.New(broker.Config{URL: config.Secret(c.url), RetryAtMost: time.Millisecond}, logger)
			said := ""
			if err == nil {
				ctx, cancel := context.WithCancel(context.Background())
				var done sync.WaitGroup
				done.Go(func() { _ = b.Run(ctx) })
				eventually(t, "it was tried", func() bool { h := b.Health(); return h.State == broker.Away && h.Reason != "not connected yet" })
				_, err = b.Check(within(t))
				said = b.Health().Reason
				cancel()
				done.Wait()
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("the error is %v, want it to say %q", err, c.says)
			}
			mu.Lock()
			defer mu.Unlock()
			if all := said + err.Error() + log.String(); strings.Contains(all, password) {
				t.Errorf("the password is in %s", all)
			}
		})
	}
}

type locked struct {
	mu  *sync.Mutex
	out *bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}
