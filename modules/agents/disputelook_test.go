package agents_test

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// second is a finding of a second look.
func second(says, field string, value any) object {
	f := object{
		"claim": "C1", "says": says, "text_en": "The loop never runs for such numbers.", "text_es": "El bucle no da ninguna vuelta con esos números.",
		"file": "", "start_line": 0, "end_line": 0, "rule": "", "test": "", "passage": "", "quote": "",
	}
	if f[field] = value; field == "file" {
		f["start_line"], f["end_line"] = 3, 3
	}
	return f
}

func verdict(outcome string, findings ...object) object {
	if findings == nil {
		findings = []object{}
	}
	return object{"outcome": outcome, "findings": findings}
}

func TestASecondLookChangesNothingWithoutEvidence(t *testing.T) {
	var looks []*script.Request
	var next object
	b := setup(t, provider(t, func(r *script.Request) script.Turn {
		switch {
		case strings.Contains(r.Messages[0].Text, "You take a second look"):
			looks = append(looks, r)
			return say(next)
		case strings.Contains(r.Messages[0].Text, "You are a tutor"):
			return script.Turn{Text: []string{"Which numbers does your `range` hold? Write them down."}}
		}
		return script.Turn{Status: 400, Message: "not now"}
	}, nil))
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	_, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	madeUp := second("contradicts", "passage", "P1")
	madeUp["quote"] = "words that the course never says"
	beyond := second("contradicts", "file", "countdown.py")
	beyond["start_line"], beyond["end_line"] = 300, 301
	tells := second("contradicts", "file", "countdown.py")
	tells["text_es"] = "Escribe `for n in range(start, 0, -1):`"
	for _, c := range []struct {
		name  string
		looks object
		want  agents.Dispute
		by    string
		code  string
	}{
		{"a doubt without findings", verdict("wrong"), agents.DisputeUnclear, agents.SettledByRules, agents.WhyNothing},
		{"a quote that nobody wrote, lines that are not there, a test made up, the solution",
			verdict("wrong", madeUp, beyond, second("contradicts", "test", "T99"), tells), agents.DisputeUnclear, agents.SettledByRules, agents.WhyNothing},
		{"support without evidence", verdict("holds", second("supports", "passage", "P99")), agents.DisputeUnclear, agents.SettledByRules, agents.WhyNothing},
		{"no outcome that is known", object{"outcome": "fine", "findings": []object{}}, agents.DisputeUnclear, agents.SettledByRules, agents.WhyNothing},
		{"support by a line", verdict("holds", second("supports", "file", "countdown.py")), agents.DisputeUpheld, agents.SettledByModel, agents.WhyHolds},
		{"a contradiction by a line", verdict("wrong", second("contradicts", "file", "countdown.py")), agents.DisputeWithdrawn, agents.SettledByModel, agents.WhyLines},
	} {
		_, said := b.ask(ada, task.ID, "Why?")
		next, looks = c.looks, nil
		d := b.dispute(ada, agents.OutputMessage, said.RunID, "")
		if d.Status != c.want || d.SettledBy != c.by || codes(d)[0] != c.code {
			t.Errorf("%s: %s by %s: %+v", c.name, d.Status, d.SettledBy, d.Reasons)
		}
		if run := b.run(ada, d.RunID); len(looks) == 0 || run.Cost.ModelCalls != 1 {
			t.Errorf("%s: %d calls, cost %+v", c.name, len(looks), run.Cost)
		}
	}
	if prompt := looks[0].Messages[1].Text; !strings.Contains(prompt, "range(start, 0)") || strings.Contains(prompt, "range(start, 0, -1)") ||
		strings.Count(prompt, "</objection>") != 1 || !strings.Contains(prompt, "<objection>\nThis is wrong\n") || strings.Contains(prompt, "gpt-4o") {
		t.Errorf("the model sees %q", prompt)
	}
	// What rules read off the report a model does not overrule: a teacher decides.
	next, looks = verdict("wrong", second("contradicts", "file", "countdown.py")), nil
	if d := b.dispute(ada, agents.OutputFeedback, f.ID, "1"); d.Status != agents.DisputeUnclear || len(looks) != 1 {
		t.Errorf("the rules' comment is %s by %s: %+v", d.Status, d.SettledBy, d.Reasons)
	}
	// What does not hold by the rules takes no second look.
	looks = nil
	b.spoil(`UPDATE agents.feedback SET comments = replace(comments::text, '"test_id":"', '"test_id":"x')::json WHERE id = $1`, f.ID)
	if d := b.dispute(ada, agents.OutputFeedback, f.ID, "1"); d.Status != agents.DisputeWithdrawn || d.SettledBy != agents.SettledByRules || len(looks) != 0 {
		t.Errorf("the comment is %s by %s after %d looks: %+v", d.Status, d.SettledBy, len(looks), d.Reasons)
	}
}
