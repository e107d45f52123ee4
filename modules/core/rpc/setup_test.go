package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1/goalsv1connect"
	realtimev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1/realtimev1connect"
)

const (
	secret = "a shared secret of the academy, long enough"
	goalID = "0190b6d2-0000-7000-8000-000000000001"
)

var errNoGoal = errs.Define(errs.NotFound, "goal_not_found", "There is no goal %s.", "No existe el objetivo %s.")

// fakeGoals answers as a module would, and remembers what reached it.
type fakeGoals struct {
	goalsv1connect.UnimplementedGoalsServiceHandler
	mu   sync.Mutex
	seen []proto.Message
	err  error
	// act runs inside of a call.
	act func(ctx context.Context)
}

func (f *fakeGoals) take(ctx context.Context, msg proto.Message) (*goalsv1.Goal, error) {
	f.mu.Lock()
	f.seen = append(f.seen, msg)
	err := f.err
	f.mu.Unlock()
	if f.act != nil {
		f.act(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &goalsv1.Goal{
		Id: goalID, UserId: rpc.Actor(ctx).UserID, Title: "Learn FastAPI", Status: goalsv1.GoalStatus_GOAL_STATUS_IN_PROGRESS,
		Priority: goalsv1.Priority_PRIORITY_HIGH, Metadata: `{"a":[1,2]}`, CreatedAt: timestamppb.New(time.Unix(1700000000, 123456000)), Version: 9007199254740993,
	}, nil
}

func (f *fakeGoals) last(t testing.TB) proto.Message {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) == 0 {
		t.Fatal("nothing reached the handler")
	}
	return f.seen[len(f.seen)-1]
}

func (f *fakeGoals) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}

func (f *fakeGoals) CreateGoal(ctx context.Context, r *goalsv1.CreateGoalRequest) (*goalsv1.Goal, error) {
	return f.take(ctx, r)
}

func (f *fakeGoals) GetGoal(ctx context.Context, r *goalsv1.GetGoalRequest) (*goalsv1.Goal, error) {
	return f.take(ctx, r)
}

func (f *fakeGoals) UpdateGoal(ctx context.Context, r *goalsv1.UpdateGoalRequest) (*goalsv1.Goal, error) {
	return f.take(ctx, r)
}

func (f *fakeGoals) StartGoal(ctx context.Context, r *goalsv1.StartGoalRequest) (*goalsv1.Goal, error) {
	return f.take(ctx, r)
}

func (f *fakeGoals) SetProgress(ctx context.Context, r *goalsv1.SetProgressRequest) (*goalsv1.Goal, error) {
	return f.take(ctx, r)
}

func (f *fakeGoals) DeleteGoal(ctx context.Context, r *goalsv1.DeleteGoalRequest) (*emptypb.Empty, error) {
	_, err := f.take(ctx, r)
	return &emptypb.Empty{}, err
}

func (f *fakeGoals) ListGoals(ctx context.Context, r *goalsv1.ListGoalsRequest) (*goalsv1.ListGoalsResponse, error) {
	goal, err := f.take(ctx, r)
	if err != nil {
		return nil, err
	}
	return &goalsv1.ListGoalsResponse{Goals: []*goalsv1.Goal{goal}}, nil
}

// fakeWatch streams two messages and then what err says.
type fakeWatch struct{ err error }

func (f *fakeWatch) Watch(ctx context.Context, _ *realtimev1.WatchRequest, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	hello := &realtimev1.WatchResponse{Push: &realtimev1.WatchResponse_Hello{Hello: &realtimev1.Hello{UserId: rpc.Actor(ctx).UserID}}}
	if err := stream.Send(hello); err != nil {
		return err
	}
	return f.err
}

// testBundle is a running server with a fake module.
type testBundle struct {
	t      testing.TB
	goals  *fakeGoals
	watch  *fakeWatch
	server *rpc.Server
	caller *rpc.Caller
	http   *httptest.Server
	logs   *logBuffer
	ready  error
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func setup(t testing.TB, changes ...func(*rpc.Config, *rpc.Deps)) *testBundle {
	t.Helper()
	b := &testBundle{t: t, goals: &fakeGoals{}, watch: &fakeWatch{}, caller: rpc.NewCaller(), logs: &logBuffer{}}
	verifier, err := auth.NewHS256(secret)
	if err != nil {
		t.Fatal(err)
	}
	cfg := rpc.Config{AllowedOrigins: rpc.DefaultOrigins(), MaxBody: 1 << 20, Logger: slog.New(slog.NewJSONHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	deps := rpc.Deps{
		Verifier: verifier, Caller: b.caller,
		Services: []rpc.Service{
			{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
				return goalsv1connect.NewGoalsServiceHandler(b.goals, opts...)
			}},
			{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
				return realtimev1connect.NewRealtimeServiceHandler(b.watch, opts...)
			}},
		},
		Checks: []rpc.Check{{Name: "database", Check: func(context.Context) error { return b.ready }}},
	}
	for _, change := range changes {
		change(&cfg, &deps)
	}
	if b.server, err = rpc.NewServer(cfg, deps); err != nil {
		t.Fatal(err)
	}
	b.http = httptest.NewUnstartedServer(nil)
	b.http.Config = b.server.HTTP("")
	b.http.Start()
	t.Cleanup(b.http.Close)
	return b
}

func token(t testing.TB, user string) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"user_id": user, "roles": []string{"student"}, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) json(t testing.TB) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(r.body), &out); err != nil {
		t.Fatalf("not JSON: %q", r.body)
	}
	return out
}

// do sends a raw request as learner-1; headers are "Name: value", and one
// without value is removed.
func (b *testBundle) do(method, target, body string, headers ...string) reply {
	b.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.http.URL+target, reader)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token(b.t, "learner-1"))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		b.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// bearer is a client option that signs in.
func bearer(tok string) connect.ClientOption {
	return connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			r.Header().Set("Authorization", "Bearer "+tok)
			return next(ctx, r)
		}
	}))
}

// over is client by another transport.
func (b *testBundle) over(by *http.Client, opts ...connect.ClientOption) goalsv1connect.GoalsServiceClient {
	return goalsv1connect.NewGoalsServiceClient(by, b.http.URL, append(opts, bearer(token(b.t, "learner-1")))...)
}

func (b *testBundle) client(opts ...connect.ClientOption) goalsv1connect.GoalsServiceClient {
	return b.over(b.http.Client(), opts...)
}
