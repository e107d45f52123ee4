package agents_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1/agentsv1connect"
)

const secret = "a shared secret of the academy, long enough"

// client is the generated client of a running server, signed in; key is sent as
// Idempotency-Key when it is set.
func (b *bundle) client(user, course, key string) agentsv1connect.AgentsServiceClient {
	b.Helper()
	verifier, err := auth.NewHS256(secret)
	if err != nil {
		b.Fatal(err)
	}
	server, err := corerpc.NewServer(corerpc.Config{MaxBody: 1 << 20, Logger: slog.New(slog.DiscardHandler)}, corerpc.Deps{
		Verifier: verifier, Caller: corerpc.NewCaller(), Services: []corerpc.Service{b.agents.RPC()},
	})
	if err != nil {
		b.Fatal(err)
	}
	web := httptest.NewUnstartedServer(nil)
	web.Config = server.HTTP("")
	web.Start()
	b.Cleanup(web.Close)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"user_id": user, "roles": []string{"student"}, "course_ids": []string{course}, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		b.Fatal(err)
	}
	sign := connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			r.Header().Set("Authorization", "Bearer "+token)
			if key != "" {
				r.Header().Set(corerpc.KeyHeader, key)
			}
			return next(ctx, r)
		}
	})
	return agentsv1connect.NewAgentsServiceClient(http.DefaultClient, web.URL, connect.WithInterceptors(sign))
}

func TestAPlanIsMadeOverTheAPI(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	goal := b.goal(ada, english, "Understand loops")
	client, ctx := b.client("ada", english, ""), t.Context()
	once := b.client("ada", english, "key-1")
	run, err := once.PlanGoal(ctx, &agentsv1.PlanGoalRequest{GoalId: goal.ID})
	if err != nil || run.GetStatus() != agentsv1.AgentRunStatus_AGENT_RUN_STATUS_QUEUED {
		t.Fatalf("got %v, %v", run, err)
	}
	if again, err := once.PlanGoal(ctx, &agentsv1.PlanGoalRequest{GoalId: goal.ID}); err != nil || again.GetId() != run.GetId() {
		t.Errorf("the same call again: %v, %v", again.GetId(), err)
	}
	if _, err := client.PlanGoal(ctx, &agentsv1.PlanGoalRequest{GoalId: goal.ID}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("a second plan: %v", err)
	}
	b.agents.Drain(t)
	run, err = client.GetAgentRun(ctx, &agentsv1.GetAgentRunRequest{Id: run.GetId()})
	if err != nil || run.GetWaitingFor() != "approval" || run.GetLabel() != agents.BuiltInPlanner || run.GetMermaid() == "" || len(run.GetSteps()) < 10 {
		t.Fatalf("got %v, %v", run, err)
	}
	shown := 0
	for _, p := range run.GetPlan().GetTasks() {
		for _, f := range p.GetValidation().GetTests() {
			shown++
			if f.GetContent() != "" || f.GetDigest() != "" || !f.GetHidden() {
				t.Errorf("the test %s shows", f.GetPath())
			}
		}
	}
	if shown == 0 {
		t.Error("no planned task has tests")
	}
	if run, err = client.ApprovePlan(ctx, &agentsv1.ApprovePlanRequest{RunId: run.GetId()}); err != nil {
		t.Fatal(err)
	}
	b.agents.Drain(t)
	list, err := client.ListAgentRuns(ctx, &agentsv1.ListAgentRunsRequest{GoalId: goal.ID})
	if err != nil || len(list.GetRuns()) != 1 || list.GetRuns()[0].GetStatus() != agentsv1.AgentRunStatus_AGENT_RUN_STATUS_DONE {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := b.client("bob", english, "").GetAgentRun(ctx, &agentsv1.GetAgentRunRequest{Id: run.GetId()}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("another's run: %v", err)
	}
	for _, task := range b.tasksOf(goal.ID) {
		if task.Title != "Countdown" {
			continue
		}
		hint, err := client.RequestHint(ctx, &agentsv1.RequestHintRequest{TaskId: task.ID, Locale: "es"})
		if err != nil || hint.GetLevel() != 1 || hint.GetLabel() != agents.BuiltInTutor || hint.GetText()[:5] != "Antes" {
			t.Errorf("got %v, %v", hint, err)
		}
		twice := b.client("ada", english, "hint-1")
		first, err := twice.RequestHint(ctx, &agentsv1.RequestHintRequest{TaskId: task.ID})
		if err != nil {
			t.Fatal(err)
		}
		if second, err := twice.RequestHint(ctx, &agentsv1.RequestHintRequest{TaskId: task.ID}); err != nil || second.GetId() != first.GetId() {
			t.Errorf("the same call climbed: %v, %v", second, err)
		}
		for _, on := range task.DependsOn {
			b.skip(ada, on)
		}
		s, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
		got, err := client.GetFeedback(ctx, &agentsv1.GetFeedbackRequest{ValidationRunId: s.RunID})
		if err != nil || got.GetId() != f.ID || len(got.GetComments()) != len(f.Comments) || got.GetLocale() != "en" {
			t.Errorf("got %v, %v", got, err)
		}
		if got, err = client.DisputeFeedback(ctx, &agentsv1.DisputeFeedbackRequest{Id: f.ID, Reason: "It works for me."}); err != nil || got.GetDispute() != "open" {
			t.Errorf("got %v, %v", got, err)
		}
		b.agents.Drain(t)
		if got, err = client.GetFeedback(ctx, &agentsv1.GetFeedbackRequest{ValidationRunId: s.RunID}); err != nil || got.GetDispute() != "upheld" {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestRunsArePagedNewestFirst(t *testing.T) {
	b := setup(t, nil)
	for range 3 {
		goal := b.goal(ada, english, "Learn FastAPI")
		b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	}
	client := b.client("ada", english, "")
	var ids []string
	token := ""
	for range 3 {
		page, err := client.ListAgentRuns(t.Context(), &agentsv1.ListAgentRunsRequest{PageSize: 1, PageToken: token})
		if err != nil || len(page.GetRuns()) != 1 {
			t.Fatalf("got %v, %v", page, err)
		}
		ids, token = append(ids, page.GetRuns()[0].GetId()), page.GetNextPageToken()
	}
	if token != "" || ids[0] <= ids[1] || ids[1] <= ids[2] {
		t.Errorf("got %v, then %q", ids, token)
	}
	if _, err := client.ListAgentRuns(t.Context(), &agentsv1.ListAgentRunsRequest{PageToken: "x"}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("got %v", err)
	}
}
