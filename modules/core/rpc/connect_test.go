package rpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/goals-tracker/tracker/modules/core/errs"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1/goalsv1connect"
	realtimev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1/realtimev1connect"
)

// h2c is a client that speaks HTTP/2 without TLS, as gRPC does.
func h2c() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: protocols}}
}

func TestEveryRPCProtocolReachesTheHandler(t *testing.T) {
	b := setup(t)
	for name, opts := range map[string][]connect.ClientOption{
		"connect": nil, "connect JSON": {connect.WithProtoJSON()}, "connect GET": {connect.WithHTTPGet()},
		"gRPC-Web": {connect.WithGRPCWeb()}, "gzip": {connect.WithSendGzip()},
	} {
		got, err := b.client(opts...).GetGoal(t.Context(), &goalsv1.GetGoalRequest{Id: goalID})
		if err != nil || got.GetUserId() != "learner-1" || got.GetMetadata() != `{"a":[1,2]}` {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestConnectJSONStaysStandard(t *testing.T) {
	b := setup(t)
	got := b.do("POST", "/tracker.goals.v1.GoalsService/CreateGoal", `{"title":"t","courseId":"c1","priority":"PRIORITY_HIGH","metadata":"{\"a\": 1}"}`)
	if got.status != 200 || !strings.Contains(got.body, `"GOAL_STATUS_IN_PROGRESS"`) || !strings.Contains(got.body, `"userId"`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if create, ok := b.goals.last(t).(*goalsv1.CreateGoalRequest); !ok || create.GetMetadata() != `{"a":1}` || create.GetCourseId() != "c1" {
		t.Errorf("got %v", b.goals.last(t))
	}
}

func TestARefusedCallCarriesReasonAndFields(t *testing.T) {
	b := setup(t)
	for name, c := range map[string]struct {
		request *goalsv1.CreateGoalRequest
		err     error
		code    connect.Code
		reason  string
		field   string
	}{
		"validation":        {&goalsv1.CreateGoalRequest{}, nil, connect.CodeInvalidArgument, "invalid_input", "title"},
		"NUL":               {&goalsv1.CreateGoalRequest{Title: "a\x00"}, nil, connect.CodeInvalidArgument, "invalid_input", "title"},
		"raw JSON":          {&goalsv1.CreateGoalRequest{Title: "a", Metadata: "{"}, nil, connect.CodeInvalidArgument, "invalid_input", "metadata"},
		"module":            {&goalsv1.CreateGoalRequest{Title: "a"}, errNoGoal.New("x"), connect.CodeNotFound, "goal_not_found", ""},
		"unknown error":     {&goalsv1.CreateGoalRequest{Title: "a"}, errors.New("hunter2"), connect.CodeInternal, "internal", ""},
		"deadline":          {&goalsv1.CreateGoalRequest{Title: "a"}, context.DeadlineExceeded, connect.CodeDeadlineExceeded, "deadline_exceeded", ""},
		"statement timeout": {&goalsv1.CreateGoalRequest{Title: "a"}, databaseError("57014"), connect.CodeDeadlineExceeded, "deadline_exceeded", ""},
		"database restarts": {&goalsv1.CreateGoalRequest{Title: "a"}, databaseError("57P01"), connect.CodeUnavailable, "unavailable", ""},
		"database away":     {&goalsv1.CreateGoalRequest{Title: "a"}, &net.OpError{Op: "dial", Err: errors.New("hunter2")}, connect.CodeUnavailable, "unavailable", ""},
		"panic":             {&goalsv1.CreateGoalRequest{Title: "panic"}, nil, connect.CodeInternal, "internal", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b.goals.err, b.goals.act = c.err, nil
			if c.request.Title == "panic" {
				b.goals.act = func(context.Context) { panic("hunter2") }
			}
			before := b.goals.calls()
			_, err := b.client().CreateGoal(t.Context(), c.request)
			var got *connect.Error
			if !errors.As(err, &got) || got.Code() != c.code || strings.Contains(got.Message(), "hunter2") {
				t.Fatalf("got %v", err)
			}
			reason, field := "", ""
			for _, detail := range got.Details() {
				value, err := detail.Value()
				if err != nil {
					t.Fatal(err)
				}
				switch value := value.(type) {
				case *errdetails.ErrorInfo:
					reason = value.GetReason()
				case *errdetails.BadRequest:
					field = value.GetFieldViolations()[0].GetField()
				}
			}
			if reason != c.reason || field != c.field {
				t.Errorf("reason %q, field %q: %v", reason, field, err)
			}
			if c.field != "" && b.goals.calls() != before {
				t.Error("the handler was reached")
			}
		})
	}
	if logs := b.logs.String(); !strings.Contains(logs, "panic: hunter2") || !strings.Contains(logs, `"stack"`) {
		t.Error("the log doesn't tell of the panic")
	}
}

type databaseError string

func (e databaseError) Error() string    { return "database says hunter2" }
func (e databaseError) SQLState() string { return string(e) }

func TestACallThatTakesTooLongEnds(t *testing.T) {
	b := setup(t, func(cfg *rpcConfig, _ *rpcDeps) { cfg.Timeout = 50 * time.Millisecond })
	b.goals.err = context.DeadlineExceeded
	b.goals.act = func(ctx context.Context) { <-ctx.Done() }
	if _, err := b.client().GetGoal(t.Context(), &goalsv1.GetGoalRequest{Id: goalID}); connect.CodeOf(err) != connect.CodeDeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestWithoutTokenNothingIsServedOnAnyProtocol(t *testing.T) {
	b := setup(t)
	for name, opts := range map[string][]connect.ClientOption{
		"connect": nil, "connect JSON": {connect.WithProtoJSON()}, "connect GET": {connect.WithHTTPGet()}, "gRPC-Web": {connect.WithGRPCWeb()},
	} {
		client := goalsv1connect.NewGoalsServiceClient(b.http.Client(), b.http.URL, append(opts, bearer("x"))...)
		_, err := client.GetGoal(t.Context(), &goalsv1.GetGoalRequest{Id: goalID})
		if connect.CodeOf(err) != connect.CodeUnauthenticated {
			t.Errorf("%s: got %v", name, err)
		}
	}
	watch := realtimev1connect.NewRealtimeServiceClient(h2c(), b.http.URL, connect.WithGRPC())
	stream, err := watch.Watch(t.Context(), &realtimev1.WatchRequest{})
	if err == nil && stream.Receive() {
		t.Error("gRPC stream: a message came")
	} else if err == nil {
		err = stream.Err()
	}
	if connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("gRPC stream: got %v", err)
	}
	if b.goals.calls() != 0 {
		t.Error("the handler was reached")
	}
}

func TestStreamsAreServedCheckedAndRendered(t *testing.T) {
	b := setup(t)
	b.watch.err = errors.New("hunter2")
	client := realtimev1connect.NewRealtimeServiceClient(h2c(), b.http.URL, connect.WithGRPC())
	call := func(request *realtimev1.WatchRequest) (int, error) {
		ctx, info := connect.NewClientContext(t.Context())
		info.RequestHeader().Set("Authorization", "Bearer "+token(t, "learner-1"))
		stream, err := client.Watch(ctx, request)
		if err != nil {
			return 0, err
		}
		n := 0
		for stream.Receive() {
			if stream.Msg().GetHello().GetUserId() != "learner-1" {
				t.Errorf("got %v", stream.Msg())
			}
			n++
		}
		return n, stream.Err()
	}
	n, err := call(&realtimev1.WatchRequest{})
	if n != 1 || connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %d messages, %v", n, err)
	}
	before := int64(-1)
	if n, err := call(&realtimev1.WatchRequest{AfterSeq: &before}); n != 0 || connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("invalid: got %d messages, %v", n, err)
	}
	b.watch.err = errs.Forbidden.New("no")
	if _, err := call(&realtimev1.WatchRequest{}); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("got %v", err)
	}
}

func TestALargeRequestIsRefusedOnConnect(t *testing.T) {
	b := setup(t)
	big := &goalsv1.CreateGoalRequest{Title: "t", Description: strings.Repeat("x", 2<<20)}
	if _, err := b.client().CreateGoal(t.Context(), big); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("got %v", err)
	}
	// Small on the wire, large when unpacked.
	if _, err := b.client(connect.WithSendGzip()).CreateGoal(t.Context(), big); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("gzip: got %v", err)
	}
	if b.goals.calls() != 0 {
		t.Error("the handler was reached")
	}
}

func TestHealthAndReflectionNeedNoToken(t *testing.T) {
	b := setup(t)
	health := grpchealth.NewClient(h2c(), b.http.URL, connect.WithGRPC())
	for _, service := range []string{"", "tracker.goals.v1.GoalsService"} {
		got, err := health.Check(t.Context(), &grpchealth.CheckRequest{Service: service})
		if err != nil || got.Status != grpchealth.StatusServing {
			t.Errorf("%s: got %v, %v", service, got, err)
		}
	}
	if _, err := health.Check(t.Context(), &grpchealth.CheckRequest{Service: "nope"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("got %v", err)
	}
	stream := grpcreflect.NewClient(h2c(), b.http.URL, connect.WithGRPC()).NewStream(t.Context())
	names, err := stream.ListServices()
	if err != nil || len(names) != 3 {
		t.Errorf("got %v, %v", names, err)
	}
	files, err := stream.FileContainingSymbol("tracker.goals.v1.GoalsService")
	if err != nil || len(files) == 0 {
		t.Errorf("got %d files, %v", len(files), err)
	}
	if _, err := stream.Close(); err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	b.ready = errors.New("down")
	if got, err := health.Check(t.Context(), &grpchealth.CheckRequest{}); err != nil || got.Status != grpchealth.StatusNotServing {
		t.Errorf("got %v, %v", got, err)
	}
}
