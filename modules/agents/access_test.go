package agents_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
)

func TestAnothersRunsFeedbackAndHintsAreNotFound(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	s, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	b.hint(ada, task.ID)
	run := b.plan(ada, agents.PlanRequest{GoalID: task.GoalID})
	theirs := map[string]bool{"get": true, "approve": true, "answer": true, "reject": true, "cancel": true, "fork": true, "dispute": true}
	for _, other := range []auth.Actor{bob, goalstest.Teacher("tom", spanish), tess, root} {
		team := other.Teaches(english) // reaches the run, as the next test shows, but what was said to its learner not
		for name, try := range map[string]func(context.Context, *postgres.Tx) error{
			"approve": func(ctx context.Context, tx *postgres.Tx) error {
				_, err := b.agents.ApproveTx(ctx, tx, run.ID, agents.Approval{})
				return err
			},
			"answer": func(ctx context.Context, tx *postgres.Tx) error {
				_, err := b.agents.AnswerTx(ctx, tx, run.ID, "", "x")
				return err
			},
			"reject": func(ctx context.Context, tx *postgres.Tx) error {
				_, err := b.agents.RejectTx(ctx, tx, run.ID, "")
				return err
			},
			"cancel": func(ctx context.Context, tx *postgres.Tx) error {
				_, err := b.agents.CancelTx(ctx, tx, run.ID, "")
				return err
			},
			"fork": func(ctx context.Context, tx *postgres.Tx) error {
				_, err := b.agents.ForkTx(ctx, tx, run.ID, 1)
				return err
			},
			"get": func(ctx context.Context, _ *postgres.Tx) error {
				_, err := b.agents.Get(ctx, other, run.ID)
				return err
			},
			"feedback": func(ctx context.Context, _ *postgres.Tx) error {
				_, err := b.agents.Feedback(ctx, other, s.RunID)
				return err
			},
			"dispute": func(ctx context.Context, _ *postgres.Tx) error {
				_, err := b.agents.PrepareDispute(ctx, other, agents.DisputeRequest{Kind: agents.OutputFeedback, OutputID: f.ID, Reason: "mine"})
				return err
			},
		} {
			if team && theirs[name] {
				continue
			}
			if err := b.db.InTx(t.Context(), postgres.As(other), try); errs.CodeOf(err) != errs.NotFound {
				t.Errorf("%s by %s: %v", name, other.UserID, err)
			}
		}
		if page, err := b.agents.List(t.Context(), other, agents.Query{GoalID: task.GoalID}); err != nil || len(page.Runs) != 0 {
			t.Errorf("%s lists %v, %v", other.UserID, page.Runs, err)
		}
		_, err := do(b, other, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
			return b.agents.PlanTx(ctx, tx, agents.PlanRequest{GoalID: task.GoalID})
		})
		if code := errs.CodeOf(err); code != errs.NotFound && code != errs.PermissionDenied {
			t.Errorf("%s plans another's goal: %v", other.UserID, err)
		}
	}
	if r := b.run(ada, run.ID); r.WaitingFor != agents.ForApproval {
		t.Errorf("the run is %s for %q", r.Status, r.WaitingFor)
	}
}

// Without the owner's filter, row-level security alone holds others back.
func TestRefusalsAreWhollyInBothLanguages(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	_, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	d, err := b.file(ada, agents.OutputFeedback, f.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	_, settled := b.settle(ada, d.ID, agents.Settlement{Outcome: agents.DisputeWithdrawn, Note: "Mine"})
	_, hinted := b.agents.PrepareHint(t.Context(), tess, agents.HintRequest{TaskID: task.ID})
	_, asked := do(b, tess, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.AskTx(ctx, tx, agents.TutorQuestion{TaskID: task.ID, Text: "Why?"})
	})
	_, planned := do(b, tess, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.PlanTx(ctx, tx, agents.PlanRequest{GoalID: task.GoalID})
	})
	foreign := regexp.MustCompile(`(?i)\b(?:the|only|learner|task|who|whose|goal|may|not)\b`)
	for name, err := range map[string]error{"settle": settled, "hint": hinted, "ask": asked, "plan": planned} {
		var e *errs.Error
		if !errors.As(err, &e) || e.Kind.Code != errs.PermissionDenied {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if foreign.MatchString(e.Spanish) || !foreign.MatchString(e.English) {
			t.Errorf("%s: a Spanish learner reads %q", name, e.Spanish)
		}
	}
}

func TestRowLevelSecurityHoldsWithoutTheFilters(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	s, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	hint := b.hint(ada, task.ID)
	run := b.plan(ada, agents.PlanRequest{GoalID: task.GoalID})
	b.ask(ada, task.ID, "What does range hold?")
	companion := []string{
		`INSERT INTO agents.evaluations VALUES ('ada', '', '{}', '[]', 'unknown', 1, now())`,
		`INSERT INTO agents.nudges (id, user_id, kind, text_en, text_es, key, created_at) VALUES (gen_random_uuid(), 'ada', 'streak', 'a', 'b', 'k', now())`,
		`UPDATE agents.runs SET graph = 'hint', status = 'queued' WHERE graph = 'tutor'`,
	}
	for _, sql := range companion {
		if _, err := b.db.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	filed := must(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.DisputeRecord, error) {
		d, err := b.agents.PrepareDispute(ctx, ada, agents.DisputeRequest{Kind: agents.OutputFeedback, OutputID: f.ID, Reason: "Wrong"})
		if err != nil {
			return d, err
		}
		return b.agents.DisputeTx(ctx, tx, d)
	})
	key := disputeKey(t, b, filed.ID)
	args := map[string]postgres.Args{
		"agents.dispute.get": {"id": filed.ID}, "agents.dispute.lock": {"id": filed.ID},
		"agents.dispute.standing":  {"kind": "feedback", "output": f.ID, "part": "", "key": key, "most": 1, "since": time.Now().Add(-time.Hour)},
		"agents.dispute.runs":      {"user": "ada", "dispute": filed.ID, "since": time.Now().Add(-time.Hour)},
		"agents.dispute.of_output": {"kind": "feedback", "output": f.ID},
		"agents.dispute.list":      {"course": nil, "status": nil, "owner": "ada", "at": time.Now().Add(time.Hour), "id": "ffffffff-ffff-ffff-ffff-ffffffffffff", "n": 10},
		"agents.evaluations.get":   {"user": "ada", "course": ""}, "agents.messages.list": {"task": task.ID, "size": 10}, "agents.nudges.list": {"size": 10},
		"agents.run.get": {"id": run.ID}, "agents.run.lock": {"id": run.ID}, "agents.run.planning": {"goal": task.GoalID},
		"agents.run.list":        {"goal": nil, "course": nil, "owner": "ada", "at": time.Now().Add(time.Hour), "id": "ffffffff-ffff-ffff-ffff-ffffffffffff", "n": 10},
		"agents.checkpoint.list": {"run": run.ID}, "agents.checkpoint.get": {"run": run.ID, "step": 1}, "agents.feedback.get": {"id": f.ID}, "agents.feedback.of_run": {"id": s.RunID},
		"agents.feedback.lock": {"id": f.ID}, "agents.feedback.newest": {"id": task.ID}, "agents.hint.last": {"task": task.ID},
		"agents.hint.get": {"id": hint.ID}, "agents.run.hinting": {"task": task.ID},
	}
	seen := 0
	for _, statement := range postgres.Statements() {
		if !strings.HasPrefix(statement.Name(), "agents.") || !strings.Contains(statement.Text(), "/*scope*/") {
			continue
		}
		open, with := statement.Unscoped(), args[statement.Name()]
		if with == nil {
			t.Errorf("no arguments for %s", statement.Name())
			continue
		}
		seen++
		for actor, want := range map[string]int{"ada": 1, "bob": 0} {
			rows, err := b.db.As(auth.Actor{UserID: actor, Roles: []auth.Role{auth.Student}}).Query(t.Context(), open, with)
			if err != nil {
				t.Fatalf("%s: %v", statement.Name(), err)
			}
			n := 0
			for rows.Next() {
				n++
			}
			rows.Close()
			if err := rows.Err(); err != nil {
				t.Fatalf("%s: %v", statement.Name(), err)
			}
			if (n > 0) != (want > 0) {
				t.Errorf("%s gives %s %d rows", statement.Name(), actor, n)
			}
		}
	}
	if seen != len(args) {
		t.Errorf("%d statements of %d were tried", seen, len(args))
	}
}

var foreignQueue = postgres.SQL("test.agents_foreign_queue", `SELECT count(*) FROM agents.queue`)

func TestLearnersReachNeitherTheQueueNorEffects(t *testing.T) {
	b := setup(t, nil)
	var n int
	err := b.db.As(ada).QueryRow(t.Context(), foreignQueue, postgres.Args{}).Scan(&n)
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("a learner counted %d rows of the queue", n)
	}
}

// With River at work, as in the server: nothing is asked for by hand, and the
// sweeper finds what a killed worker held.
func TestRiverCarriesARunThroughAndTheSweeperFindsWhatWasLost(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := must(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.PlanTx(ctx, tx, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
	})
	// A worker took the first node, and its machine is gone; so is the ticket.
	if tag, err := b.db.As(system).Exec(t.Context(), stealFirst, postgres.Args{}); err != nil || tag.RowsAffected() != 1 {
		t.Fatal(err)
	}
	if _, err := b.db.SystemPool().Exec(t.Context(), "DELETE FROM river.river_job"); err != nil {
		t.Fatal(err)
	}
	registry := jobs.NewRegistry()
	b.agents.Register(registry)
	cfg := jobs.DefaultConfig()
	cfg.PollInterval = 100 * time.Millisecond
	runner, err := jobs.NewRunner(b.db, registry, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if run = b.run(ada, run.ID); run.Status == agents.StatusDone {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the run is %s at %s", run.Status, run.Node)
		}
	}
	if n := len(b.tasksOf(goal.ID)); n != len(run.Plan.Tasks) {
		t.Errorf("%d tasks of %d", n, len(run.Plan.Tasks))
	}
	eventstest.Verify(t, b.log)
}

var stealFirst = postgres.SQL("test.agents_steal", `
	UPDATE agents.queue SET lease_token = gen_random_uuid(), lease_until = now() - interval '1 s', worker = 'gone', attempt = 1`)

var keyOf = postgres.SQL("test.agents_dispute_key", `SELECT by_key FROM agents.disputes WHERE id = @id`)

func disputeKey(t *testing.T, b *bundle, id string) (key string) {
	t.Helper()
	if err := b.db.As(system).QueryRow(t.Context(), keyOf, postgres.Args{"id": id}).Scan(&key); err != nil {
		t.Fatal(err)
	}
	return key
}
