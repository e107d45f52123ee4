package validation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

var (
	admin = auth.Actor{UserID: "root", Roles: []auth.Role{auth.Admin}}
	rita  = goalstest.Teacher("rita", "c2")
)

func ptr[T any](v T) *T { return &v }

func (b *bundle) policy(actor auth.Actor, course string, p validation.PolicyPatch) (j validation.Judging, err error) {
	err = b.DB.InTx(b.t.Context(), postgres.As(actor), func(ctx context.Context, tx *postgres.Tx) (err error) {
		j, err = b.Service.UpdatePolicyTx(ctx, tx, course, p)
		return err
	})
	return j, err
}

func (b *bundle) mustPolicy(actor auth.Actor, course string, p validation.PolicyPatch) {
	b.t.Helper()
	if _, err := b.policy(actor, course, p); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) next(n int) {
	b.t.Helper()
	for range n {
		if _, err := b.Worker.Next(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
}

func TestACourseOfTwiceTheWeightGetsTwoTurnsOfThree(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	b.mustPolicy(admin, "c2", validation.PolicyPatch{Weight: ptr(2.0)})
	for i := range 30 {
		b.Submit(t, ada, b.many(ada, 1)[0].ID, "main.py", fmt.Sprint("a", i))
		b.Submit(t, cleo, b.many(cleo, 1)[0].ID, "main.py", fmt.Sprint("c", i))
	}
	b.next(30)
	if a, c := strings.Count(judge.order(), "a"), strings.Count(judge.order(), "c"); a < 9 || a > 11 || a+c != 30 {
		t.Errorf("of 30 turns, weight 1 got %d and weight 2 got %d: %s", a, c, judge.order())
	}
}

func TestACourseAtItsLimitLetsOthersGoAndGoesOnWhenARunOfItEnds(t *testing.T) {
	started, goOn := make(chan string, 10), make(chan struct{})
	judge := &fake{judge: func(_ context.Context, content string) (judging.Verdict, error) {
		started <- content
		if content[0] == 'a' {
			<-goOn
		}
		return judging.VerdictPassed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge})
	b.mustPolicy(miss, "c1", validation.PolicyPatch{MaxParallel: ptr(1)})
	b.Submit(t, ada, b.many(ada, 1)[0].ID, "main.py", "a1")
	b.Submit(t, bob, b.many(bob, 1)[0].ID, "main.py", "a2")
	b.Submit(t, cleo, b.many(cleo, 1)[0].ID, "main.py", "c")
	first := make(chan error, 1)
	go func() { _, err := b.Worker.Next(context.Background()); first <- err }()
	if got := <-started; got != "a1" {
		t.Fatalf("%s began", got)
	}
	b.next(1)
	if got := <-started; got != "c" {
		t.Errorf("beside a course at its limit, %s began", got)
	}
	if more, err := b.Worker.Next(t.Context()); more || err != nil {
		t.Errorf("a second run of the course began: %v", err)
	}
	// The ticket of a2 is spent; the end of a1 brings another.
	tickets := b.count("SELECT count(*) FROM river.river_job WHERE kind = 'validation_ticket'")
	close(goOn)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if got := b.count("SELECT count(*) FROM river.river_job WHERE kind = 'validation_ticket'"); got != tickets+1 {
		t.Errorf("%d tickets after %d: nothing wakes a worker for the run that was held back", got, tickets)
	}
	if b.Drain(t) != 1 {
		t.Error("the run that was held back is lost")
	}
}

func TestTeachersOfTheCourseAndAdminsChangeItsPolicyAndNobodyElse(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	for _, who := range []auth.Actor{ada, rita} {
		if _, err := b.policy(who, "c1", validation.PolicyPatch{MaxParallel: ptr(1)}); !errs.Forbidden.Is(err) {
			t.Errorf("%s changes the policy of c1: %v", who.UserID, err)
		}
		if _, err := b.Service.Judging(t.Context(), who, "c1"); !errs.Forbidden.Is(err) {
			t.Errorf("%s reads the policy of c1: %v", who.UserID, err)
		}
	}
	if _, err := b.policy(miss, "c1", validation.PolicyPatch{Weight: ptr(10.0)}); !errs.Forbidden.Is(err) {
		t.Errorf("a teacher gives her course ten shares: %v", err)
	}
	for name, bad := range map[string]validation.PolicyPatch{
		"weight": {Weight: ptr(0.0)}, "parallel": {MaxParallel: ptr(-1)}, "pending": {MaxPending: ptr(-1)},
		"integrity": {RequiredIntegrity: ptr(judging.Integrity("none"))},
	} {
		if _, err := b.policy(admin, "c1", bad); !errs.BadInput.Is(err) {
			t.Errorf("a wrong %s is taken: %v", name, err)
		}
	}
	if j, err := b.Service.Judging(t.Context(), miss, "c1"); err != nil || j.Policy != validation.DefaultPolicy("c1") {
		t.Errorf("before anybody changed it, it is %+v, %v", j.Policy, err)
	}
	b.mustPolicy(miss, "c1", validation.PolicyPatch{MaxParallel: ptr(4), RequiredIntegrity: ptr(judging.IntegritySplit)})
	b.mustPolicy(admin, "c1", validation.PolicyPatch{MaxPending: ptr(2)})
	j, err := b.Service.Judging(t.Context(), miss, "c1")
	if err != nil || j.MaxParallel != 4 || j.MaxPending != 2 || j.RequiredIntegrity != judging.IntegritySplit || j.UpdatedBy != "root" || j.UpdatedAt.IsZero() {
		t.Errorf("it is %+v, %v", j.Policy, err)
	}
}

func TestALearnerHasOnlySoManyRunsWaiting(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}, Config: validation.Config{MaxPending: 3}})
	all := b.many(ada, 5)
	for _, task := range all[:3] {
		b.Submit(t, ada, task.ID, "main.py", "x")
	}
	// A newer snapshot takes the place of one, so it does not count.
	b.Submit(t, ada, all[0].ID, "main.py", "y")
	if _, err := b.TrySubmit(t.Context(), ada, validationtest.Files(all[3].ID, "main.py", "x")); !validation.ErrTooManyPending.Is(err) {
		t.Errorf("a fourth run waits: %v", err)
	}
	b.Submit(t, bob, b.many(bob, 1)[0].ID, "main.py", "others may")
	b.mustPolicy(miss, "c1", validation.PolicyPatch{MaxPending: ptr(1)})
	b.Drain(t)
	b.Submit(t, ada, all[3].ID, "main.py", "x")
	if _, err := b.TrySubmit(t.Context(), ada, validationtest.Files(all[4].ID, "main.py", "x")); !validation.ErrTooManyPending.Is(err) {
		t.Errorf("the course allows one, and a second waits: %v", err)
	}
}

func TestSubmissionsAtTheSameMomentShareThePlacesThatAreLeft(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}, Config: validation.Config{MaxPending: 3}})
	var taken atomic.Int64
	var senders sync.WaitGroup
	var all []tasks.Task
	for range 12 {
		all = append(all, b.many(ada, 1)...) // of a goal each: within one they wait for each other
	}
	for _, task := range all {
		senders.Go(func() {
			switch _, err := b.TrySubmit(t.Context(), ada, validationtest.Files(task.ID, "main.py", "x")); {
			case err == nil:
				taken.Add(1)
			case !validation.ErrTooManyPending.Is(err):
				t.Error(err)
			}
		})
	}
	senders.Wait()
	if taken.Load() != 3 {
		t.Errorf("%d runs wait where 3 may", taken.Load())
	}
}

func TestALearnersWorkTakesOnlySoMuchUntilSomeIsDeleted(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}, Config: validation.Config{MaxStoredBytes: 8 << 10}})
	mine := b.many(ada, 3)
	large := strings.Repeat("x", 3<<10)
	b.Submit(t, ada, mine[0].ID, "main.py", large)
	b.Drain(t)
	b.Submit(t, ada, mine[1].ID, "main.py", large)
	b.Drain(t)
	_, err := b.TrySubmit(t.Context(), ada, validationtest.Files(mine[2].ID, "main.py", large))
	if !validation.ErrStorageFull.Is(err) {
		t.Fatalf("a third of 3 KiB, with 8 KiB for all: %v", err)
	}
	if page, err := b.Service.Snapshots(t.Context(), ada, validation.Query{TaskID: mine[2].ID}); err != nil || len(page.Snapshots) != 0 {
		t.Errorf("what was refused is stored: %v, %v", page.Snapshots, err)
	}
	b.Submit(t, bob, b.many(bob, 1)[0].ID, "main.py", "others may")
	b.do(ada, func(ctx context.Context, tx *postgres.Tx) error { return b.tasks.DeleteTx(ctx, tx, mine[0].ID, nil) })
	b.Submit(t, ada, mine[2].ID, "main.py", large)
}

func TestAPassInOneProcessIsNoneWhereTheCourseRequiresTwo(t *testing.T) {
	for _, verdict := range []judging.Verdict{judging.VerdictPassed, judging.VerdictFailed} {
		t.Run(string(verdict), func(t *testing.T) {
			b := setup(t, validationtest.Options{Judge: &fake{judge: func(context.Context, string) (judging.Verdict, error) { return verdict, nil }}})
			b.mustPolicy(miss, "c1", validation.PolicyPatch{RequiredIntegrity: ptr(judging.IntegritySplit)})
			task := b.task(ada, "test_main.py", doubleTest)
			s := b.Submit(t, ada, task.ID, "main.py", "x")
			b.Drain(t)
			run, err := b.Service.Run(t.Context(), ada, s.RunID)
			if err != nil {
				t.Fatal(err)
			}
			if verdict == judging.VerdictFailed {
				if run.Verdict != judging.VerdictFailed || run.TaskProblem {
					t.Errorf("a failure is %s", run.Verdict)
				}
				return
			}
			if run.Verdict != judging.VerdictUnproven || run.Score != 0 || !run.TaskProblem || run.Report.RequiredIntegrity != "split" {
				t.Errorf("verdict %s, score %g, %+v", run.Verdict, run.Score, run.Report)
			}
			if run.Report.Problem != "" || !strings.Contains(run.Summary.EN, "teacher") || !strings.Contains(run.Summary.ES, "docente") {
				t.Errorf("the learner reads %q and %q", run.Report.Problem, run.Summary.EN)
			}
			if got := b.status(task.ID); got != tasks.StatusInProgress {
				t.Errorf("the task is %s", got)
			}
			eventstest.Verify(t, b.log)
		})
	}
}

func TestTheTasksOwnDemandForIntegrityReachesThePlugin(t *testing.T) {
	seen := &demands{}
	b := setup(t, validationtest.Options{Judge: seen})
	task := b.task(ada, "test_main.py", doubleTest)
	b.do(auth.System("test"), func(ctx context.Context, tx *postgres.Tx) error {
		v := *task.Validation
		v.Tests, v.RequiredIntegrity = []tasks.File{tasks.NewFile("test_main.py", doubleTest, true)}, "split"
		pv := &v
		_, err := b.tasks.UpdateTx(ctx, tx, task.ID, nil, tasks.Patch{Validation: &pv})
		return err
	})
	b.Submit(t, ada, task.ID, "main.py", "x")
	b.Drain(t)
	b.Submit(t, bob, b.task(bob, "test_main.py", doubleTest).ID, "main.py", "x")
	b.Drain(t)
	if got := fmt.Sprint(seen.required); got != "[split shared]" {
		t.Errorf("the plugin was asked for %s", got)
	}
}

func TestATaskWithBrokenTestsEndsAtOnceAndItsTeacherReadsWhy(t *testing.T) {
	judge := &fake{judge: func(context.Context, string) (judging.Verdict, error) {
		return "", fmt.Errorf("judge: %w", errors.Join(judging.TaskErrorf("test_main.py:3: SyntaxError: hidden_answer = 42 (")))
	}}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	b.Drain(t)
	if judge.order() != "x" {
		t.Errorf("it was tried: %s", judge.order())
	}
	learner, err := b.Service.Run(t.Context(), ada, s.RunID)
	if err != nil {
		t.Fatal(err)
	}
	if learner.Verdict != judging.VerdictPlatformError || !learner.TaskProblem || learner.Attempt != 1 || learner.Report.Problem != "" ||
		!strings.Contains(learner.Summary.EN, "tests of this task") || !strings.Contains(learner.Summary.ES, "pruebas de esta tarea") {
		t.Errorf("the learner reads %+v, %+v", learner, learner.Report)
	}
	teacher, err := b.Service.Run(t.Context(), miss, s.RunID)
	if err != nil || !strings.Contains(teacher.Report.Problem, "hidden_answer") {
		t.Errorf("the teacher reads %+v, %v", teacher.Report, err)
	}
	if report, err := b.Service.Report(t.Context(), ada, s.RunID); err != nil || report.Problem != "" {
		t.Errorf("the learner's report says %q, %v", report.Problem, err)
	}
	if got := b.status(task.ID); got != tasks.StatusInProgress {
		t.Errorf("the task is %s", got)
	}
	j, err := b.Service.Judging(t.Context(), miss, "c1")
	if err != nil || len(j.Broken) != 1 || j.Broken[0].TaskID != task.ID || j.Broken[0].RunID != s.RunID || time.Since(j.Broken[0].FoundAt) > time.Hour {
		t.Errorf("the course's broken tasks are %+v, %v", j.Broken, err)
	}
	if got := b.count("SELECT coalesce(sum(virtual_time), 0)::int FROM validation.shares WHERE kind = 'learner'"); got != 0 {
		t.Errorf("ada paid %d turns for it", got)
	}
	// Mended tests take it off the list.
	judge.judge = nil
	b.Submit(t, ada, task.ID, "main.py", "x")
	b.Drain(t)
	if j, err := b.Service.Judging(t.Context(), miss, "c1"); err != nil || len(j.Broken) != 0 {
		t.Errorf("after the tests were mended, the broken tasks are %+v, %v", j.Broken, err)
	}
	eventstest.Verify(t, b.log)
}
