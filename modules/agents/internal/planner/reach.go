package planner

import (
	"fmt"
	"slices"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/words"
	"github.com/goals-tracker/tracker/modules/rag"
)

// outOfReach finds tasks that ask for more than their learner has met by then: a
// concept that the course teaches only later, or a unit before one of the plan
// that it builds on.
func (c *course) outOfReach(graph rag.Graph, o outline, plan agents.Plan) (problems []problem) {
	unitOf := c.places()
	covered, furthest := map[int]bool{}, -1
	planned := map[int]bool{}
	for _, u := range o.Units {
		planned[u.Index] = true
	}
	for _, t := range plan.Tasks {
		var now []int
		for _, cited := range t.Citations {
			if i, ok := unitOf[cited.DocumentID]; ok && !slices.Contains(now, i) {
				now = append(now, i)
			}
		}
		for _, i := range now {
			if missing := c.missing(i, planned, covered, now); missing != "" {
				problems = append(problems, problem{t.Key, fmt.Sprintf("builds on %q, which the plan comes to only later", missing)})
			}
		}
		for _, i := range now {
			covered[i] = true
			furthest = max(furthest, i)
		}
		for _, concept := range t.Concepts {
			if at := c.taughtFrom(graph, concept); furthest >= 0 && at > furthest {
				problems = append(problems, problem{t.Key, fmt.Sprintf("asks for %q, which the course teaches only later, in %q", concept, c.units[at].Title)})
			}
		}
	}
	return problems
}

// missing names a prerequisite of a unit that the plan teaches, but not by now.
func (c *course) missing(unit int, planned, covered map[int]bool, now []int) string {
	u := c.units[unit]
	for _, concept := range u.Meta.Prerequisites {
		if i := c.teaches(concept, u.Meta.Unit); i >= 0 && i < unit && planned[i] && !covered[i] && !slices.Contains(now, i) {
			return concept
		}
	}
	return ""
}

// taughtFrom is the place of the first unit that teaches a concept; -1 where none
// does.
func (c *course) taughtFrom(graph rag.Graph, concept string) int {
	if known, ok := graph.Find(concept); ok && known.Taught {
		for _, e := range graph.Lessons(concept) {
			if at := slices.IndexFunc(c.units, func(u unit) bool { return u.ID == e.DocumentID }); at >= 0 {
				return at
			}
		}
	}
	for i := range c.units {
		for _, taught := range c.units[i].Meta.Concepts {
			if words.Share(concept, c.locale, words.Set(taught, c.locale)) >= 0.99 {
				return i
			}
		}
	}
	return -1
}

// places are the units that documents belong to, by the documents' ids.
func (c *course) places() map[string]int {
	at := map[string]int{}
	for i, u := range c.units {
		at[u.ID] = i
		for _, x := range u.exercises {
			at[x.DocumentID] = i
		}
		for _, d := range u.practice {
			at[d.ID] = i
		}
	}
	return at
}
