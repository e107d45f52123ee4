package agents_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/journey"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
)

// file files a dispute.
func (b *bundle) file(actor auth.Actor, kind agents.OutputKind, id, part string) (agents.DisputeRecord, error) {
	d, err := b.agents.PrepareDispute(b.Context(), actor, agents.DisputeRequest{Kind: kind, OutputID: id, Part: part, Reason: "This is wrong"})
	if err != nil {
		return d, err
	}
	return do(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.DisputeRecord, error) {
		return b.agents.DisputeTx(ctx, tx, d)
	})
}

// dispute files one and has it looked at.
func (b *bundle) dispute(actor auth.Actor, kind agents.OutputKind, id, part string) agents.DisputeRecord {
	b.Helper()
	filed, err := b.file(actor, kind, id, part)
	if err != nil {
		b.Fatal(err)
	}
	if filed.Status == agents.DisputeOpen {
		b.agents.Drain(b.T)
		eventstest.Settle(b.T, b.log)
	}
	d, err := b.agents.Dispute(b.Context(), actor, filed.ID)
	if err != nil {
		b.Fatal(err)
	}
	for _, why := range d.Reasons {
		if why.Code == "" || why.Text.EN == "" || why.Text.ES == "" || why.Text.EN == why.Text.ES {
			b.Errorf("a reason lacks a language: %+v", why)
		}
	}
	return d
}

func (b *bundle) settle(actor auth.Actor, id string, w agents.Settlement) (agents.DisputeRecord, error) {
	d, err := do(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.DisputeRecord, error) {
		return b.agents.SettleTx(ctx, tx, id, w)
	})
	eventstest.Settle(b.T, b.log)
	return d, err
}

func codes(d agents.DisputeRecord) (all []string) {
	for _, r := range d.Reasons {
		all = append(all, r.Code)
	}
	return all
}

// spoil makes a statement of what somebody was told false.
func (b *bundle) spoil(sql string, args ...any) {
	b.Helper()
	if tag, err := b.db.Pool().Exec(b.Context(), sql, args...); err != nil || tag.RowsAffected() == 0 {
		b.Fatalf("nothing was spoilt: %v", err)
	}
}

func TestADisputeOfFeedbackChecksEachCommentAndMarksThoseThatDoNotHold(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	s, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	d := b.dispute(ada, agents.OutputFeedback, f.ID, "")
	if d.Status != agents.DisputeUpheld || d.SettledBy != agents.SettledByRules || d.By != "learner" || d.Said.Text.EN != f.Text {
		t.Fatalf("got %+v", d)
	}
	if diff := cmp.Diff([]string{"feedback.disputed", "feedback.disputed"}, b.types(agents.StreamDispute, d.ID)); diff != "" {
		t.Error(diff)
	}
	// One comment names a test that nobody has.
	b.spoil(`UPDATE agents.feedback SET comments = (jsonb_set(comments::jsonb, '{0,test_id}', '"nobody has it"'))::json WHERE id = $1`, f.ID)
	if n := len(f.Comments); n < 2 {
		t.Fatalf("only %d comments", n)
	}
	d = b.dispute(ada, agents.OutputFeedback, f.ID, "")
	if d.Status != agents.DisputeCorrected || len(d.Reasons) != 1 || d.Reasons[0].Part != "1" || d.Reasons[0].Code != agents.WhyTest {
		t.Fatalf("got %s: %+v", d.Status, d.Reasons)
	}
	f, err := b.agents.Feedback(t.Context(), ada, s.RunID)
	if err != nil || f.Dispute != agents.DisputeCorrected || !f.Comments[0].Withdrawn || f.Comments[1].Withdrawn {
		t.Errorf("the feedback stands %q: %+v, %v", f.Dispute, f.Comments, err)
	}
	if shown, _ := b.tasks.Get(t.Context(), ada, task.ID); !strings.HasPrefix(shown.Feedback, "**Corrected after a dispute.** These comments don't hold: 1.") || !strings.HasSuffix(shown.Feedback, f.Text) {
		t.Errorf("the task shows %q", shown.Feedback)
	}
	// Its other comment can be disputed by itself.
	if d = b.dispute(ada, agents.OutputFeedback, f.ID, "2"); d.Status != agents.DisputeUpheld {
		t.Errorf("got %s: %+v", d.Status, d.Reasons)
	}
	if _, err := b.file(ada, agents.OutputFeedback, f.ID, "99"); errs.CodeOf(err) != errs.InvalidArgument {
		t.Errorf("a comment that is not there: %v", err)
	}
	// Whoever teaches the course has the last word.
	if _, err := b.settle(ada, d.ID, agents.Settlement{Outcome: agents.DisputeWithdrawn, Note: "Mine"}); errs.CodeOf(err) != errs.PermissionDenied {
		t.Errorf("a learner settled their own dispute: %v", err)
	}
	if _, err := b.settle(bob, d.ID, agents.Settlement{Outcome: agents.DisputeWithdrawn, Note: "Not mine"}); !agents.ErrDisputeNotFound.Is(err) {
		t.Errorf("another learner: %v", err)
	}
	d, err = b.settle(tess, d.ID, agents.Settlement{Outcome: agents.DisputeWithdrawn, Why: agents.WhyWrong, Note: "The range is right.", Correction: "Look at the text."})
	if err != nil || d.SettledBy != agents.SettledByTeacher || d.Correction == "" || !strings.HasSuffix(d.Reasons[0].Text.ES, "The range is right.") {
		t.Fatalf("got %+v, %v", d, err)
	}
	f, _ = b.agents.Feedback(t.Context(), ada, s.RunID)
	if !f.Comments[1].Withdrawn {
		t.Errorf("the comment that was taken back is not marked: %+v", f.Comments)
	}
	eventstest.Verify(t, b.log)
}

func TestWithdrawnFeedbackStaysReadableAndItsTaskSaysSo(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(eva, spanish, "Entender los bucles", "Tabla de multiplicar")
	s, f := b.submit(eva, task.ID, "tabla.py", "def linea(n, hasta):\n    return ''\n\n\ndef tabla(n, hasta=10):\n    return ''\n")
	b.spoil(`UPDATE agents.feedback SET comments = replace(replace(comments::text, '"test_id":"', '"test_id":"x'), '"rule":"', '"rule":"x')::json WHERE id = $1`, f.ID)
	d := b.dispute(eva, agents.OutputFeedback, f.ID, "")
	if d.Status != agents.DisputeWithdrawn {
		t.Fatalf("got %s: %+v", d.Status, d.Reasons)
	}
	got, err := b.agents.Feedback(t.Context(), eva, s.RunID)
	if err != nil || got.Dispute != agents.DisputeWithdrawn || got.Text != f.Text {
		t.Errorf("got %q, %v", got.Dispute, err)
	}
	if shown, _ := b.tasks.Get(t.Context(), eva, task.ID); !strings.HasPrefix(shown.Feedback, "**Estos comentarios se han retirado**") {
		t.Errorf("the task shows %q", shown.Feedback)
	}
	// What was withdrawn is not disputed another time.
	if again := b.dispute(eva, agents.OutputFeedback, f.ID, ""); again.ID != d.ID {
		t.Errorf("a new dispute: %+v", again)
	}
	// A later review knows nothing of it.
	tina := auth.Actor{UserID: "tina", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{spanish}}
	if _, err = b.settle(tina, d.ID, agents.Settlement{Outcome: agents.DisputeUpheld, Note: "Sí se sostiene."}); err != nil {
		t.Fatal(err)
	}
	if shown, _ := b.tasks.Get(t.Context(), eva, task.ID); shown.Feedback != f.Text {
		t.Errorf("what stands again is not shown: %q", shown.Feedback)
	}
}

func TestAHintAndAMessageAreHeldAgainstTheMaterialOfToday(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Longest streak")
	b.submit(ada, task.ID, "streak.py", "def longest_streak(diary):\n    return 0\n")
	for want := 1; want <= 4; want++ {
		if h := b.hint(ada, task.ID); h.Level != want {
			t.Fatalf("rung %d is %d", want, h.Level)
		} else if d := b.dispute(ada, agents.OutputHint, h.ID, ""); d.Status != agents.DisputeUpheld {
			t.Errorf("rung %d is %s: %+v", want, d.Status, d.Reasons)
		}
	}
	_, said := b.ask(ada, task.ID, "What is a loop?")
	if d := b.dispute(ada, agents.OutputMessage, said.RunID, ""); d.Status != agents.DisputeUpheld || d.Said.Question != "What is a loop?" {
		t.Errorf("the message is %s: %+v", d.Status, d)
	}
	// The solution in a message is a leak, whatever it cites.
	b.spoil(`UPDATE agents.messages SET text = $2 WHERE run_id = $1 AND sender = 'tutor'`, said.RunID, solution(t, english, "longest-streak")[1])
	if d := b.dispute(ada, agents.OutputMessage, said.RunID, ""); d.Status != agents.DisputeWithdrawn || codes(d)[0] != agents.WhyLeak {
		t.Errorf("the message is %s: %+v", d.Status, d.Reasons)
	}
	list, err := b.agents.Conversation(t.Context(), ada, task.ID)
	if err != nil || list[len(list)-1].Dispute != agents.DisputeWithdrawn || list[0].Dispute != agents.Undisputed {
		t.Errorf("got %+v, %v", list, err)
	}
	h := b.hint(ada, task.ID)
	b.spoil(`UPDATE agents.hints SET citations = replace(citations::text, '"quote":"', '"quote":"never said ')::json WHERE id = $1`, h.ID)
	if d := b.dispute(ada, agents.OutputHint, h.ID, ""); d.Status != agents.DisputeWithdrawn || codes(d)[0] != agents.WhyCitation {
		t.Errorf("the hint is %s: %+v", d.Status, d.Reasons)
	}
	if _, err := b.file(bob, agents.OutputHint, h.ID, ""); !agents.ErrOutputNotFound.Is(err) {
		t.Errorf("another's hint: %v", err)
	}
	for kind, id := range map[agents.OutputKind]string{agents.OutputHint: h.ID, agents.OutputMessage: said.RunID} {
		if _, err := b.file(tess, kind, id, ""); !agents.ErrOutputNotFound.Is(err) {
			t.Errorf("a teacher reads a learner's %s by calling it wrong: %v", kind, err)
		}
	}
}

func TestAPlanIsProvenAgainTaskByTask(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	var key string
	for _, task := range run.Plan.Tasks {
		if task.Title == "Countdown" {
			key = task.Key
		}
	}
	if d := b.dispute(ada, agents.OutputPlan, run.ID, ""); d.Status != agents.DisputeUpheld {
		t.Fatalf("the plan is %s: %+v", d.Status, d.Reasons)
	}
	if _, err := b.file(ada, agents.OutputPlan, run.ID, "nobody"); errs.CodeOf(err) != errs.InvalidArgument {
		t.Errorf("a task that is not there: %v", err)
	}
	// The exercise leaves the course.
	b.spoil(`DELETE FROM rag.documents WHERE path LIKE '%countdown%'`)
	if d := b.dispute(ada, agents.OutputPlan, run.ID, key); d.Status != agents.DisputeWithdrawn {
		t.Errorf("the task is %s: %+v", d.Status, d.Reasons)
	}
	d := b.dispute(ada, agents.OutputPlan, run.ID, "")
	if d.Status != agents.DisputeCorrected {
		t.Errorf("the plan is %s: %+v", d.Status, d.Reasons)
	}
	for _, who := range []auth.Actor{ada, tess} {
		read := b.run(who, run.ID)
		for _, task := range read.Plan.Tasks {
			if (task.Dispute == agents.DisputeWithdrawn) != (task.Key == key) {
				t.Errorf("%s reads that %q is %q", who.UserID, task.Title, task.Dispute)
			}
		}
		if read.Plan.Dispute != agents.DisputeCorrected {
			t.Errorf("%s reads that the plan is %q", who.UserID, read.Plan.Dispute)
		}
	}
}

func TestAnEvaluationIsCountedAgainAndANudgeHeldAgainstItsFigures(t *testing.T) {
	b := setup(t, nil)
	b.log.Subscribe(journey.Subscription())
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	var evaluation, nudge string
	row := `INSERT INTO agents.evaluations (user_id, course_id, mastery, reasons, trend, evidence, evaluated_at)
		VALUES ('ada', $1, '{"loops": 0.99}', '[{"en": "Made up.", "es": "Inventado."}]', 'improving', 7, now()) RETURNING id::text`
	if err := b.db.Pool().QueryRow(t.Context(), row, english).Scan(&evaluation); err != nil {
		t.Fatal(err)
	}
	d := b.dispute(ada, agents.OutputEvaluation, evaluation, "")
	if d.Status != agents.DisputeCorrected || codes(d)[0] != agents.WhyFigures {
		t.Fatalf("the evaluation is %s: %+v", d.Status, d.Reasons)
	}
	var now string
	var evidence int
	if err := b.db.Pool().QueryRow(t.Context(), `SELECT id::text, evidence FROM agents.evaluations WHERE user_id = 'ada'`).Scan(&now, &evidence); err != nil || now == evaluation || evidence != 1 {
		t.Fatalf("no new evaluation stands in its place: %d, %v", evidence, err)
	}
	if diff := cmp.Diff([]string{"learner.evaluated"}, b.types(agents.StreamEvaluation, now)); diff != "" {
		t.Error(diff)
	}
	if d = b.dispute(tess, agents.OutputEvaluation, now, ""); d.Status != agents.DisputeUpheld || d.By != "teacher" {
		t.Errorf("the new one is %s: %+v", d.Status, d.Reasons)
	}
	row = `INSERT INTO agents.nudges (id, user_id, kind, task_id, text_en, text_es, key, created_at)
		VALUES (gen_random_uuid(), 'ada', 'stuck', $1, '“Countdown” failed ' || $2 || ' times in a row.', 'x', $2, now()) RETURNING id::text`
	for figure, want := range map[string]agents.Dispute{"1": agents.DisputeUpheld, "9": agents.DisputeWithdrawn} {
		if err := b.db.Pool().QueryRow(t.Context(), row, task.ID, figure).Scan(&nudge); err != nil {
			t.Fatal(err)
		}
		if d = b.dispute(ada, agents.OutputNudge, nudge, ""); d.Status != want || codes(d)[0] != agents.WhyFigures {
			t.Errorf("%s times: %s, %+v", figure, d.Status, d.Reasons)
		}
	}
}
