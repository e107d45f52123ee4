package reviewer

import (
	"context"

	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
	"github.com/goals-tracker/tracker/modules/agents/internal/words"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// LoadTask reads what can be said of a task without a run of the validator: its
// files, the solution that must not be told, and the passages that it cites.
func LoadTask(ctx context.Context, m Material, t tasks.Service, taskID string) (*Case, error) {
	task, err := t.Get(ctx, system, taskID)
	if err != nil {
		return nil, err
	}
	c := &Case{
		Base: evidence.Base{Passages: map[string]rag.Passage{}}, Task: task,
		Locale: words.Locale(task.Title + " " + task.Description), hits: map[string][]rag.Passage{},
	}
	c.Language = task.Language
	if task.Validation != nil {
		for _, f := range task.Validation.Starter {
			c.Starter += f.Content + "\n"
		}
	}
	if task.CourseID == "" {
		return c, nil
	}
	if err := c.loadSolution(ctx, m); err != nil {
		return nil, err
	}
	return c, c.loadCited(ctx, m)
}
