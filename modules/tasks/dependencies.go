package tasks

import (
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/goals"
)

// checkDependencies finds dependencies outside the goal and cycles. id is the
// task's, "" for one that no other can depend on yet.
func checkDependencies(id string, d Details, siblings []Task) error {
	byID := make(map[string]Task, len(siblings))
	for _, s := range siblings {
		byID[s.ID] = s
	}
	seen := map[string]bool{}
	for i, on := range d.DependsOn {
		at := fmt.Sprintf("depends_on[%d]", i)
		var c goals.Checker
		switch _, known := byID[on]; {
		case seen[on]:
			c.Wrong(at, "names a task twice", "nombra una tarea dos veces")
		case on == id && id != "":
			return cycleError([]Task{{ID: id, Details: d}})
		case !known:
			c.Wrong(at, fmt.Sprintf("names %.40q, which is no task of this goal", on),
				fmt.Sprintf("nombra %.40q, que no es una tarea de este objetivo", on))
		}
		if err := c.Err(); err != nil {
			return err
		}
		seen[on] = true
	}
	if id == "" {
		return nil
	}
	byID[id] = Task{ID: id, Details: d}
	if cycle := findCycle(id, byID); cycle != nil {
		return cycleError(cycle)
	}
	return nil
}

// findCycle walks the dependencies of a task and gives the way back to it, if
// there is one. The rest of the graph has no cycle: every change was checked.
func findCycle(id string, byID map[string]Task) []Task {
	visited := map[string]bool{}
	var walk func(at string) []Task
	walk = func(at string) []Task {
		for _, on := range byID[at].DependsOn {
			if on == id {
				return []Task{byID[at]}
			}
			if visited[on] {
				continue
			}
			visited[on] = true
			if way := walk(on); way != nil {
				return append([]Task{byID[at]}, way...)
			}
		}
		return nil
	}
	return walk(id)
}

// cycleError names the cycle by titles, and by ids in its details.
func cycleError(cycle []Task) error {
	titles, ids := make([]string, 0, len(cycle)+1), make([]string, 0, len(cycle)+1)
	for _, t := range append(cycle, cycle[0]) {
		titles, ids = append(titles, fmt.Sprintf("%.60q", t.Title)), append(ids, t.ID)
	}
	return ErrCycle.New(strings.Join(titles, " → ")).WithDetail("cycle", strings.Join(ids, ",")).
		WithField("depends_on", "would make a cycle")
}

// Unfinished are the tasks that the task waits for.
func (t Task) Unfinished(siblings []Task) (waiting []Task) {
	for _, s := range siblings {
		for _, on := range t.DependsOn {
			if s.ID == on && !s.Status.Done() {
				waiting = append(waiting, s)
			}
		}
	}
	return waiting
}
