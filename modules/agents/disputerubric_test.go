package agents_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/cases"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

func TestWhatIsSaidOfACriterionIsDisputedAndWithdrawnByItself(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	_, s, f := b.handIn(diary)
	if _, err := b.file(ada, agents.OutputFeedback, f.ID, "C99"); err == nil {
		t.Error("there is no criterion C99")
	}
	d := b.dispute(ada, agents.OutputFeedback, f.ID, "C1")
	if d.Status != agents.DisputeUnclear || !strings.Contains(d.Reasons[0].Text.EN, "only a reader can tell") || len(d.Said.Criteria) != 6 {
		t.Fatalf("rules can tell: %+v", d)
	}
	if _, err := b.settle(tess, d.ID, agents.Settlement{Outcome: agents.DisputeWithdrawn, Why: agents.WhyWrong, Note: "The word is in a quotation."}); err != nil {
		t.Fatal(err)
	}
	eventstest.Settle(t, b.log)
	read := func() *agentsv1.Feedback {
		t.Helper()
		got, err := b.client("ada", english, "").GetFeedback(t.Context(), &agentsv1.GetFeedbackRequest{ValidationRunId: s.RunID})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := read()
	first, second := got.GetRubric().GetCriteria()[0], got.GetRubric().GetCriteria()[1]
	if got.GetDispute() != string(agents.DisputeCorrected) || first.GetState() != agentsv1.CriterionState_CRITERION_STATE_CANNOT_TELL ||
		len(first.GetEvidence()) != 0 || !strings.Contains(first.GetNote(), "withdrawn after a dispute") || second.GetState() != agentsv1.CriterionState_CRITERION_STATE_NOT_SHOWN {
		t.Errorf("got %q, %v, %v", got.GetDispute(), first, second)
	}
	if shown, _ := b.tasks.Get(t.Context(), ada, f.TaskID); !strings.Contains(shown.Feedback, "These comments don't hold: C1.") {
		t.Errorf("the task shows %q", shown.Feedback)
	}
	// The last word counts.
	if _, err := b.settle(tess, d.ID, agents.Settlement{Outcome: agents.DisputeUpheld, Note: "On second thoughts it does."}); err != nil {
		t.Fatal(err)
	}
	if got := read(); got.GetRubric().GetCriteria()[0].GetState() != agentsv1.CriterionState_CRITERION_STATE_MET {
		t.Errorf("got %v", got.GetRubric().GetCriteria()[0])
	}
	eventstest.Verify(t, b.log)
	// It is a case from now on: the same is said again, and had it been withdrawn,
	// it must not be.
	dir := t.TempDir()
	if got := b.export(dir); got.Reviews != 1 {
		t.Fatalf("exported %+v", got)
	}
	t.Setenv(disputedFolder, dir)
	list := append(disputed(t, cases.Review), disputed(t, cases.Review)...)
	if len(list[0].Claims) != 1 || list[0].Claims[0].Criterion != "It names `range`" || list[0].Task.Type != diary.Type {
		t.Fatalf("got %+v", list[0])
	}
	list[1].ID, list[1].Claims = "withdrawn", slices.Clone(list[1].Claims)
	list[1].Claims[0].Holds = false
	if ran, problems := evalDisputedReviews(t, nil, list); ran != 2 || len(problems) != 1 || !strings.HasPrefix(problems[0], "case withdrawn: ") {
		t.Errorf("%d reviews: %q", ran, problems)
	}
}

func TestWhatIsSaidOfACriterionByAQuoteThatItsLinesDoNotHoldIsFoundByRules(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	_, _, f := b.handIn(diary)
	// As a model says it: with a quotation that the lines do not hold.
	if _, err := b.db.SystemPool().Exec(t.Context(), `UPDATE agents.feedback SET rubric = replace(rubric::text, 'I used', 'I never used')::json WHERE id = $1`, f.ID); err != nil {
		t.Fatal(err)
	}
	d := b.dispute(ada, agents.OutputFeedback, f.ID, "")
	if d.Status != agents.DisputeCorrected || d.Reasons[0].Part != "C1" || d.Reasons[0].Code != agents.WhyLines || !strings.HasPrefix(d.Reasons[0].Text.ES, "Criterio C1: ") {
		t.Errorf("got %s, %+v", d.Status, d.Reasons)
	}
}
