package reviewer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

func TestATasksOwnCriteriaAreThoseThatItCallsSo(t *testing.T) {
	for description, want := range map[string][]string{
		"Do it.\n\n## Criteria\n\n1. First\n2. Second\n\n## Hints\n- None":       {"First", "Second"},
		"**Criterios de aceptación:**\n- [ ] Uno\n- [x] Dos\n":                   {"Uno", "Dos"},
		"It is done when:\n* One\n\nSome prose.\n\n* Not this":                   {"One"},
		"What to do:\n- Read\n- Write":                                           nil,
		"Criteria matter in this text, as\n- this list, which is not under them": nil,
		"": nil,
	} {
		got := asksFor(tasks.Task{Details: tasks.Details{Description: description}})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", description, diff)
		}
	}
	got := asksFor(tasks.Task{Details: tasks.Details{Metadata: goals.Metadata(`{"validation_criteria":["A","B"]}`)}})
	if diff := cmp.Diff([]string{"A", "B"}, got); diff != "" {
		t.Error(diff)
	}
	if got := asksFor(tasks.Task{Details: tasks.Details{Metadata: goals.Metadata(`{"validation_criteria":"A"}`)}}); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestThereIsARubricWhereNoTestDecides(t *testing.T) {
	tests := &tasks.Validation{Tests: []tasks.File{tasks.NewFile("test_x.py", "x", true)}}
	for _, c := range []struct {
		kind    tasks.Type
		tests   *tasks.Validation
		verdict judging.Verdict
		proves  bool
	}{
		{tasks.TypeCode, tests, judging.VerdictPassed, true},
		{tasks.TypeCode, tests, judging.VerdictUnproven, false},
		{tasks.TypeCode, nil, judging.VerdictUnproven, false},
		{tasks.TypeCode, nil, judging.VerdictInvalid, true},
		{tasks.TypeTesting, nil, judging.VerdictTimedOut, true},
		{tasks.TypeResearch, nil, judging.VerdictInvalid, false},
		{tasks.TypeDeployment, tests, judging.VerdictFailed, false},
	} {
		if got := proves(tasks.Task{Details: tasks.Details{Type: c.kind, Validation: c.tests}}, c.verdict); got != c.proves {
			t.Errorf("%s, tests %v, %s: %v", c.kind, c.tests != nil, c.verdict, got)
		}
	}
}

func caseOf(files ...validation.File) *Case {
	return &Case{Base: evidence.Base{Files: files}, Locale: "en"}
}

func TestAClaimStandsWithItsEvidenceOnly(t *testing.T) {
	c := caseOf(validation.File{Path: "notes.md", Content: "One line.\nAnother  line."})
	at := func(start, end int, quote string) []agents.Evidence {
		return []agents.Evidence{{File: "notes.md", StartLine: start, EndLine: end, Quote: quote}}
	}
	for name, k := range map[string]struct {
		agents.Criterion
		holds bool
	}{
		"lines":                   {agents.Criterion{State: agents.Met, Note: "It is there.", Evidence: at(2, 2, "Another line.")}, true},
		"other lines":             {agents.Criterion{State: agents.Met, Note: "It is there.", Evidence: at(1, 1, "Another line.")}, false},
		"lines without a quote":   {agents.Criterion{State: agents.Met, Note: "It is there.", Evidence: at(2, 2, "")}, false},
		"lines beyond the file":   {agents.Criterion{State: agents.PartlyMet, Note: "It is there.", Evidence: at(2, 3, "line")}, false},
		"lines looked through":    {agents.Criterion{State: agents.NotShown, Note: "It is not there.", Evidence: at(1, 2, "")}, true},
		"nothing":                 {agents.Criterion{State: agents.NotShown, Note: "It is not there."}, false},
		"another file":            {agents.Criterion{State: agents.Met, Note: "It is there.", Evidence: []agents.Evidence{{File: "x", StartLine: 1, EndLine: 1, Quote: "x"}}}, false},
		"a verdict":               {agents.Criterion{State: agents.Met, Note: "Your task is done.", Evidence: at(2, 2, "line")}, false},
		"a verdict in Spanish":    {agents.Criterion{State: agents.Met, Note: "La tarea está terminada.", Evidence: at(2, 2, "line")}, false},
		"a grade":                 {agents.Criterion{State: agents.Met, Note: "Grade: A", Evidence: at(2, 2, "line")}, false},
		"a state of its own":      {agents.Criterion{State: "excellent", Note: "Fine.", Evidence: at(2, 2, "line")}, false},
		"nothing to tell":         {agents.Criterion{State: agents.CannotTell, Note: "It can't be seen here."}, true},
		"a verdict, telling none": {agents.Criterion{State: agents.CannotTell, Note: "Your solution has passed."}, false},
	} {
		held, _ := c.HoldRubric([]agents.Criterion{k.Criterion})
		if got := held[0].State == k.State && held[0].Note == k.Note; got != k.holds {
			t.Errorf("%s: %+v", name, held[0])
		}
		if held[0].State == agents.CannotTell && len(held[0].Evidence) > 0 {
			t.Errorf("%s keeps its evidence: %+v", name, held[0])
		}
	}
}

func TestTheRulesSayInWhichWordsTheyLooked(t *testing.T) {
	c := caseOf(validation.File{Path: "notes.md", Content: "# Loops\n\nA while loop repeats until its condition changes.\n\nIt uses rangefinder.\n"})
	for text, want := range map[string]struct {
		state agents.State
		note  string
	}{
		"Explains how loops repeat with a condition": {agents.Met, "loops, repeat, condition"},
		"Names `range`":                          {agents.NotShown, "range"},
		"Hands in notes.md":                      {agents.Met, "notes.md"},
		"Compares loops with recursion in depth": {agents.PartlyMet, "recursion"},
		"Of the":                                 {agents.CannotTell, "no words"},
	} {
		got := c.assess([]agents.Criterion{{ID: "C1", Text: text}})[0]
		if got.State != want.state || !strings.Contains(got.Note, want.note) {
			t.Errorf("%q: %s, %q", text, got.State, got.Note)
		}
	}
	if got := caseOf().assess([]agents.Criterion{{ID: "C1", Text: "Names `range`"}}); got[0].State == agents.Met {
		t.Errorf("of nothing: %+v", got)
	}
}
