package rpc_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

const create = "/tracker.goals.v1.GoalsService/CreateGoal"

func TestACallInProcessIsACallLikeAnyOther(t *testing.T) {
	b := setup(t)
	ctx := rpc.WithRequestID(auth.WithActor(t.Context(), auth.Actor{UserID: "learner-9"}), "socket-1")
	got, err := b.caller.Invoke(ctx, create, []byte(`{"title":"t","priority":"high"}`), nil)
	if err != nil || !strings.Contains(string(got), `"user_id":"learner-9"`) || !strings.Contains(string(got), `"status":"in_progress"`) {
		t.Fatalf("got %s, %v", got, err)
	}
	if request, ok := b.goals.last(t).(*goalsv1.CreateGoalRequest); !ok || request.GetPriority() != goalsv1.Priority_PRIORITY_HIGH {
		t.Errorf("got %v", b.goals.last(t))
	}
	if logs := b.logs.String(); !strings.Contains(logs, `"request_id":"socket-1"`) || !strings.Contains(logs, `"user":"learner-9"`) {
		t.Errorf("got %s", logs)
	}
	header := http.Header{"Authorization": {"Bearer " + token(t, "learner-8")}}
	if got, err := b.caller.Invoke(t.Context(), create, []byte(`{"title":"t"}`), header); err != nil || !strings.Contains(string(got), "learner-8") {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := b.caller.Invoke(ctx, "/tracker.goals.v1.GoalsService/DeleteGoal", []byte(`{"goal_id":"`+goalID+`"}`), nil); err != nil || string(got) != "{}" {
		t.Errorf("got %s, %v", got, err)
	}
	if got := b.caller.Commands()["goal.create"]; got != create || len(b.caller.Commands()) != 5 {
		t.Errorf("got %v", b.caller.Commands())
	}
}

func TestACallInProcessFailsAsAnyOther(t *testing.T) {
	b := setup(t)
	ana := auth.WithActor(t.Context(), auth.Actor{UserID: "ana"})
	b.goals.err = errs.StaleVersion.New(3, 7).WithDetail("version", "7").WithField("version", "is old").After(3 * time.Second)
	for name, c := range map[string]struct {
		procedure, request string
		signedIn           bool
		code               errs.Code
		reason, field      string
	}{
		"module":      {create, `{"title":"t"}`, true, errs.Aborted, "stale_version", "version"},
		"validation":  {create, `{}`, true, errs.InvalidArgument, "invalid_input", "title"},
		"wire":        {create, `{"titel":"t"}`, true, errs.InvalidArgument, "invalid_input", "titel"},
		"nobody":      {create, `{"title":"t"}`, false, errs.Unauthenticated, "token_missing", ""},
		"not mounted": {"/tracker.tasks.v1.TasksService/CreateTask", `{}`, true, errs.Unimplemented, "no_such_procedure", ""},
		"stream":      {"/tracker.realtime.v1.RealtimeService/Watch", `{}`, true, errs.Unimplemented, "no_such_procedure", ""},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := ana
			if !c.signedIn {
				ctx = t.Context()
			}
			_, err := b.caller.Invoke(ctx, c.procedure, []byte(c.request), nil)
			var e *errs.Error
			if !errors.As(err, &e) || e.Kind.Code != c.code || e.Kind.Reason != c.reason || e.English == "" || e.Spanish == "" || e.English == e.Spanish {
				t.Fatalf("got %+v, %v", e, err)
			}
			if c.field != "" && (len(e.Fields) != 1 || e.Fields[0].Path != c.field) {
				t.Errorf("got %+v", e.Fields)
			}
			if name == "module" && (e.Details["version"] != "7" || e.RetryAfter != 3*time.Second) {
				t.Errorf("got %+v", e)
			}
		})
	}
	if _, err := rpc.NewCaller().Invoke(ana, create, nil, nil); err == nil {
		t.Error("an unbound caller called")
	}
	expired := auth.WithActor(t.Context(), auth.Actor{UserID: "ana", ExpiresAt: time.Now().Add(-time.Hour)})
	if _, err := b.caller.Invoke(expired, create, []byte(`{"title":"t"}`), nil); errs.CodeOf(err) != errs.Unauthenticated {
		t.Errorf("got %v", err)
	}
}

func TestAPanicInACallInProcessIsAnErrorOfThatCall(t *testing.T) {
	b := setup(t)
	for name, value := range map[string]any{"a defect": "a defect", "net/http's own": http.ErrAbortHandler} {
		b.goals.act = func(context.Context) { panic(value) }
		ctx := auth.WithActor(t.Context(), auth.Actor{UserID: "ana"})
		if answer, err := b.caller.Invoke(ctx, create, []byte(`{"title":"t"}`), nil); err == nil {
			t.Errorf("%s: %s", name, answer)
		}
		b.goals.act = nil
		if _, err := b.caller.Invoke(ctx, create, []byte(`{"title":"t"}`), nil); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}
