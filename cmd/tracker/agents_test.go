package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/agents"
)

func TestARunIsShownWithItsPathAndWhatItCost(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	cost := agents.Cost{ModelCalls: 2, InputTokens: 300, OutputTokens: 40, Micros: 1234}
	var out bytes.Buffer
	showRun(&out, agents.Run{
		ID: "R1", Graph: agents.GraphPlanner, GraphVersion: 2, Status: agents.StatusWaiting, Node: "approve", WaitingFor: agents.ForApproval,
		Label: "llm-openai gpt-4o", Cost: cost, ForkedFrom: "R0", ForkedStep: 3, Mermaid: "flowchart TD\n",
		Steps: []agents.Step{
			{Number: 1, Node: "tasks", Outcome: "by model", StartedAt: at, FinishedAt: at.Add(1500 * time.Millisecond), Attempts: 2, Cost: cost},
			{Number: 2, Node: "check", Outcome: "sound", StartedAt: at, FinishedAt: at.Add(time.Millisecond), Attempts: 1},
		},
	})
	for _, want := range []string{
		"R1 planner v2: waiting at approve, waiting for approval, llm-openai gpt-4o", "forked from R0 after step 3",
		"2 model calls, 300 tokens in, 40 out, 0.001234 USD", "1     tasks  by model  1.5s  2", "2     check  sound     1ms   1         -", "flowchart TD",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}

func TestDisputesAreListedWithWhatCameOfThem(t *testing.T) {
	var out bytes.Buffer
	showDisputes(&out, agents.DisputePage{Next: "more", Disputes: []agents.DisputeRecord{
		{
			ID: "D1", DisputeRequest: agents.DisputeRequest{Kind: agents.OutputFeedback, Part: "2", Reason: "It\nworks"}, By: "learner",
			Status: agents.DisputeWithdrawn, SettledBy: agents.SettledByTeacher, Said: agents.Said{Label: agents.BuiltInReviewer},
		},
		{ID: "D2", DisputeRequest: agents.DisputeRequest{Kind: agents.OutputHint, Reason: "No"}, By: "teacher", Status: agents.DisputeOpen},
	}})
	for _, want := range []string{
		`D1       feedback  2     learner  withdrawn  teacher     built-in reviewer, no AI model  "It\nworks"`,
		`D2       hint      -     teacher  open       -`, "There are more",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}

type oneLearner struct{ academy.Service }

func (oneLearner) User(_ context.Context, id string) (academy.User, error) {
	switch id {
	case "ada":
		return academy.User{ID: id, FullName: "Ada Lovelace", Email: "ada@school.example"}, nil
	case "gone":
		return academy.User{}, academy.ErrUserNotFound.New(id)
	}
	return academy.User{}, academy.ErrUnreachable.New("down")
}

func TestAnExportStopsWhereNobodyCanSayWhatALearnerIsCalled(t *testing.T) {
	names := namesFrom(oneLearner{})
	if got, err := names(t.Context(), "ada"); err != nil || len(got) != 2 || got[0] != "Ada Lovelace" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := names(t.Context(), "gone"); err != nil || got != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := names(t.Context(), "bob"); err == nil || !strings.Contains(err.Error(), "--without-names") {
		t.Errorf("got %v", err)
	}
}
