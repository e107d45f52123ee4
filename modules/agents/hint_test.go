package agents_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// climb asks for the next rung and has it written, as the API does.
func (b *bundle) climb(actor auth.Actor, taskID, question string) agents.Hint {
	b.Helper()
	prepared, err := b.agents.PrepareHint(b.Context(), actor, agents.HintRequest{TaskID: taskID, Question: question})
	if err != nil {
		b.Fatal(err)
	}
	h := must(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.Hint, error) {
		return b.agents.HintTx(ctx, tx, prepared)
	})
	if h.Text != "" {
		return h
	}
	b.agents.Drain(b.T)
	if h, err = b.agents.AwaitHint(b.Context(), actor, h.ID, prepared); err != nil {
		b.Fatal(err)
	}
	return h
}

// tutoring is a provider that answers prompts for hints, and nothing else.
func tutoring(t *testing.T, answer func(r *script.Request) string) (*bundle, tasks.Task) {
	t.Helper()
	b := setup(t, provider(t, func(r *script.Request) script.Turn {
		if !strings.Contains(r.Messages[0].Text, "You are a tutor who gives hints") {
			return script.Turn{Status: 500, Message: "not now"}
		}
		return script.Turn{Text: strings.SplitAfter(answer(r), " ")}
	}, nil))
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	return b, task
}

func TestAModelWritesEachRungAndNoMore(t *testing.T) {
	rungs := []string{
		"What does `range(start, 0)` hold when start is 3?\n\nTry it on paper first: which numbers do you want?",
		"A loop runs once for each value that it is given [P1].\n\nWhat it is given decides everything.",
		"Compare [countdown.py:3] with what [T1] asks for.",
		"Here is something like it, with days:\n\n```python\nfor day in range(2, 11, 4):\n    print(day)\n```\n\nWhat corresponds to what?",
	}
	var asked []*script.Request
	b, task := tutoring(t, func(r *script.Request) string {
		asked = append(asked, r)
		return rungs[len(asked)-1]
	})
	for i := range rungs {
		h := b.climb(ada, task.ID, "I am stuck")
		if h.Level != i+1 || h.Label != "llm-openai gpt-4o-mini" || strings.Contains(h.Text, "[P") || strings.Contains(h.Text, "[T") {
			t.Errorf("rung %d: %+v", i+1, h)
		}
		if looked := strings.Join(h.LookedAt, " "); !strings.HasPrefix(looked, "task code 1 run ") || !strings.HasSuffix(looked, " course") {
			t.Errorf("rung %d looked at %q", i+1, looked)
		}
		if got := b.types(agents.StreamHint, h.ID); !slices.Equal(got, []string{"hint.given"}) {
			t.Errorf("rung %d: %v", i+1, got)
		}
		run := b.run(ada, h.ID)
		if run.Graph != agents.GraphHint || run.Status != agents.StatusDone || run.Cost.ModelCalls != 1 || run.Label != h.Label {
			t.Errorf("the run is %+v", run)
		}
		switch i {
		case 1:
			if len(h.Citations) != 1 {
				t.Errorf("the concept cites %v", h.Citations)
			}
		case 2:
			if !strings.Contains(h.Text, "`countdown.py`, line 3") || !strings.Contains(h.Text, "**") {
				t.Errorf("the pointer is %q", h.Text)
			}
		}
	}
	for i, r := range asked {
		system, shown := r.Messages[0].Text, r.Messages[1].Text
		if !strings.Contains(system, []string{"A QUESTION", "THE CONCEPT", "A POINTER", "A WORKED EXAMPLE"}[i]) {
			t.Errorf("rung %d is told %q", i+1, system)
		}
		for _, part := range []string{"<task>", "<code>\nFile countdown.py:\n   1 def countdown", "<report>\n[T1]", "<material>\n[P1]", "The learner asks: I am stuck"} {
			if !strings.Contains(shown, part) {
				t.Errorf("rung %d does not see %q: %s", i+1, part, shown)
			}
		}
		if strings.Contains(shown, "range(start, 0, -1)") || strings.Contains(shown, "assertEqual") {
			t.Errorf("rung %d sees the solution or the tests: %s", i+1, shown)
		}
		if i > 0 && !strings.Contains(shown, "Rung 1: What does") {
			t.Errorf("rung %d does not know what was said: %s", i+1, shown)
		}
	}
	shown := ""
	for _, m := range b.agents.Pushes("ada") {
		var p struct {
			Text  string `json:"text"`
			Graph string `json:"graph"`
		}
		if m.Type == agents.PushToken && json.Unmarshal(m.Payload, &p) == nil && p.Graph == agents.GraphHint {
			shown += p.Text
		}
	}
	if !strings.Contains(shown, "What does `range(start, 0)` hold") {
		t.Errorf("nothing was shown on the way: %q", shown)
	}
	eventstest.Verify(t, b.log)
}

func TestAHintThatSaysTooMuchIsMendedTwiceAndThenTheRulesGiveOne(t *testing.T) {
	var answers []string
	var asked []*script.Request
	b, task := tutoring(t, func(r *script.Request) string {
		asked = append(asked, r)
		said := answers[0]
		answers = answers[1:]
		return said
	})
	answers = []string{leak, "Look at line 3: what is wrong there?", "Which numbers does the loop go through?"}
	h := b.climb(ada, task.ID, "")
	if h.Label != "llm-openai gpt-4o-mini" || h.Text != "Which numbers does the loop go through?" || b.run(ada, h.ID).Cost.ModelCalls != 3 {
		t.Errorf("got %+v", h)
	}
	if last := asked[2].LastUserText(); !strings.Contains(last, "points at a line") {
		t.Errorf("it was not told why: %q", last)
	}
	// A concept without a passage, one that nobody was shown, and the solution.
	answers = []string{"A loop repeats.", "A loop repeats [P77].", leak, "never asked for"}
	h = b.climb(ada, task.ID, "")
	if h.Level != 2 || h.Label != agents.BuiltInTutor || len(h.Citations) != 1 || len(answers) != 1 {
		t.Errorf("got %+v, %d answers are left", h, len(answers))
	}
	var path []string
	for _, s := range b.run(ada, h.ID).Steps {
		path = append(path, s.Node+" "+s.Outcome)
	}
	if got := strings.Join(path, ", "); !strings.HasSuffix(got, "model by model, check not fit, rules by rules, publish done") {
		t.Errorf("its path was %s", got)
	}
	answers = []string{"Compare [countdown.py:300].", "Look again at [T9].", "Look at it."}
	if h = b.climb(ada, task.ID, ""); h.Level != 3 || h.Label != agents.BuiltInTutor {
		t.Errorf("got %+v", h)
	}
	answers = []string{
		"```python\ndef countdown(start):\n    return start\n```", "```python\nfor day in days\n    print(day)\n```", "Think of something similar.",
	}
	if h = b.climb(ada, task.ID, ""); h.Level != 4 || h.Label != agents.BuiltInTutor || !strings.Contains(h.Text, "```python") {
		t.Errorf("got %+v", h)
	}
	for _, m := range b.agents.Pushes("ada") {
		if strings.Contains(string(m.Payload), "0, -1") || strings.Contains(string(m.Payload), "def countdown") {
			t.Errorf("it was pushed before it was checked: %s", m.Payload)
		}
	}
}

func TestWithoutAnAnswerOfAModelTheRulesGiveTheRung(t *testing.T) {
	var turn script.Turn
	b := setup(t, provider(t, func(*script.Request) script.Turn { return turn }, nil))
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	for name, answer := range map[string]script.Turn{
		"an error": {Status: 400, Message: "not now"}, "a refusal": {Refusal: "I can't help with that."}, "nothing": {Text: []string{" "}},
	} {
		turn = answer
		if h := b.climb(ada, task.ID, ""); h.Label != agents.BuiltInTutor || h.Text == "" {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestTwoWhoAskForOneRungGetTheSameAndPayOnce(t *testing.T) {
	b, task := tutoring(t, func(*script.Request) string { return "Which numbers do you want?" })
	prepared, err := b.agents.PrepareHint(t.Context(), ada, agents.HintRequest{TaskID: task.ID})
	if err != nil {
		t.Fatal(err)
	}
	give := func(ctx context.Context, tx *postgres.Tx) (agents.Hint, error) {
		return b.agents.HintTx(ctx, tx, prepared)
	}
	first, second := must(b, ada, give), must(b, ada, give)
	if first.ID != second.ID || first.Text != "" {
		t.Fatalf("got %+v and %+v", first, second)
	}
	b.agents.Drain(t)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if h, err := b.agents.AwaitHint(t.Context(), ada, first.ID, prepared); err != nil || h.Text != "Which numbers do you want?" {
				t.Errorf("got %+v, %v", h, err)
			}
		})
	}
	both.Wait()
	if h := must(b, ada, give); h.ID != first.ID || b.run(ada, h.ID).Cost.ModelCalls != 1 {
		t.Errorf("got %+v", h)
	}
	if _, err := b.agents.AwaitHint(t.Context(), bob, first.ID, prepared); !tasks.ErrNotFound.Is(err) {
		t.Errorf("another got it: %v", err)
	}
}

func TestWhoWaitsTooLongForAModelGetsTheRulesHint(t *testing.T) {
	b, task := tutoring(t, func(*script.Request) string { return "Too late?" })
	b.agents.Impatient()
	prepared, err := b.agents.PrepareHint(t.Context(), ada, agents.HintRequest{TaskID: task.ID})
	if err != nil {
		t.Fatal(err)
	}
	pending := must(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Hint, error) {
		return b.agents.HintTx(ctx, tx, prepared)
	})
	h, err := b.agents.AwaitHint(t.Context(), ada, pending.ID, prepared)
	if err != nil || h.ID != pending.ID || h.Label != agents.BuiltInTutor || h.Text != prepared.Text {
		t.Fatalf("got %+v, %v", h, err)
	}
	// Nothing of the run comes after it.
	b.agents.Drain(t)
	if run := b.run(ada, h.ID); run.Status != agents.StatusCancelled || run.Cost.ModelCalls != 0 {
		t.Errorf("the run is %s", run.Status)
	}
	if again, err := b.agents.AwaitHint(t.Context(), ada, pending.ID, prepared); err != nil || again.Text != h.Text {
		t.Errorf("got %+v, %v", again, err)
	}
	eventstest.Verify(t, b.log)
}

func TestTheAPIAnswersWithAModelsHintAndRepeatsItForTheSameKey(t *testing.T) {
	calls := 0
	b, task := tutoring(t, func(*script.Request) string { calls++; return "Which numbers do you want?" })
	stop := b.agents.Work(t)
	client := b.client("ada", english, "hint-key")
	first, err := client.RequestHint(t.Context(), &agentsv1.RequestHintRequest{TaskId: task.ID})
	if err != nil || first.GetText() != "Which numbers do you want?" || first.GetLabel() != "llm-openai gpt-4o-mini" {
		t.Fatalf("got %v, %v", first, err)
	}
	second, err := client.RequestHint(t.Context(), &agentsv1.RequestHintRequest{TaskId: task.ID})
	stop()
	if err != nil || second.GetId() != first.GetId() || second.GetText() != first.GetText() || calls != 1 {
		t.Errorf("got %v after %d calls, %v", second, calls, err)
	}
}
