package agents_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/cases"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// labelledGoal is a goal with what a plan for it must lead to. An objective is
// covered when a task cites one of its sections ("file#heading") or is one of
// its exercises.
type labelledGoal struct {
	Course     string `json:"course"`
	Learner    string `json:"learner"`
	Title      string `json:"title"`
	Objectives []struct {
		Text  string   `json:"text"`
		Shown []string `json:"shown"`
	} `json:"objectives"`
}

// The floors of a plan.
const (
	leastTasks    = 8
	leastCode     = 0.6
	leastCovered  = 0.8
	enoughMutants = 20
)

// figures are what is counted of one plan.
type figures struct {
	tasks, code                       int
	citations, valid                  int
	dag                               bool
	objectives, covered               int
	proven, mutants, killed, thorough int
	calls                             int
}

func (f figures) row() string {
	return fmt.Sprintf("%5d %4.0f%% %9s %4v %9s %8s %11s %8d %5d", f.tasks, 100*float64(f.code)/float64(max(f.tasks, 1)),
		fmt.Sprintf("%d/%d", f.valid, f.citations), f.dag, fmt.Sprintf("%d/%d", f.covered, f.objectives),
		fmt.Sprintf("%d/%d", f.proven, f.code), fmt.Sprintf("%d/%d", f.killed, f.mutants), f.thorough, f.calls)
}

// TestEvalPlans plans labelled goals on two courses with each provider, through
// the graph that serves learners: the real material, plugins, sandbox and
// gateway.
func TestEvalPlans(t *testing.T) {
	if os.Getenv("TRACKER_EVAL") == "" {
		t.Skip("an evaluation: make eval runs it")
	}
	raw, err := os.ReadFile("testdata/plans.json")
	if err != nil {
		t.Fatal(err)
	}
	var goals []labelledGoal
	if err := json.Unmarshal(raw, &goals); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, p := range append([]evaluated{{"built-in", nil}, {"scripted", provider(t, plansWell, nil)}}, live(t)...) {
		ran, problems := evalDisputedPlans(t, p.models, disputed(t, cases.Plan))
		report(t, ran, problems)
		b := setupProving(t, p.models, true)
		fmt.Fprintf(&table, "\n%-9s %-54s %5s %5s %9s %4s %9s %8s %11s %8s %5s\n", "provider", "goal", "tasks", "code",
			"citations", "dag", "covered", "proven", "mutants", "with 20", "calls")
		for _, g := range goals {
			actor := map[string]auth.Actor{"ada": ada, "eva": eva}[g.Learner]
			goal := b.goal(actor, g.Course, g.Title)
			run := b.plan(actor, agents.PlanRequest{GoalID: goal.ID})
			if run.Plan == nil {
				t.Errorf("%s: %s: the run is %s for %q: %+v", p.name, g.Title, run.Status, run.WaitingFor, run.Message)
				continue
			}
			f := b.measure(actor, g, run)
			fmt.Fprintf(&table, "%-9s %-54s %s\n", p.name, g.Title, f.row())
			if f.tasks < leastTasks || float64(f.code) < leastCode*float64(f.tasks) || f.valid != f.citations || f.citations < f.tasks || !f.dag ||
				float64(f.covered) < leastCovered*float64(f.objectives) || f.proven != f.code {
				t.Errorf("%s: %s is below the floor: %+v\n%q", p.name, g.Title, f, titles(run.Plan))
			}
		}
	}
	t.Logf("%d goals; at least %d tasks, %.0f %% of them code, %.0f %% of the objectives covered, all citations valid, all code proven (\"with 20\": by %d mutants or more)\n%s",
		len(goals), leastTasks, 100*leastCode, 100*leastCovered, enoughMutants, table.String())
}

// measure counts what a plan is worth.
func (b *bundle) measure(actor auth.Actor, g labelledGoal, run agents.Run) (f figures) {
	b.Helper()
	f.tasks, f.dag, f.objectives, f.calls = len(run.Plan.Tasks), true, len(g.Objectives), run.Cost.ModelCalls
	before := map[string]bool{}
	shown := map[string]bool{}
	for _, task := range run.Plan.Tasks {
		for _, on := range task.DependsOn {
			f.dag = f.dag && before[on] // a task that waits for earlier ones alone waits for no ring
		}
		before[task.Key] = true
		for _, c := range task.Citations {
			f.citations++
			if b.says(actor, c) {
				f.valid++
			}
			parts := strings.Split(c.Heading, " > ")
			shown[c.Path+"#"+parts[len(parts)-1]] = true
			shown[strings.TrimSuffix(c.Path, "/exercise.md")] = true
		}
		if task.Type != tasks.TypeCode {
			continue
		}
		f.code++
		if p := task.Proof; p != nil {
			f.proven++
			f.mutants += p.Mutants
			f.killed += p.Killed
			if p.Mutants >= enoughMutants {
				f.thorough++
			}
		}
	}
	for _, o := range g.Objectives {
		if slices.ContainsFunc(o.Shown, func(place string) bool { return shown[place] }) {
			f.covered++
		}
	}
	return f
}

// says reports whether the document says what a citation quotes, where it says
// so.
func (b *bundle) says(actor auth.Actor, c tasks.Citation) bool {
	b.Helper()
	doc, err := b.rag.Document(b.Context(), actor, c.DocumentID)
	if err != nil || doc.Path != c.Path || c.StartLine < 1 {
		return false
	}
	lines := strings.Split(doc.Content, "\n")
	if c.EndLine > len(lines) {
		return false
	}
	there := strings.Join(lines[c.StartLine-1:c.EndLine], "\n")
	if strings.HasSuffix(c.Path, ".ipynb") { // a cell's source stands there as JSON strings
		first, _, _ := strings.Cut(c.Quote, "\n")
		quoted, err := json.Marshal(first)
		return err == nil && strings.Contains(there, strings.Trim(string(quoted), `"`))
	}
	return strings.Contains(there, c.Quote)
}
