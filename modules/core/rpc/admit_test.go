package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	realtimev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1/realtimev1connect"
)

// asked is what was admitted, in order.
type asked struct {
	mu  sync.Mutex
	who []string
}

func (a *asked) Admit(_ context.Context, actor auth.Actor, procedure string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.who = append(a.who, actor.UserID+" "+procedure)
	return nil
}

func (a *asked) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	who := a.who
	a.who = nil
	return who
}

func TestEachCallIsAskedAboutOnceByItsProcedureWhateverItsFace(t *testing.T) {
	seen := &asked{}
	b := setup(t, func(_ *rpc.Config, d *rpc.Deps) {
		d.Limits = seen
		d.Routes = []rpc.Route{
			{Pattern: "/closed", Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
			{Pattern: "/open", Public: true, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
		}
	})
	ctx := auth.WithActor(t.Context(), auth.Actor{UserID: "ana"})
	for name, c := range map[string]struct {
		call func()
		want []string
	}{
		"REST":           {func() { b.do("POST", "/api/v1/goals/", `{"title":"t"}`) }, []string{"learner-1 " + create}},
		"REST, invalid":  {func() { b.do("POST", "/api/v1/goals", `{"titel":"t"}`) }, []string{"learner-1 " + create}},
		"REST, HEAD":     {func() { b.do("HEAD", "/api/v1/goals", "") }, []string{"learner-1 /tracker.goals.v1.GoalsService/ListGoals"}},
		"REST, no route": {func() { b.do("GET", "/api/v1/nothing", "") }, []string{"learner-1 "}},
		"Connect":        {func() { b.do("POST", create, `{"title":"t"}`) }, []string{"learner-1 " + create}},
		"gRPC-Web": {func() {
			_, _ = b.client(connect.WithGRPCWeb()).GetGoal(t.Context(), &goalsv1.GetGoalRequest{Id: goalID})
		}, []string{"learner-1 /tracker.goals.v1.GoalsService/GetGoal"}},
		"in process":      {func() { _, _ = b.caller.Invoke(ctx, create, []byte(`{"title":"t"}`), nil) }, []string{"ana " + create}},
		"a closed route":  {func() { b.do("GET", "/closed", "") }, []string{"learner-1 "}},
		"an open route":   {func() { b.do("GET", "/open", "") }, nil},
		"alive":           {func() { b.do("GET", "/healthz", "") }, nil},
		"without a token": {func() { b.do("GET", "/api/v1/goals", "", "Authorization:") }, nil},
	} {
		c.call()
		if got := seen.take(); !slices.Equal(got, c.want) {
			t.Errorf("%s: asked about %q, want %q", name, got, c.want)
		}
	}
}

// limited is a server that lets each person call twice.
func limited(t *testing.T, change func(*limits.Config)) *testBundle {
	t.Helper()
	cfg := limits.Config{Rate: 0.01, Burst: 2}
	if change != nil {
		change(&cfg)
	}
	return setup(t, func(_ *rpc.Config, d *rpc.Deps) {
		d.Limits = limits.NewAPI(limits.New(limits.Sharing{}), cfg, map[string]string{create: limits.Agents})
	})
}

func TestWhoCallsTooOftenReadsHowLongToWaitAndNobodyElseDoes(t *testing.T) {
	b := limited(t, nil)
	for range 2 {
		if got := b.do("GET", "/api/v1/goals", ""); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	got := b.do("GET", "/api/v1/goals", "", "Accept-Language: es")
	body := got.json(t)
	wait := got.header.Get("Retry-After")
	if seconds, err := strconv.Atoi(wait); err != nil || seconds < 1 || seconds > 100 {
		t.Errorf("Retry-After is %q", wait)
	}
	if got.status != http.StatusTooManyRequests || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", got.status, got.header)
	}
	if body["code"] != "resource_exhausted" || body["reason"] != "rate_limited" || body["title"] != "Demasiadas peticiones" ||
		body["detail"] != "Has enviado demasiadas peticiones: como mucho 2 de golpe y después 0.01 por segundo. Espera "+wait+" s y continúa; no se ha perdido nada." {
		t.Errorf("got %s", got.body)
	}
	if details, ok := body["details"].(map[string]any); !ok || details["limit"] != "requests" || details["burst"] != "2" || details["rate"] != "0.01" {
		t.Errorf("got %s", got.body)
	}
	// As any other refusal.
	other := b.do("GET", "/api/v1/goals", "", "Authorization:").json(t)
	for name := range other {
		if _, ok := body[name]; !ok {
			t.Errorf("the problem has no %s, which others have", name)
		}
	}
	if seen := len(b.goals.seen); seen != 2 {
		t.Errorf("%d calls reached the module", seen)
	}
	ben := "Authorization: Bearer " + token(t, "learner-2")
	if got := b.do("GET", "/api/v1/goals", "", ben); got.status != http.StatusOK {
		t.Errorf("another person gets %d", got.status)
	}
	for _, path := range []string{"/healthz", "/readyz", "/openapi.yaml"} {
		for range 5 {
			if got := b.do("GET", path, ""); got.status != http.StatusOK {
				t.Errorf("%s gives %d", path, got.status)
			}
		}
	}
}

func TestARefusalIsTheSameOnEveryFace(t *testing.T) {
	b := limited(t, nil)
	for range 2 {
		b.do("GET", "/api/v1/goals", "")
	}
	grpc := []connect.ClientOption{connect.WithGRPC()}
	for name, opts := range map[string][]connect.ClientOption{"connect": nil, "connect JSON": {connect.WithProtoJSON()}, "gRPC-Web": {connect.WithGRPCWeb()}, "gRPC": grpc} {
		client := b.client(opts...)
		if name == "gRPC" {
			client = b.over(h2c(), opts...)
		}
		_, err := client.GetGoal(t.Context(), &goalsv1.GetGoalRequest{Id: goalID})
		refused(t, name, err)
	}
	watch := realtimev1connect.NewRealtimeServiceClient(b.http.Client(), b.http.URL)
	ctx, info := connect.NewClientContext(t.Context())
	info.RequestHeader().Set("Authorization", "Bearer "+token(t, "learner-1"))
	stream, err := watch.Watch(ctx, &realtimev1.WatchRequest{})
	if err == nil {
		for stream.Receive() {
			t.Error("the stream gives something")
		}
		err = stream.Err()
	}
	refused(t, "a stream", err)

	ana := auth.WithActor(t.Context(), auth.Actor{UserID: "learner-1"})
	_, err = b.caller.Invoke(ana, create, []byte(`{"title":"t"}`), nil)
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind.Code != errs.ResourceExhausted || e.Kind.Reason != "rate_limited" || e.RetryAfter <= 0 ||
		!strings.Contains(e.Text("es"), "Espera") || e.Details["retry_after_ms"] == "" {
		t.Errorf("in process: %v", err)
	}
	if _, err = b.caller.Invoke(auth.WithActor(t.Context(), auth.System("agents")), create, []byte(`{"title":"t"}`), nil); err != nil {
		t.Errorf("the server itself is refused: %v", err)
	}
}

func refused(t *testing.T, name string, err error) {
	t.Helper()
	var refusal *connect.Error
	if !errors.As(err, &refusal) || refusal.Code() != connect.CodeResourceExhausted {
		t.Errorf("%s: got %v", name, err)
		return
	}
	found := map[string]bool{}
	for _, detail := range refusal.Details() {
		value, err := detail.Value()
		if err != nil {
			t.Fatal(err)
		}
		switch value := value.(type) {
		case *errdetails.ErrorInfo:
			found[value.GetReason()] = true
		case *errdetails.RetryInfo:
			found["wait"] = value.GetRetryDelay().AsDuration() > 0
		case *errdetails.LocalizedMessage:
			found["spanish"] = strings.Contains(value.GetMessage(), "Espera")
		}
	}
	if !found["rate_limited"] || !found["wait"] || !found["spanish"] {
		t.Errorf("%s: the details say %v", name, found)
	}
}

func TestWhatIsDearHasALimitOfItsOwn(t *testing.T) {
	b := limited(t, func(c *limits.Config) { c.Rate, c.Burst, c.AgentRate, c.AgentBurst = 1000, 100_000, 0.001, 1 })
	if got := b.do("POST", "/api/v1/goals", `{"title":"t"}`); got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.body)
	}
	got := b.do("POST", create, `{"title":"t"}`) // the same procedure by another face
	if got.status != http.StatusTooManyRequests || !strings.Contains(got.body, "You asked the agents too often: at most 1 times at once and then 0.001 times a second. Wait ") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := b.do("GET", "/api/v1/goals", ""); got.status != http.StatusOK {
		t.Errorf("what is not dear: %d", got.status)
	}
}
