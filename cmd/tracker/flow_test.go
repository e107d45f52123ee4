package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// others is a service that hears of everything by RabbitMQ.
type others struct {
	mu    sync.Mutex
	types []string
}

func listenToAll(t *testing.T, address string) *others {
	t.Helper()
	line, err := broker.New(broker.Config{URL: config.Secret(address)}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	o := &others{}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() { _ = line.Run(ctx) })
	running.Go(func() {
		_ = line.Consume(ctx, broker.Consumer{
			Queue: broker.Queue{Name: "everything", Bindings: []broker.Binding{{Exchange: "goals.events", Key: "#"}}}, Handle: o.take,
		})
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	until(t, time.Minute, func() (any, bool) {
		_, err := line.DeadLetters(t.Context(), "everything", 1)
		return err, err == nil
	})
	return o
}

func (o *others) take(_ context.Context, d broker.Delivery) error {
	var e struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(d.Body, &e); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.types = append(o.types, e.Type)
	return nil
}

// lack is what of some types did not come yet.
func (o *others) lack(types ...string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(types, func(kind string) bool { return slices.Contains(o.types, kind) })
}

// The reference's eight steps between the academy and the tracker, each a process
// of its own, with RabbitMQ and Redis between and beside them; then the academy
// deletes the person.
func TestTheEightStepsBetweenTwoProcessesAndTheEndOfAPerson(t *testing.T) {
	address := brokertest.URL(t)
	heard := listenToAll(t, address)
	academy := startAcademy(t, "RABBITMQ_URL="+address)
	tracker := startProcess(t, "DATABASE_URL="+postgrestest.URL(t), "RABBITMQ_URL="+address, "REDIS_URL="+cachetest.URL(t),
		"USER_SERVICE_URL="+academy.url, "SERVICE_API_KEY="+testServiceKey, "TRACKER_AUTH_SOURCE=jwks")

	demo := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), "demo", "--short", "--env-file=/dev/null",
		"--server", "http://"+tracker.address, "--academy", academy.url)
	demo.Env = tracker.env
	out, err := demo.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "All eight steps worked.") {
		t.Fatalf("%v\n%s", err, out)
	}
	until(t, time.Minute, func() ([]string, bool) {
		lack := heard.lack("goal.created", "plan.generated", "task.created", "snapshot.submitted", "validation.completed", "task.completed", "feedback.generated")
		return lack, len(lack) == 0
	})

	ben := caller{t: t, url: "http://" + tracker.address, token: academy.login("ben@academy.test", "ben-learns")}
	if goals := list(ben.must(http.MethodGet, "/api/v1/goals", nil), "goals"); len(goals) == 0 {
		t.Fatal("the learner of the demo has no goal")
	}
	academy.must(http.MethodDelete, "/api/users/learner-ben", nil)
	until(t, time.Minute, func() (any, bool) {
		r := ben.send(http.MethodGet, "/api/v1/goals", nil)
		return r.status, r.status == http.StatusUnauthorized
	})
	until(t, time.Minute, func() ([]string, bool) { lack := heard.lack("user.erased"); return lack, len(lack) == 0 })
}
