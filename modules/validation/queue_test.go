package validation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// many makes n tasks in one goal of the actor.
func (b *bundle) many(actor auth.Actor, n int) []tasks.Task {
	b.t.Helper()
	course := ""
	if len(actor.CourseIDs) > 0 {
		course = actor.CourseIDs[0]
	}
	goal := goalstest.Create(b.t, b.DB, b.goals, actor, course, "Learn")
	news := make([]tasks.New, n)
	for i := range news {
		news[i] = tasks.New{Last: true, Details: tasks.Details{Title: fmt.Sprint(i), Type: tasks.TypeCode, Language: "python"}}
	}
	return taskstest.Create(b.t, b.DB, b.tasks, actor, goal.ID, news...)
}

func TestANewerSnapshotTakesThePlaceOfAnOlderOneThatWaits(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	first := b.Submit(t, ada, task.ID, "main.py", "one")
	second := b.Submit(t, ada, task.ID, "main.py", "two")
	if first.Number != 1 || second.Number != 2 {
		t.Errorf("numbers are %d and %d", first.Number, second.Number)
	}
	b.Drain(t)
	if judge.order() != "two" {
		t.Errorf("judged: %s", judge.order())
	}
	if run := b.Run(t, first.RunID); run.Status != validation.StatusSuperseded || run.Verdict != "" || run.FinishedAt.IsZero() {
		t.Errorf("the older run is %+v", run)
	}
	if got := b.types("run:" + first.RunID); got != "validation.queued validation.completed" {
		t.Errorf("its events are %s", got)
	}
	if got := b.status(task.ID); got != tasks.StatusCompleted {
		t.Errorf("the task is %s", got)
	}
	eventstest.Verify(t, b.log)
}

func TestAVerdictOfAnOlderSnapshotThatRanAlreadyDoesNotMoveTheTask(t *testing.T) {
	started, goOn := make(chan struct{}), make(chan struct{})
	judge := &fake{judge: func(_ context.Context, content string) (judging.Verdict, error) {
		if content == "one" {
			close(started)
			<-goOn
			return judging.VerdictPassed, nil
		}
		return judging.VerdictFailed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	first := b.Submit(t, ada, task.ID, "main.py", "one")
	done := make(chan error, 1)
	go func() { _, err := b.Worker.Next(context.Background()); done <- err }()
	<-started
	second := b.Submit(t, ada, task.ID, "main.py", "two")
	b.Drain(t)
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if a, z := b.Run(t, first.RunID), b.Run(t, second.RunID); a.Verdict != judging.VerdictPassed || z.Verdict != judging.VerdictFailed {
		t.Errorf("verdicts are %s and %s", a.Verdict, z.Verdict)
	}
	if got := b.status(task.ID); got != tasks.StatusFailed {
		t.Errorf("the task is %s; its newest snapshot failed", got)
	}
}

func TestTheFirstSubmissionOfBWaitsForAtMostTwoOfAsHundred(t *testing.T) {
	for _, who := range []struct {
		name string
		b    auth.Actor
	}{{"same course", bob}, {"another course", cleo}, {"no course", goalstest.Learner("dora")}} {
		t.Run(who.name, func(t *testing.T) {
			judge := &fake{}
			b := setup(t, validationtest.Options{Judge: judge})
			for i, task := range b.many(ada, 100) {
				b.Submit(t, ada, task.ID, "main.py", fmt.Sprintf("a%d", i))
			}
			// Some of A's are judged before B comes.
			for range 20 {
				if _, err := b.Worker.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			s := b.Submit(t, who.b, b.many(who.b, 1)[0].ID, "main.py", "b")
			place := b.Run(t, s.RunID).QueuePosition
			for range 3 {
				if _, err := b.Worker.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			at := slices.Index(strings.Fields(judge.order()), "b")
			if at < 20 || at > 22 || place != at-20+1 {
				t.Errorf("B was the %dth after it came, its place said %d: %s", at-20+1, place, judge.order())
			}
		})
	}
}

// The order in which runs are judged is the one that their places told, whoever
// submits what; learners of a course take turns, and so do courses.
func TestPlacesInTheQueueTellTheOrderAndNobodyGetsAhead(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	learners := []auth.Actor{ada, bob, cleo, goalstest.Learner("dora")}
	pool := map[string][]tasks.Task{}
	for _, l := range learners {
		pool[l.UserID] = b.many(l, 60)
	}
	rapid.Check(t, func(rt *rapid.T) {
		judge.mu.Lock()
		judge.seen = nil
		judge.mu.Unlock()
		mine := map[string]validation.Snapshot{}
		n := rapid.IntRange(1, 12).Draw(rt, "runs")
		next := map[string]int{}
		for i := range n {
			l := learners[rapid.IntRange(0, len(learners)-1).Draw(rt, "learner")]
			task := pool[l.UserID][next[l.UserID]]
			next[l.UserID]++
			if b.status(task.ID) == tasks.StatusCompleted {
				b.reopen(l, task.ID)
			}
			name := fmt.Sprintf("%s%d-%d", l.UserID, i, time.Now().UnixNano())
			mine[name] = b.Submit(t, l, task.ID, "main.py", name)
		}
		want := make([]string, n)
		for name, s := range mine {
			place := b.Run(t, s.RunID).QueuePosition
			if place < 1 || place > n || want[place-1] != "" {
				rt.Fatalf("%s has place %d of %d", name, place, n)
			}
			want[place-1] = name
		}
		b.Drain(t)
		if got := judge.order(); got != strings.Join(want, " ") {
			rt.Fatalf("judged %s, places told %s", got, strings.Join(want, " "))
		}
	})
}

func TestAPlatformErrorIsRetriedAndThenGivesTheTaskBackAsItWas(t *testing.T) {
	judge := &fake{judge: func(context.Context, string) (judging.Verdict, error) { return "", errPlatform }}
	b := setup(t, validationtest.Options{Judge: judge, Config: fast()})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	eventually(t, 10*time.Second, "the run is given up", func() bool {
		b.Drain(t)
		return b.Run(t, s.RunID).Status == validation.StatusDone
	})
	run := b.Run(t, s.RunID)
	if run.Verdict != judging.VerdictPlatformError || run.Attempt != 3 || judge.order() != "x x x" || run.Summary.ES == "" { //nolint:dupword // each is one
		t.Errorf("the run is %+v after %s", run, judge.order())
	}
	if got := b.status(task.ID); got != tasks.StatusInProgress {
		t.Errorf("the task is %s", got)
	}
	if strings.Contains(run.Summary.EN, "fire") {
		t.Error("the learner reads of the platform's insides")
	}
	eventstest.Verify(t, b.log)
}

func TestAPlatformErrorThatPassesCostsTheLearnerNothing(t *testing.T) {
	failed := false
	judge := &fake{}
	judge.judge = func(context.Context, string) (judging.Verdict, error) {
		if !failed {
			failed = true
			return "", errPlatform
		}
		return judging.VerdictPassed, nil
	}
	b := setup(t, validationtest.Options{Judge: judge, Config: fast()})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	b.Submit(t, bob, b.many(bob, 1)[0].ID, "main.py", "keeps the queue busy")
	if _, err := b.Worker.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	spent := b.count("SELECT virtual_time::int FROM validation.shares WHERE kind = 'learner' AND user_id = 'ada'")
	eventually(t, 10*time.Second, "it is judged", func() bool {
		_, err := b.Worker.Next(t.Context())
		return err == nil && b.Run(t, s.RunID).Status == validation.StatusDone
	})
	if got := b.count("SELECT virtual_time::int FROM validation.shares WHERE kind = 'learner' AND user_id = 'ada'"); got != spent || spent != 1 {
		t.Errorf("ada's virtual time went from %d to %d", spent, got)
	}
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictPassed || run.Attempt != 2 {
		t.Errorf("the run is %+v", run)
	}
}

// The thief is done, or is still at work, when the first worker publishes.
func TestAWorkerWhoseLeaseWasTakenCannotPublish(t *testing.T) {
	for _, thiefFirst := range []bool{true, false} {
		t.Run(fmt.Sprintf("thief done %t", thiefFirst), func(t *testing.T) { stolen(t, thiefFirst) })
	}
}

func stolen(t *testing.T, thiefFirst bool) {
	t.Helper()
	began := make(chan int, 2)
	goOn := []chan struct{}{make(chan struct{}), make(chan struct{})}
	var mu sync.Mutex
	calls := 0
	judge := &fake{judge: func(context.Context, string) (judging.Verdict, error) {
		mu.Lock()
		mine := calls
		calls++
		mu.Unlock()
		began <- mine
		<-goOn[mine]
		return []judging.Verdict{judging.VerdictPassed, judging.VerdictFailed}[mine], nil
	}}
	// The first worker's heart beats too seldom to notice before it publishes.
	b := setup(t, validationtest.Options{Judge: judge, Config: validation.Config{Lease: time.Hour}})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	done := []chan error{make(chan error, 1), make(chan error, 1)}
	work := func(i int) { _, err := b.Worker.Next(context.Background()); done[i] <- err }
	go work(0)
	<-began
	// As if it had been silent for longer than its lease.
	b.count("WITH u AS (UPDATE validation.queue SET lease_until = now() - interval '1 s' RETURNING 1) SELECT count(*) FROM u")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_ = b.Worker.Run(ctx) // one sweep
	go work(1)
	<-began
	order := []int{0, 1}
	if thiefFirst {
		order = []int{1, 0}
	}
	for _, i := range order {
		close(goOn[i])
		if err := <-done[i]; err != nil {
			t.Fatal(err)
		}
	}
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictFailed || run.Attempt != 2 {
		t.Errorf("the stolen run's verdict is %s at attempt %d", run.Verdict, run.Attempt)
	}
	if got := b.types("run:" + s.RunID); got != "validation.queued validation.started validation.started validation.completed" { //nolint:dupword // each is one
		t.Errorf("events: %s", got)
	}
	if got := b.status(task.ID); got != tasks.StatusFailed {
		t.Errorf("the task is %s", got)
	}
}

func TestWhoWasIdleSavesNothingUp(t *testing.T) {
	for _, late := range []auth.Actor{bob, cleo} {
		t.Run("late in "+late.CourseIDs[0], func(t *testing.T) {
			judge := &fake{}
			b := setup(t, validationtest.Options{Judge: judge})
			for _, task := range b.many(ada, 30) {
				b.Submit(t, ada, task.ID, "main.py", "a")
			}
			for range 15 {
				if _, err := b.Worker.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, task := range b.many(late, 10) {
				b.Submit(t, late, task.ID, "main.py", "b")
			}
			for range 10 {
				if _, err := b.Worker.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if turns := judge.order()[2*15:]; strings.Count(turns, "a") < 4 || strings.Count(turns, "b") < 4 {
				t.Errorf("they do not take turns: %s", turns)
			}
		})
	}
}

func TestAWorkerNoticesThatItsLeaseIsLostAndStops(t *testing.T) {
	started := make(chan struct{})
	judge := &fake{judge: func(ctx context.Context, _ string) (judging.Verdict, error) {
		close(started)
		<-ctx.Done()
		return "", ctx.Err()
	}}
	b := setup(t, validationtest.Options{Judge: judge, Config: fast()})
	task := b.task(ada, "test_main.py", doubleTest)
	b.Submit(t, ada, task.ID, "main.py", "x")
	done := make(chan error, 1)
	go func() { _, err := b.Worker.Next(context.Background()); done <- err }()
	<-started
	// Deleting the goal deletes the task, and takes the run away.
	b.do(ada, func(ctx context.Context, tx *postgres.Tx) error { return b.goals.DeleteTx(ctx, tx, task.GoalID, nil) })
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the worker goes on judging what is gone")
	}
}

func TestAStoppingServerGivesItsRunBackWithoutCountingTheAttempt(t *testing.T) {
	started := make(chan struct{}, 2)
	stop := true
	judge := &fake{judge: func(ctx context.Context, _ string) (judging.Verdict, error) {
		started <- struct{}{}
		if stop {
			<-ctx.Done()
			return "", errors.Join(errPlatform, ctx.Err())
		}
		return judging.VerdictPassed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	tickets := b.count("SELECT count(*) FROM river.river_job")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := b.Worker.Next(ctx); done <- err }()
	<-started
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	stop = false
	if got := b.count("SELECT count(*) FROM river.river_job"); got != tickets+1 {
		t.Errorf("%d tickets after %d: the run needs a new one", got, tickets)
	}
	if b.Drain(t) != 1 {
		t.Fatal("the run does not wait")
	}
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictPassed || run.Attempt != 1 {
		t.Errorf("verdict %s at attempt %d", run.Verdict, run.Attempt)
	}
}

func TestARunThatKillsItsWorkersIsGivenUp(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x")
	b.count("WITH u AS (UPDATE validation.queue SET attempt = 3 RETURNING 1) SELECT count(*) FROM u") // three died over it
	b.Drain(t)
	if run := b.Run(t, s.RunID); run.Verdict != judging.VerdictPlatformError || judge.order() != "" {
		t.Errorf("the run is %s, judged: %q", run.Verdict, judge.order())
	}
}

func TestManyWorkersJudgeEachRunOnce(t *testing.T) {
	judge := &fake{}
	b := setup(t, validationtest.Options{Judge: judge})
	want := map[string]bool{}
	for _, l := range []auth.Actor{ada, bob, cleo} {
		for i, task := range b.many(l, 10) {
			name := fmt.Sprintf("%s%d", l.UserID, i)
			want[name] = true
			b.Submit(t, l, task.ID, "main.py", name)
		}
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for {
				if more, err := b.Worker.Next(context.Background()); err != nil || !more {
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	wg.Wait()
	b.Drain(t)
	seen := strings.Fields(judge.order())
	if len(seen) != len(want) {
		t.Errorf("%d were judged, %d submitted", len(seen), len(want))
	}
	for _, name := range seen {
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("never judged: %v", want)
	}
	eventstest.Verify(t, b.log)
}
