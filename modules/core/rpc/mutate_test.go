package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1/goalsv1connect"
)

var one = postgres.SQL("test.one", `SELECT 1`)

// counting creates goals in real units of work, and counts how often.
type counting struct {
	goalsv1connect.UnimplementedGoalsServiceHandler
	db   *postgres.DB
	ran  atomic.Int64
	fail atomic.Bool
}

func (c *counting) CreateGoal(ctx context.Context, r *goalsv1.CreateGoalRequest) (*goalsv1.Goal, error) {
	return rpc.Mutate(ctx, c.db, r, func(ctx context.Context, tx *postgres.Tx) (*goalsv1.Goal, error) {
		var got int
		if err := tx.QueryRow(ctx, one, nil).Scan(&got); err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
		n := c.ran.Add(1)
		if c.fail.Load() {
			return nil, errNoGoal.New("x")
		}
		return &goalsv1.Goal{Id: goalID, UserId: tx.Actor().UserID, Title: r.GetTitle(), Version: n}, nil
	})
}

func mutating(t *testing.T) (*testBundle, *counting) {
	t.Helper()
	goals := &counting{db: postgrestest.DB(t)}
	b := setup(t, func(_ *rpc.Config, d *rpc.Deps) {
		d.Services[0] = rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return goalsv1connect.NewGoalsServiceHandler(goals, opts...)
		}}
	})
	return b, goals
}

func TestARepeatedCallGetsTheFirstAnswerOnEveryFace(t *testing.T) {
	b, goals := mutating(t)
	key := "Idempotency-Key: k-1"
	first := b.do("POST", "/api/v1/goals", `{"title":"t","metadata":{"a": 1}}`, key)
	if first.status != 201 || first.header.Get("Idempotency-Replayed") != "" {
		t.Fatalf("%d %s", first.status, first.body)
	}
	again := b.do("POST", "/api/v1/goals/", `{"metadata": {"a":1}, "title":"t", "due_at":null}`, key)
	if again.status != 201 || again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Location") == "" {
		t.Errorf("%d %s %v", again.status, again.body, again.header)
	}
	viaConnect := b.do("POST", "/tracker.goals.v1.GoalsService/CreateGoal", `{"title":"t","metadata":"{\"a\":1}"}`, key)
	if viaConnect.status != 200 || !strings.Contains(viaConnect.body, `"version":"1"`) {
		t.Errorf("%d %s", viaConnect.status, viaConnect.body)
	}
	ctx := auth.WithActor(t.Context(), auth.Actor{UserID: "learner-1"})
	inProcess, err := b.caller.Invoke(ctx, create, []byte(`{"title":"t","metadata":{"a":1}}`), http.Header{"Idempotency-Key": {"k-1"}})
	if err != nil || string(inProcess) != first.body {
		t.Errorf("got %s, %v", inProcess, err)
	}
	if goals.ran.Load() != 1 {
		t.Errorf("ran %d times", goals.ran.Load())
	}
	if other := b.do("POST", "/api/v1/goals", `{"title":"other"}`, key); other.status != 400 || other.json(t)["reason"] != "idempotency_key_reused" {
		t.Errorf("%d %s", other.status, other.body)
	}
	if stranger := b.do("POST", "/api/v1/goals", `{"title":"t"}`, key, "Authorization: Bearer "+token(t, "learner-2")); stranger.status != 201 || goals.ran.Load() != 2 {
		t.Errorf("another person's key: %d %s", stranger.status, stranger.body)
	}
}

func TestConcurrentDuplicatesRunOnce(t *testing.T) {
	b, goals := mutating(t)
	var all sync.WaitGroup
	bodies := make([]string, 12)
	for i := range bodies {
		all.Go(func() {
			got, err := b.client(keyed("k-2")).CreateGoal(context.Background(), &goalsv1.CreateGoalRequest{Title: "t"})
			bodies[i] = fmt.Sprint(got.GetVersion(), err)
		})
	}
	all.Wait()
	for _, body := range bodies {
		if body != "1 <nil>" {
			t.Errorf("got %s", body)
		}
	}
	if b.goals.calls() != 0 || goals.ran.Load() != 1 {
		t.Errorf("ran %d times", goals.ran.Load())
	}
}

func keyed(key string) connect.ClientOption {
	return connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			r.Header().Set(rpc.KeyHeader, key)
			return next(ctx, r)
		}
	}))
}

func TestAFailedCallMayBeRepeatedWithItsKey(t *testing.T) {
	b, goals := mutating(t)
	goals.fail.Store(true)
	if got := b.do("POST", "/api/v1/goals", `{"title":"t"}`, "Idempotency-Key: k-3"); got.status != 404 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	goals.fail.Store(false)
	if got := b.do("POST", "/api/v1/goals", `{"title":"t"}`, "Idempotency-Key: k-3"); got.status != 201 || got.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestAKeyThatCanNotBeTakenIsRefused(t *testing.T) {
	b, goals := mutating(t)
	for _, key := range []string{strings.Repeat("x", 201), "ñ", "a\tb"} {
		got := b.do("POST", "/api/v1/goals", `{"title":"t"}`, "Idempotency-Key: "+key)
		if got.status != 400 || got.json(t)["reason"] != "idempotency_key_invalid" {
			t.Errorf("%q: %d %s", key, got.status, got.body)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.http.URL+"/api/v1/goals", strings.NewReader(`{"title":"t"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + token(t, "u")}, "Content-Type": {"application/json"}, rpc.KeyHeader: {"a", "b"}}
	resp, err := b.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusBadRequest || goals.ran.Load() != 0 {
		t.Errorf("two keys: %d, ran %d times", resp.StatusCode, goals.ran.Load())
	}
	for _, key := range []string{"a", strings.Repeat("x", 200), "with space ~"} {
		if got := b.do("POST", "/api/v1/goals", `{"title":"t"}`, "Idempotency-Key: "+key); got.status != 201 {
			t.Errorf("%q: %d %s", key, got.status, got.body)
		}
	}
}

func TestNobodyMutatesNothing(t *testing.T) {
	db := postgrestest.DB(t)
	_, err := rpc.Mutate(t.Context(), db, &goalsv1.CreateGoalRequest{}, func(context.Context, *postgres.Tx) (*goalsv1.Goal, error) {
		return nil, errors.New("it ran")
	})
	if errs.CodeOf(err) != errs.Unauthenticated {
		t.Errorf("got %v", err)
	}
}
