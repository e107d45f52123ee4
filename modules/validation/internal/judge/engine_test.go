package judge

import (
	"context"
	"maps"
	"testing"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// runner has an isolation.
type runner sandbox.Isolation

func (runner) Run(context.Context, sandbox.Step) (sandbox.Result, error) {
	return sandbox.Result{}, nil
}
func (r runner) Isolation() sandbox.Isolation { return sandbox.Isolation(r) }

func TestVersionsNameAnIsolationThatIsNotTheUsual(t *testing.T) {
	versions := map[string]string{"python": "3.11"}
	for isolation, want := range map[sandbox.Isolation]map[string]string{
		sandbox.Namespaces: versions, sandbox.SecondKernel: {"python": "3.11", "isolation": "runsc"}, sandbox.NoIsolation: {"python": "3.11", "isolation": "none"},
	} {
		e := New(nil, runner(isolation), judging.Limits{})
		if got := e.mark(versions); !maps.Equal(got, want) || len(versions) != 1 {
			t.Errorf("%s: %v", isolation, got)
		}
	}
}

func TestWithoutIsolationNoReportClaimsThatTwoProcessesWereKeptApart(t *testing.T) {
	for isolation, want := range map[sandbox.Isolation]judging.Integrity{
		sandbox.Namespaces: judging.IntegritySplit, sandbox.SecondKernel: judging.IntegritySplit, sandbox.NoIsolation: judging.IntegrityShared,
	} {
		r := &judging.Report{Integrity: judging.IntegritySplit}
		New(nil, runner(isolation), judging.Limits{}).weaken(r)
		if r.Integrity != want {
			t.Errorf("%s: %s", isolation, r.Integrity)
		}
	}
}
