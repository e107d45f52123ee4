package agents_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// exercise plans a goal and gives the task of one of its exercises.
func (b *bundle) exercise(actor auth.Actor, course, title, name string) tasks.Task {
	b.Helper()
	goal := b.goal(actor, course, title)
	b.plan(actor, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
	for _, t := range b.tasksOf(goal.ID) {
		if t.Title == name {
			for _, on := range t.DependsOn {
				b.skip(actor, on)
			}
			return t
		}
	}
	b.Fatalf("there is no task %q", name)
	return tasks.Task{}
}

func (b *bundle) skip(actor auth.Actor, id string) {
	b.Helper()
	must(b, actor, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.SkipTx(ctx, tx, id, nil)
	})
}

// submit has files judged and reviewed.
func (b *bundle) submit(actor auth.Actor, taskID string, files ...string) (validation.Snapshot, agents.Feedback) {
	b.Helper()
	s := b.validation.Submit(b.T, actor, taskID, files...)
	b.validation.Drain(b.T)
	eventstest.Settle(b.T, b.log)
	b.agents.Drain(b.T)
	s, err := b.validation.Service.Snapshot(b.Context(), actor, s.ID)
	if err != nil {
		b.Fatal(err)
	}
	f, err := b.agents.Feedback(b.Context(), actor, s.RunID)
	if err != nil {
		b.Fatal(err)
	}
	return s, f
}

// backed proves that each claim rests on the report, the files or the material.
func (b *bundle) backed(actor auth.Actor, s validation.Snapshot, f agents.Feedback) {
	b.Helper()
	run := b.validation.Run(b.T, s.RunID)
	if len(f.Comments) == 0 {
		b.Error("the feedback says nothing")
	}
	for _, c := range f.Comments {
		if c.File == "" && c.Rule == "" && c.TestID == "" && c.Citation == nil {
			b.Errorf("%q rests on nothing", c.Text)
		}
		if c.TestID != "" {
			ok := false
			for _, t := range run.Report.Tests {
				ok = ok || t.ID == c.TestID && t.Status != judging.StatusPass
			}
			if !ok {
				b.Errorf("%q names the test %s", c.Text, c.TestID)
			}
		}
		if c.Rule != "" {
			ok := false
			for _, found := range run.Report.Findings {
				ok = ok || found.Rule == c.Rule
			}
			if !ok {
				b.Errorf("%q names the rule %s", c.Text, c.Rule)
			}
		}
		if c.Citation != nil {
			doc, err := b.rag.Document(b.Context(), actor, c.Citation.DocumentID)
			if err != nil || !strings.Contains(doc.Content, c.Citation.Quote) {
				b.Errorf("%q quotes %q: %v", c.Text, c.Citation.Quote, err)
			}
		}
	}
}

const wrongCountdown = `def countdown(start):
    text = ""
    for n in range(start, 0):
        text += f"{n}, "
    return text + "Liftoff"
`

func solution(t *testing.T, course, slug string) (files []string) {
	t.Helper()
	c, err := courses.Find(course)
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.Exercise(slug)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range x.Solution {
		files = append(files, name, content)
	}
	return files
}

func TestAVerdictIsExplainedWithEvidenceForEachClaim(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	s, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	run := b.validation.Run(t, s.RunID)
	if run.Verdict != judging.VerdictFailed {
		t.Fatalf("the verdict is %s", run.Verdict)
	}
	b.backed(ada, s, f)
	if f.Label != agents.BuiltInReviewer || f.Locale != "en" || f.SnapshotNumber != 1 || !strings.Contains(f.Text, agents.BuiltInReviewer) {
		t.Errorf("labelled %q in %q for snapshot %d", f.Label, f.Locale, f.SnapshotNumber)
	}
	if strings.Contains(f.Text, "range(start, 0, -1)") {
		t.Error("it shows the solution")
	}
	addressed := 0
	for _, c := range f.Comments {
		if c.TestID != "" {
			addressed++
		}
	}
	if addressed == 0 {
		t.Errorf("no failing test is addressed: %s", f.Text)
	}
	if got, _ := b.tasks.Get(t.Context(), ada, task.ID); got.Feedback != f.Text || got.Status != tasks.StatusFailed {
		t.Errorf("the task is %s with the feedback %q", got.Status, got.Feedback)
	}
	if diff := cmp.Diff([]string{"feedback.generated"}, b.types(agents.StreamFeedback, f.ID)); diff != "" {
		t.Error(diff)
	}

	s, f = b.submit(ada, task.ID, solution(t, english, "countdown")...)
	if got, _ := b.tasks.Get(t.Context(), ada, task.ID); got.Status != tasks.StatusCompleted || got.Feedback != f.Text {
		t.Errorf("the task is %s with the feedback %q", got.Status, got.Feedback)
	}
	b.backed(ada, s, f)
	s, f = b.submitBroken(task)
	b.backed(ada, s, f)
	eventstest.Verify(t, b.log)
}

// submitBroken hands in what does not parse.
func (b *bundle) submitBroken(task tasks.Task) (validation.Snapshot, agents.Feedback) {
	b.Helper()
	must(b, ada, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.ReopenTx(ctx, tx, task.ID, nil)
	})
	s, f := b.submit(ada, task.ID, "countdown.py", "def countdown(start)\n    return 1\n")
	for _, c := range f.Comments {
		if c.File == "countdown.py" && c.StartLine == 1 && c.Rule != "" {
			return s, f
		}
	}
	b.Errorf("no comment at the line that does not parse: %+v", f.Comments)
	return s, f
}

func TestASpanishTaskIsExplainedInSpanish(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(eva, spanish, "Entender los bucles", "Tabla de multiplicar")
	s, f := b.submit(eva, task.ID, "tabla.py", "def linea(n, hasta):\n    return ''\n\n\ndef tabla(n, hasta=10):\n    return ''\n")
	b.backed(eva, s, f)
	if f.Locale != "es" || !strings.Contains(f.Text, "prueba") {
		t.Errorf("in %q: %s", f.Locale, f.Text)
	}
}

func TestALateReviewNeverCoversThatOfANewerSnapshot(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	first := b.validation.Submit(t, ada, task.ID, "countdown.py", wrongCountdown)
	b.validation.Drain(t)
	eventstest.Settle(t, b.log) // reviewed later
	second := b.validation.Submit(t, ada, task.ID, "countdown.py", "def countdown(start):\n    return 'Liftoff!'\n")
	b.validation.Drain(t)
	eventstest.Settle(t, b.log)
	b.agents.Drain(t)
	old, err := b.agents.Feedback(t.Context(), ada, runOf(b, first))
	if err != nil {
		t.Fatal(err)
	}
	newer, err := b.agents.Feedback(t.Context(), ada, runOf(b, second))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := b.tasks.Get(t.Context(), ada, task.ID); got.Feedback != newer.Text || newer.Text == old.Text {
		t.Errorf("the task shows the feedback on snapshot %d:\n%s", old.SnapshotNumber, got.Feedback)
	}
}

func runOf(b *bundle, s validation.Snapshot) string {
	b.Helper()
	s, err := b.validation.Service.Snapshot(b.Context(), system, s.ID)
	if err != nil {
		b.Fatal(err)
	}
	return s.RunID
}

func TestHintsClimbALadderAndNeverShowTheSolution(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Longest streak")
	b.submit(ada, task.ID, "streak.py", "def longest_streak(diary):\n    return 0\n")
	secret := strings.Join(append(solution(t, english, "longest-streak"), fileContents(b, task.ID)...), "\n")
	for want := 1; want <= 5; want++ {
		h := b.hint(ada, task.ID)
		if h.Level != min(want, 4) || h.Label != agents.BuiltInTutor || h.LookedAt[0] != "task" || !strings.HasPrefix(strings.Join(h.LookedAt, " "), "task code 1 run ") {
			t.Errorf("hint %d: level %d, %q, looked at %v", want, h.Level, h.Label, h.LookedAt)
		}
		if want > 1 && len(h.Citations) == 0 {
			t.Errorf("hint %d cites nothing: %s", want, h.Text)
		}
		if strings.Contains(h.Text, "def longest_streak") || copies(h.Text, secret) > 1 {
			t.Errorf("hint %d gives too much away: %s", want, h.Text)
		}
		for _, c := range h.Citations {
			doc, err := b.rag.Document(t.Context(), ada, c.DocumentID)
			if err != nil || !strings.Contains(doc.Content, c.Quote) || strings.HasPrefix(c.Path, "exercises/") && strings.Contains(c.Path, "solution") {
				t.Errorf("hint %d quotes %q of %s: %v", want, c.Quote, c.Path, err)
			}
		}
		if want == 4 && !strings.Contains(h.Text, "```python") {
			t.Errorf("the fourth hint has no example: %s", h.Text)
		}
	}
	if _, err := b.agents.PrepareHint(t.Context(), bob, agents.HintRequest{TaskID: task.ID}); !tasks.ErrNotFound.Is(err) {
		t.Errorf("another's task: %v", err)
	}
	if _, err := b.agents.PrepareHint(t.Context(), tess, agents.HintRequest{TaskID: task.ID}); err == nil {
		t.Error("a teacher climbed the learner's ladder")
	}
}

func (b *bundle) hint(actor auth.Actor, taskID string) agents.Hint {
	b.Helper()
	h, err := b.agents.PrepareHint(b.Context(), actor, agents.HintRequest{TaskID: taskID})
	if err != nil {
		b.Fatal(err)
	}
	return must(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.Hint, error) { return b.agents.HintTx(ctx, tx, h) })
}

func fileContents(b *bundle, taskID string) (list []string) {
	b.Helper()
	task, err := b.tasks.Get(b.Context(), system, taskID)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range task.Validation.Files() {
		list = append(list, f.Content)
	}
	return list
}

func copies(text, code string) (n int) {
	for _, l := range strings.Split(text, "\n") {
		if l = strings.TrimSpace(l); len(l) > 8 && strings.Contains(code, l) {
			n++
		}
	}
	return n
}

func TestADeletedGoalTakesItsRunsFeedbackAndHintsAlong(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	s, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	b.hint(ada, task.ID)
	waiting := b.plan(ada, agents.PlanRequest{GoalID: task.GoalID})
	must(b, ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return goals.Goal{}, b.goals.DeleteTx(ctx, tx, task.GoalID, nil)
	})
	for _, id := range []string{waiting.ID, f.AgentRunID} {
		if _, err := b.agents.Get(t.Context(), ada, id); !agents.ErrRunNotFound.Is(err) {
			t.Errorf("run %s: %v", id, err)
		}
	}
	if _, err := b.agents.Feedback(t.Context(), ada, s.RunID); !agents.ErrFeedbackNotFound.Is(err) {
		t.Errorf("feedback: %v", err)
	}
	var left int
	if err := b.db.As(system).QueryRow(t.Context(), leftovers, postgres.Args{}).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
	// A verdict that is read after its task is gone starts nothing.
	eventstest.Settle(t, b.log)
	if n := b.agents.Drain(t); n != 0 {
		t.Errorf("%d nodes ran", n)
	}
	eventstest.Verify(t, b.log)
}

var leftovers = postgres.SQL("test.agents_leftovers", `
	SELECT (SELECT count(*) FROM agents.runs) + (SELECT count(*) FROM agents.checkpoints) + (SELECT count(*) FROM agents.queue)
	     + (SELECT count(*) FROM agents.effects) + (SELECT count(*) FROM agents.feedback) + (SELECT count(*) FROM agents.hints)`)
