package tasks_test

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
)

// titles pages through a list and gives all titles in its order.
func (b bundle) titles(actor auth.Actor, q tasks.Query) string {
	b.Helper()
	var all []string
	for {
		page, err := b.tasks.List(b.Context(), actor, q)
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range page.Tasks {
			all = append(all, t.Title)
		}
		if q.Token = page.Next; q.Token == "" {
			return strings.Join(all, " ")
		}
	}
}

func TestAListGoesByPositionWithinTheGoalAndNewestGoalsFirst(t *testing.T) {
	b := setup(t)
	old, young, bobs := b.goal(ada, "c1"), b.goal(ada, ""), b.goal(bob, "c1")
	placed := func(title string, position int) tasks.New {
		n := taskstest.Reading(title)
		n.Last, n.Position = false, position
		return n
	}
	list := b.create(ada, old.ID, placed("o2", 2), placed("o0", 0), placed("o2b", 2), placed("o1", 1))
	b.create(ada, young.ID, taskstest.Code("y0"), taskstest.Reading("y1"))
	b.create(bob, bobs.ID, taskstest.Reading("b0"))
	if _, err := b.start(ada, list[1].ID); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		actor auth.Actor
		query tasks.Query
		want  string
	}{
		"all of a learner's":      {ada, tasks.Query{}, "y0 y1 o0 o1 o2 o2b"},
		"a page at a time":        {ada, tasks.Query{Size: 1}, "y0 y1 o0 o1 o2 o2b"},
		"pages of three":          {ada, tasks.Query{Size: 3}, "y0 y1 o0 o1 o2 o2b"},
		"of a goal":               {ada, tasks.Query{GoalID: strings.ToUpper(old.ID), Size: 2}, "o0 o1 o2 o2b"},
		"by status":               {ada, tasks.Query{Statuses: []tasks.Status{tasks.StatusInProgress, tasks.StatusFailed}}, "o0"},
		"by type":                 {ada, tasks.Query{Types: []tasks.Type{tasks.TypeCode}}, "y0"},
		"not of another's goal":   {bob, tasks.Query{GoalID: old.ID}, ""},
		"not another's":           {bob, tasks.Query{UserID: "ada"}, ""},
		"of a course":             {ada, tasks.Query{CourseID: "c1"}, "o0 o1 o2 o2b"},
		"the class":               {tess, tasks.Query{CourseID: "c1", Size: 2}, "b0 o0 o1 o2 o2b"},
		"a teacher's own":         {tess, tasks.Query{}, ""},
		"a goal of the class":     {tess, tasks.Query{GoalID: bobs.ID}, "b0"},
		"one of the class":        {tess, tasks.Query{UserID: "ada"}, "o0 o1 o2 o2b"},
		"not another class":       {tom, tasks.Query{CourseID: "c1"}, ""},
		"anybody's for an admin":  {root, tasks.Query{UserID: "ada"}, "y0 y1 o0 o1 o2 o2b"},
		"a goal and another user": {root, tasks.Query{GoalID: old.ID, UserID: "bob"}, ""},
	} {
		if got := b.titles(c.actor, c.query); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	page, err := b.tasks.List(t.Context(), ada, tasks.Query{Size: 1})
	if err != nil || page.Next == "" {
		t.Fatal(err)
	}
	for name, q := range map[string]tasks.Query{"other filters": {Token: page.Next, GoalID: old.ID}, "damaged": {Token: page.Next[1:]}} {
		if _, err := b.tasks.List(t.Context(), ada, q); !errs.BadPageToken.Is(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.tasks.List(t.Context(), ada, tasks.Query{Size: 101}); !errs.BadInput.Is(err) {
		t.Errorf("a page of 101: %v", err)
	}
}

func TestMovingATaskLeavesTheVersionsOfOthers(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	list := b.create(ada, g.ID, taskstest.Reading("0"), taskstest.Reading("1"), taskstest.Reading("2"))
	position := 0
	if moved, err := b.update(ada, list[2].ID, tasks.Patch{Position: &position}); err != nil || moved.Version != 2 {
		t.Fatalf("%+v, %v", moved, err)
	}
	if got := b.titles(ada, tasks.Query{GoalID: g.ID}); got != "0 2 1" {
		t.Errorf("order is %q", got)
	}
	if others := b.get(ada, list[0].ID); others.Version != 1 {
		t.Errorf("another task's version is %d", others.Version)
	}
}
