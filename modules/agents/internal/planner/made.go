package planner

import (
	"fmt"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/screen"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// The bounds of an exercise that a model writes.
const (
	maxMadeFiles = 5
	maxMadeBytes = 16 << 10
)

// made takes an exercise over that a model wrote; slips is what keeps it from
// being tried out. Whether its tests are any good is for the trial to say.
func made(t *agents.PlannedTask, m modelTask) (slips []string) {
	wrong := func(format string, args ...any) {
		slips = append(slips, fmt.Sprintf("task %q: ", t.Key)+fmt.Sprintf(format, args...))
	}
	x := agents.MadeExercise{}
	for _, part := range []struct {
		name  string
		files []modelFile
		to    *[]agents.PlannedFile
	}{{"starter", m.Code.Starter, &x.Starter}, {"solution", m.Code.Solution, &x.Solution}, {"tests", m.Code.Tests, &x.Tests}} {
		if len(part.files) == 0 || len(part.files) > maxMadeFiles {
			wrong("a task of type code brings 1 to %d files of %s, this one %d", maxMadeFiles, part.name, len(part.files))
		}
		size := 0
		for _, f := range first(part.files, min(len(part.files), maxMadeFiles)) {
			if err := judging.CheckPath(f.Path); err != nil {
				wrong("the %s has a bad path: %v", part.name, err)
				continue
			}
			if size += len(f.Content); size > maxMadeBytes {
				wrong("the %s is longer than %d bytes", part.name, maxMadeBytes)
				break
			}
			*part.to = append(*part.to, agents.PlannedFile{Path: f.Path, Content: screen.Visible(f.Content)})
		}
	}
	for _, f := range x.Solution {
		if screen.Copies(t.Description, f.Content) >= 3 {
			wrong("its description gives the solution away")
		}
	}
	if len(slips) > 0 {
		return slips
	}
	t.Made, t.Language, t.Starter = &x, clip(m.Code.Language, 40), x.Starter
	for _, f := range x.Tests {
		t.Tests = append(t.Tests, agents.PlannedFile{Path: f.Path, Hidden: true})
	}
	return nil
}
