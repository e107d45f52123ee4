package goals_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
)

// titles pages through a list and gives all titles in its order.
func (b bundle) titles(actor auth.Actor, q goals.Query) string {
	b.Helper()
	var all []string
	for {
		page, err := b.goals.List(b.Context(), actor, q)
		if err != nil {
			b.Fatal(err)
		}
		if q.Size > 0 && len(page.Goals) > q.Size {
			b.Errorf("a page of %d has %d", q.Size, len(page.Goals))
		}
		for _, g := range page.Goals {
			all = append(all, g.Title)
		}
		if q.Token = page.Next; q.Token == "" {
			return strings.Join(all, " ")
		}
	}
}

func TestAListShowsWhatItsReaderMaySeeNewestFirst(t *testing.T) {
	b := setup(t)
	// One unit of work, so that created_at can't order them.
	b.must(ada, func(ctx context.Context, tx *postgres.Tx) (g goals.Goal, err error) {
		for i := range 5 {
			course := []string{"c1", ""}[i%2]
			if g, err = b.goals.CreateTx(ctx, tx, goals.New{Details: goals.Details{Title: fmt.Sprint("a", i), CourseID: course}}); err != nil {
				return g, err
			}
		}
		return b.goals.StartTx(ctx, tx, g.ID, nil)
	})
	b.create(bob, "c1", "b0")
	b.create(tess, "c1", "t0")
	b.create(tom, "c2", "m0")
	for name, c := range map[string]struct {
		actor auth.Actor
		query goals.Query
		want  string
	}{
		"a learner's own":                   {ada, goals.Query{}, "a4 a3 a2 a1 a0"},
		"a page at a time":                  {ada, goals.Query{Size: 2}, "a4 a3 a2 a1 a0"},
		"by status":                         {ada, goals.Query{Statuses: []goals.Status{goals.StatusInProgress}}, "a4"},
		"by statuses":                       {ada, goals.Query{Size: 2, Statuses: []goals.Status{goals.StatusPending, goals.StatusBlocked}}, "a3 a2 a1 a0"},
		"a learner's own of a course":       {ada, goals.Query{CourseID: "c1"}, "a4 a2 a0"},
		"not another's":                     {ada, goals.Query{UserID: "bob"}, ""},
		"a teacher's own":                   {tess, goals.Query{}, "t0"},
		"the class for its teacher":         {tess, goals.Query{CourseID: "c1", Size: 2}, "t0 b0 a4 a2 a0"},
		"one of the class":                  {tess, goals.Query{UserID: "ada"}, "a4 a2 a0"},
		"one of the class of the course":    {tess, goals.Query{UserID: "ada", CourseID: "c1"}, "a4 a2 a0"},
		"not another class":                 {tess, goals.Query{CourseID: "c2"}, ""},
		"an admin's own":                    {root, goals.Query{}, ""},
		"anybody's for an admin":            {root, goals.Query{UserID: "ada"}, "a4 a3 a2 a1 a0"},
		"any class for an admin":            {root, goals.Query{CourseID: "c2"}, "m0"},
		"a token holder of nobody's course": {bob, goals.Query{CourseID: "c2"}, ""},
	} {
		if got := b.titles(c.actor, c.query); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestATokenBelongsToItsListAndFilters(t *testing.T) {
	b := setup(t)
	for i := range 3 {
		b.create(ada, "c1", fmt.Sprint(i))
	}
	page, err := b.goals.List(t.Context(), ada, goals.Query{Size: 1, Statuses: []goals.Status{goals.StatusPending, goals.StatusBlocked}})
	if err != nil || page.Next == "" {
		t.Fatal(err)
	}
	// The order of filters is no matter.
	if _, err := b.goals.List(t.Context(), ada, goals.Query{Token: page.Next, Statuses: []goals.Status{goals.StatusBlocked, goals.StatusPending}}); err != nil {
		t.Error(err)
	}
	for name, q := range map[string]goals.Query{
		"other filters": {Token: page.Next}, "another course": {Token: page.Next, CourseID: "c1"}, "damaged": {Token: page.Next[1:]}, "made up": {Token: "AAAA"},
	} {
		if _, err := b.goals.List(t.Context(), ada, q); !errs.BadPageToken.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range []int{-1, 101} {
		if _, err := b.goals.List(t.Context(), ada, goals.Query{Size: size}); !errs.BadInput.Is(err) {
			t.Errorf("a page of %d: %v", size, err)
		}
	}
}

func TestAPageStaysWhereItWasWhenGoalsCome(t *testing.T) {
	b := setup(t)
	for i := range 4 {
		b.create(ada, "", fmt.Sprint(i))
	}
	first, err := b.goals.List(t.Context(), ada, goals.Query{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	b.create(ada, "", "new")
	second, err := b.goals.List(t.Context(), ada, goals.Query{Size: 2, Token: first.Next})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, 4)
	for _, g := range append(first.Goals, second.Goals...) {
		got = append(got, g.Title)
	}
	if !slices.Equal(got, []string{"3", "2", "1", "0"}) || second.Next != "" {
		t.Errorf("got %v, next %q", got, second.Next)
	}
}
