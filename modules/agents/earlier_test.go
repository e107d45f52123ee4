package agents_test

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/llm/llmtest"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

func TestWhatIsSaidAgainIsSaidSoAndWhatIsMendedIsCounted(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	_, first := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	_, second := b.submit(ada, task.ID, "countdown.py", "# once more\n"+wrongCountdown)
	failing := 0
	for _, c := range first.Comments {
		if c.Since != 0 {
			t.Errorf("said for the first time: %+v", c)
		}
		if c.TestID != "" {
			failing++
		}
	}
	if failing == 0 || strings.Contains(first.Text, "points fixed") {
		t.Fatalf("the first feedback: %s", first.Text)
	}
	again := 0
	for _, c := range second.Comments {
		if c.TestID != "" && c.Since == 1 && strings.HasPrefix(c.Text, "Since snapshot 1: ") {
			again++
		}
	}
	if again != failing || !strings.Contains(second.Text, "**0 of ") || !strings.Contains(second.Text, "since snapshot 1.") {
		t.Errorf("%d of %d are said again: %s", again, failing, second.Text)
	}
	_, third := b.submit(ada, task.ID, "countdown.py", "# and again\n\n"+wrongCountdown)
	if !strings.Contains(third.Text, "ask for a hint") || third.Comments[0].Since != 1 {
		t.Errorf("the third time: %s", third.Text)
	}
	_, last := b.submit(ada, task.ID, solution(t, english, "countdown")...)
	if !strings.Contains(last.Text, "points fixed** since snapshot 3.") || strings.Contains(last.Text, "**0 of ") {
		t.Errorf("mended: %s", last.Text)
	}
}

func TestWithoutAModelAtHandItsEarlierWordOnTheSameCodeIsSaidAgain(t *testing.T) {
	var stack *llmtest.Stack
	away := false
	b := setup(t, provider(t, func(r *script.Request) script.Turn {
		if away {
			return script.Turn{Status: 500, Message: "away"}
		}
		if !strings.Contains(r.LastUserText(), "<report>") {
			return script.Turn{Status: 500, Message: "no plans today"}
		}
		return say(object{"comments": []object{{
			"text": "Which numbers does this range hold?", "file": "countdown.py", "start_line": 3, "end_line": 4, "rule": "", "test": "T1", "passage": "",
		}}})
	}, &stack))
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	_, first := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	if first.Label != "llm-openai gpt-4o-mini" || len(modelSaid(first)) != 1 {
		t.Fatalf("the model said %+v", first)
	}
	away = true
	_, second := b.submit(ada, task.ID, "countdown.py", "# the same, I think\n\n"+wrongCountdown)
	if second.Label != "llm-openai gpt-4o-mini, snapshot 1" || len(second.Comments) != len(first.Comments) ||
		second.Comments[0].StartLine != 5 || second.Comments[0].EndLine != 6 || second.Comments[0].TestID != first.Comments[0].TestID {
		t.Errorf("got %q: %+v", second.Label, second.Comments)
	}
	_, third := b.submit(ada, task.ID, "countdown.py", strings.Replace(wrongCountdown, "Liftoff", "Go", 1))
	if third.Label != agents.BuiltInReviewer {
		t.Errorf("other code got %q: %+v", third.Label, third.Comments)
	}
}
