package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/config"
)

func TestOperatorsListReplayAndDropDeadLetters(t *testing.T) {
	address := brokertest.URL(t)
	b, err := broker.New(broker.Config{URL: config.Secret(address)}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) })
	var mu sync.Mutex
	handled, broken := map[string]int{}, true
	queue := broker.Queue{Name: "tests", Bindings: []broker.Binding{{Exchange: "academy.events", Key: "#"}}}
	running.Go(func() {
		_ = b.Consume(ctx, broker.Consumer{Queue: queue, Handle: func(_ context.Context, d broker.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			if broken {
				return broker.Poison(errors.New("it can't be read"))
			}
			handled[d.ID]++
			return nil
		}})
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	publisher := b.Publisher()
	t.Cleanup(publisher.Close)
	until(t, time.Minute, func() (any, bool) {
		unrouted, err := publisher.Publish(t.Context(), broker.Message{ID: "one", Exchange: "academy.events", Key: "user.created", Type: "user.created", Body: []byte("{}")})
		return err, err == nil && len(unrouted) == 0
	})
	if _, err := publisher.Publish(t.Context(), broker.Message{ID: "two", Exchange: "academy.events", Key: "user.updated", Type: "user.updated", Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}

	command := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(filepath.Join(programs, "tracker"), append([]string{"events", "deadletters"}, args...)...)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "RABBITMQ_URL="+address)
		out, err := cmd.CombinedOutput()
		if err != nil && len(args) > 0 && args[0] != "list" && !strings.Contains(string(out), "--all") {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	until(t, time.Minute, func() (any, bool) {
		out := command("list", "--queue", "tests")
		return out, strings.Contains(out, "one") && strings.Contains(out, "user.updated") && strings.Contains(out, "rejected")
	})
	if out := command("replay", "--queue", "tests"); !strings.Contains(out, "--all") {
		t.Errorf("without ids it says %s", out)
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	if out := command("replay", "--queue", "tests", "two"); !strings.Contains(out, "put back two") {
		t.Errorf("replay says %s", out)
	}
	until(t, time.Minute, func() (any, bool) { mu.Lock(); defer mu.Unlock(); return handled["two"], handled["two"] == 1 })
	if out := command("drop", "--queue", "tests", "--all"); !strings.Contains(out, "thrown away one") || strings.Contains(out, "two") {
		t.Errorf("drop says %s", out)
	}
	if out := command("list", "--queue", "tests"); strings.TrimSpace(out) != "" {
		t.Errorf("afterwards there are %s", out)
	}
}
