package goals_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
)

func TestAGoalIsReadAsItWasWritten(t *testing.T) {
	b := setup(t)
	details := goals.Details{
		CourseID: "c1", Title: "Learn ñandú", Description: "all of it", Priority: goals.PriorityUrgent,
		Criteria: []string{"one", `"two"`}, Metadata: `{"a":[1,null,"é"],"b":1.5}`,
		DueAt: time.Date(2027, 2, 3, 4, 5, 6, 789123456, time.FixedZone("x", 3600)),
	}
	made := b.must(ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		g, err := b.goals.CreateTx(ctx, tx, goals.New{Details: details, AIGenerated: true})
		if err == nil {
			inside, err := b.goals.GetTx(ctx, tx, g.ID)
			if err != nil || inside.Title != g.Title {
				t.Errorf("in its own unit of work it reads %+v, %v", inside, err)
			}
		}
		return g, err
	})
	read, err := b.goals.Get(t.Context(), ada, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, read, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("made and read differ:\n%s", diff)
	}
	details.DueAt = details.DueAt.UTC().Truncate(time.Microsecond)
	if diff := cmp.Diff(details, read.Details); diff != "" {
		t.Errorf("asked for and read differ:\n%s", diff)
	}
	if read.Version != 1 || !read.AIGenerated || read.Status != goals.StatusPending || read.UserID != "ada" || read.Progress.Percent != 0 {
		t.Errorf("got %+v", read)
	}
	b.verify()
}

func TestEveryStepIsAnEventAndAVersion(t *testing.T) {
	b := setup(t)
	g := b.create(ada, "", "Learn Go")
	step := func(do func(ctx context.Context, tx *postgres.Tx, id string, version *int64) (goals.Goal, error)) {
		t.Helper()
		version := g.Version
		g = b.must(ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) { return do(ctx, tx, g.ID, &version) })
		if g.Version != version+1 {
			t.Errorf("version went from %d to %d", version, g.Version)
		}
	}
	step(b.goals.StartTx)
	step(func(ctx context.Context, tx *postgres.Tx, id string, version *int64) (goals.Goal, error) {
		return b.goals.BlockTx(ctx, tx, id, version, "no electricity")
	})
	step(b.goals.StartTx)
	step(b.goals.CompleteTx)
	if g.Progress.Percent != 100 {
		t.Errorf("a goal without tasks that is done is at %v %%", g.Progress.Percent)
	}
	step(b.goals.ReopenTx)
	step(b.goals.CancelTx)
	if err := b.remove(ada, g.ID); err != nil {
		t.Fatal(err)
	}
	want := []string{"goal.created", "goal.started", "goal.blocked", "goal.started", "goal.completed", "goal.reopened", "goal.cancelled", "goal.deleted"}
	if got := b.types("goal", g.ID); !slices.Equal(got, want) {
		t.Errorf("the log says %v, want %v", got, want)
	}
	if got := b.types("goal-progress", g.ID); len(got) != 2 {
		t.Errorf("progress has %v, want its value and its end", got)
	}
	if _, err := b.goals.Get(t.Context(), ada, g.ID); !goals.ErrNotFound.Is(err) {
		t.Errorf("after its deletion: %v", err)
	}
	b.verify()
}

func TestAnUpdateThatChangesNothingIsNoEvent(t *testing.T) {
	b := setup(t)
	g := b.create(ada, "", "Learn Go")
	same, err := b.rename(ada, g.ID, "Learn Go", nil)
	if err != nil || same.Version != 1 || len(b.types("goal", g.ID)) != 1 {
		t.Errorf("got version %d, %v, events %v", same.Version, err, b.types("goal", g.ID))
	}
}

func TestProgressByHandLeavesTheVersion(t *testing.T) {
	b := setup(t)
	g := b.create(ada, "", "Learn Go")
	for range 2 {
		got := b.must(ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
			return b.goals.SetProgressTx(ctx, tx, g.ID, 33.3)
		})
		if got.Version != 1 || got.Progress.Percent != 33.3 || !got.Progress.Manual {
			t.Errorf("got %+v", got)
		}
	}
	if n := len(b.types("goal-progress", g.ID)); n != 1 {
		t.Errorf("saying the same twice made %d events", n)
	}
	b.verify()
}

func TestOfManyWithTheSameVersionOneWins(t *testing.T) {
	b := setup(t)
	g := b.create(ada, "", "Learn Go")
	var wg sync.WaitGroup
	results := make([]error, 20)
	for i := range results {
		wg.Go(func() { _, results[i] = b.rename(ada, g.ID, fmt.Sprintf("Learn Go %d", i), &g.Version) })
	}
	wg.Wait()
	won := 0
	for _, err := range results {
		var e *errs.Error
		switch {
		case err == nil:
			won++
		case !errors.As(err, &e) || e.Kind != errs.StaleVersion || e.Details["version"] != "2":
			t.Errorf("a loser got %v, want StaleVersion with version 2", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 20 won", won)
	}
	b.verify()
}

func TestWithoutAVersionAllEditsHappenOneAfterTheOther(t *testing.T) {
	b := setup(t)
	g := b.create(ada, "", "Learn Go")
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if _, err := b.rename(ada, g.ID, fmt.Sprint(i), nil); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := b.do(ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
				return b.goals.SetProgressTx(ctx, tx, g.ID, float64(i))
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, _ := b.goals.Get(t.Context(), ada, g.ID); got.Version != 11 {
		t.Errorf("version is %d, want 11", got.Version)
	}
	b.verify()
}

func TestAnothersGoalIsNotFoundAndATeacherOnlyReads(t *testing.T) {
	b := setup(t)
	g := b.create(ada, "c1", "Learn Go")
	loner := b.create(ada, "", "Learn alone")
	for _, c := range []struct {
		actor auth.Actor
		id    string
		reads bool
	}{
		{ada, g.ID, true}, {bob, g.ID, false}, {tess, g.ID, true}, {tom, g.ID, false}, {root, g.ID, true}, {system, g.ID, true},
		{tess, loner.ID, false}, {root, loner.ID, true}, {auth.Actor{}, g.ID, false}, {ada, "nonsense", false},
	} {
		_, err := b.goals.Get(t.Context(), c.actor, c.id)
		if c.reads && err != nil || !c.reads && !goals.ErrNotFound.Is(err) {
			t.Errorf("%q reads %s: %v", c.actor.Name(), c.id, err)
		}
		if c.actor.Owns("ada") {
			continue
		}
		_, err = b.rename(c.actor, c.id, "mine now", nil)
		if c.reads && !errs.Forbidden.Is(err) || !c.reads && !goals.ErrNotFound.Is(err) {
			t.Errorf("%q changes %s: %v", c.actor.Name(), c.id, err)
		}
		if err := b.remove(c.actor, c.id); err == nil {
			t.Errorf("%q deleted %s", c.actor.Name(), c.id)
		}
	}
	_, err := b.do(bob, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return b.goals.CreateTx(ctx, tx, goals.New{UserID: "ada", Details: goals.Details{Title: "for her"}})
	})
	if !errs.Forbidden.Is(err) {
		t.Errorf("bob made a goal of ada: %v", err)
	}
}

func TestAGoalTakesItsProgressAlongToAnotherCourse(t *testing.T) {
	b := setup(t)
	g := b.create(ada, "c1", "Learn Go")
	b.must(ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return b.goals.SetProgressTx(ctx, tx, g.ID, 40)
	})
	course := "c2"
	b.must(ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return b.goals.UpdateTx(ctx, tx, g.ID, nil, goals.Patch{CourseID: &course})
	})
	if _, err := b.goals.Get(t.Context(), tess, g.ID); !goals.ErrNotFound.Is(err) {
		t.Errorf("the old teacher: %v", err)
	}
	if got, err := b.goals.Get(t.Context(), tom, g.ID); err != nil || got.Progress.Percent != 40 {
		t.Errorf("the new teacher sees %v %%, %v", got.Progress.Percent, err)
	}
	b.verify()
}

func TestADeletedCourseMarksItsGoals(t *testing.T) {
	b := setup(t)
	for range 3 {
		b.create(ada, "c1", "Learn Go")
	}
	other := b.create(ada, "c2", "Learn C")
	counts := []int{}
	for {
		n := 0
		b.must(system, func(ctx context.Context, tx *postgres.Tx) (g goals.Goal, err error) {
			n, err = b.goals.MarkCourseDeletedTx(ctx, tx, "c1", 2)
			return g, err
		})
		counts = append(counts, n)
		if n == 0 {
			break
		}
	}
	if !slices.Equal(counts, []int{2, 1, 0}) {
		t.Errorf("rounds marked %v", counts)
	}
	page, err := b.goals.List(t.Context(), ada, goals.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range page.Goals {
		if g.CourseDeleted != (g.ID != other.ID) {
			t.Errorf("%s of %s: marked %t", g.Title, g.CourseID, g.CourseDeleted)
		}
	}
	b.verify()
}
