package conform

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// warms says whether a plugin has a program that serves its processes.
func (s *Subject) warms() bool {
	return slices.ContainsFunc(s.desc.Runtimes, func(r judging.Runtime) bool {
		return r.WarmUp != nil && (r.WarmUp.Protocol == judging.WarmOnce || r.WarmUp.Protocol == judging.WarmForkServer)
	})
}

// sameWarm judges cases with processes that the warm-up program serves, and
// wants the reports that executed ones give.
func (s *Subject) sameWarm(cases []*Case) func(T) {
	return func(t T) {
		pool := machine.runner.NewPool(sandbox.PoolConfig{Size: 1})
		defer func() {
			if err := pool.Close(); err != nil {
				t.Errorf("close the rooms: %v", err)
			}
		}()
		ready := &waitsFirst{pool: pool}
		warm := &Subject{judge: s.judge, desc: s.desc, toolchain: s.toolchain, exec: steprun.New(ready, judging.Limits{}), outside: map[string]bool{}}
		for _, c := range cases {
			got, _ := c.report(t, warm)
			if got != c.Report {
				t.Errorf("case %s: with a process served by the warm-up program the report is another (-want +got):\n%s", c.Name, differ(c.Report, got))
			}
		}
		for _, problem := range ready.problems {
			t.Errorf("%s", problem)
		}
		if ready.served == 0 {
			t.Logf("no process of these cases is one that the warm-up program may serve")
		}
	}
}

// waitsFirst has a room ready before each step.
type waitsFirst struct {
	pool *sandbox.Pool

	mu       sync.Mutex
	served   int
	problems []string
}

// Run implements steprun.Runner.
func (w *waitsFirst) Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error) {
	warm := step.WarmUp != nil && len(step.WarmUp.Argv) > 0 && slices.ContainsFunc(step.Processes, func(p sandbox.Process) bool { return p.Warm })
	if !warm {
		return w.pool.Run(ctx, step)
	}
	prepared := w.pool.Prepare(ctx, step)
	res, err := w.pool.Run(ctx, step)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case prepared != nil:
		w.problems = append(w.problems, fmt.Sprintf("step %s: the warm-up program did not become ready: %v", step.Name, prepared))
	case err == nil && res.Way != sandbox.Warm && res.Way != sandbox.Forked:
		w.problems = append(w.problems, fmt.Sprintf("step %s: the warm-up program did not serve it, so it ran %s", step.Name, res.Way))
	default:
		w.served++
	}
	return res, err
}
