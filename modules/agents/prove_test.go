package agents_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/agentstest"
	"github.com/goals-tracker/tracker/modules/rag/ragtest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

const doubling = "---\ntitle: Doubling\nunit: 1\nconcepts: [doubling]\nobjectives: [Double numbers]\n---\n# Doubling\n\nTo double a number is to add it to itself, or to multiply it by two.\n\n## Signs\n\nThe double of a negative number is negative.\n"

// lesson is a course of one unit with exercises of three files each: starter,
// solution, tests.
func lesson(exercises map[string][3]string) fstest.MapFS {
	course := fstest.MapFS{"01-doubling.md": {Data: []byte(doubling)}}
	for slug, files := range exercises {
		at := "exercises/" + slug
		course[at+"/exercise.md"] = &fstest.MapFile{Data: []byte("---\ntitle: " + slug + "\nunit: 1\nconcepts: [doubling]\nlanguage: python\n---\n# " + slug + "\n\nWrite `double(n)` in `double.py`, which gives twice a number.\n")}
		course[at+"/starter/double.py"] = &fstest.MapFile{Data: []byte(files[0])}
		course[at+"/solution/double.py"] = &fstest.MapFile{Data: []byte(files[1])}
		course[at+"/tests/test_double.py"] = &fstest.MapFile{Data: []byte(files[2])}
	}
	return course
}

const (
	stub     = "def double(n):\n    raise NotImplementedError\n"
	solved   = "def double(n):\n    return n * 2\n"
	telling  = "from double import double\n\ndef test_it():\n    assert double(3) == 6\n    assert double(-4) == -8\n"
	blind    = "from double import double\n\ndef test_it_runs():\n    double(3)\n"
	mistaken = "from double import double\n\ndef test_it():\n    assert double(3) == 7\n"
)

// Tests that prove nothing judge nobody: the task says so, in plain words.
func TestOnlyExercisesWhoseTestsAreProvenAreJudged(t *testing.T) {
	b := setupProving(t, nil, true)
	b.ingested[english] = true
	ragtest.Ingest(t, b.rag, english, lesson(map[string][3]string{
		"good": {stub, solved, telling}, "blind": {stub, solved, blind}, "wrong": {stub, solved, mistaken}, "done": {solved, solved, telling},
	}))
	goal := b.goal(ada, english, "Doubling")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	if run.Plan == nil {
		t.Fatalf("the run is %s for %q: %+v", run.Status, run.WaitingFor, run.Message)
	}
	says := map[string]string{"blind": "notice only", "wrong": "does not pass its own tests", "done": "passes the tests as it is"}
	for _, task := range run.Plan.Tasks {
		why, bad := says[task.Title]
		switch {
		case task.Title == "good":
			if p := task.Proof; task.Type != tasks.TypeCode || p == nil || p.Mutants == 0 || p.Killed != p.Mutants || len(p.Operators) == 0 || !strings.HasPrefix(p.JudgedBy, "validator-python ") {
				t.Errorf("%s is of type %s, proof %+v", task.Title, task.Type, task.Proof)
			}
		case bad:
			if task.Type == tasks.TypeCode || task.Proof != nil || len(task.Tests) != 0 || !strings.Contains(task.Description, why) {
				t.Errorf("%s is of type %s with %d tests: %q", task.Title, task.Type, len(task.Tests), task.Description)
			}
		}
	}
	if got := titles(run.Plan); !has(got, "good") || !has(got, "blind") || !has(got, "wrong") || !has(got, "done") {
		t.Errorf("the plan is %q", got)
	}
	run = b.approve(ada, run.ID)
	for _, task := range b.tasksOf(goal.ID) {
		if judged := task.Validation != nil && len(task.Validation.Tests) > 0; judged != (task.Title == "good") {
			t.Errorf("%s is judged: %v", task.Title, judged)
		}
	}
	// What was tried out once is known from then on.
	again := b.plan(ada, agents.PlanRequest{GoalID: b.goal(ada, english, "Doubling").ID})
	if len(again.Plan.Tasks) != len(run.Plan.Tasks) {
		t.Errorf("%d tasks, then %d", len(run.Plan.Tasks), len(again.Plan.Tasks))
	}
}

func TestAnExerciseThatAModelWritesIsShownOnceItIsProven(t *testing.T) {
	file := func(path, content string) []object { return []object{{"path": path, "content": content}} }
	code := func(r *script.Request, key, tests string) object {
		m := cited(r, key, "")
		m["type"] = "code"
		m["code"] = object{"language": "python", "starter": file("double.py", stub), "solution": file("double.py", solved), "tests": file("test_double.py", tests)}
		return m
	}
	b := setupProving(t, provider(t, func(r *script.Request) script.Turn {
		return say(planOf(cited(r, "read", ""), code(r, "good", telling), code(r, "blind", blind)))
	}, nil), true)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
	if run.Status != agents.StatusDone || run.Plan.Label == agents.BuiltInPlanner {
		t.Fatalf("the run is %s by %s: %+v", run.Status, run.Label, run.Message)
	}
	for _, task := range b.tasksOf(goal.ID) {
		switch task.Title {
		case "Task good":
			v := task.Validation
			if v == nil || len(v.Tests) != 1 || !v.Tests[0].Hidden || len(v.Starter) != 1 || task.Language != "python" {
				t.Errorf("the proven task has %+v", v)
			}
		case "Task blind":
			if task.Validation != nil || task.Type == tasks.TypeCode || !strings.Contains(task.Description, "Without automatic tests") {
				t.Errorf("the other is of type %s: %q", task.Type, task.Description)
			}
		}
		if strings.Contains(task.Description+task.Metadata.Text(), "n * 2") {
			t.Errorf("%q gives the solution away", task.Title)
		}
	}
}

// absent judges nothing, as a server without a sandbox.
type absent struct{ agentstest.Trusting }

func (absent) Judged(context.Context, string) (string, error) {
	return "", errors.New("there is no sandbox on this machine")
}

func TestWhereNothingCanBeTriedOutThePlanSaysSo(t *testing.T) {
	b := setupWith(t, nil, absent{})
	goal := b.goal(eva, spanish, "Entender los bucles")
	run := b.plan(eva, agents.PlanRequest{GoalID: goal.ID})
	for range 200 { // each trial is made three times
		if run.Plan != nil || !run.Status.Active() {
			break
		}
		time.Sleep(20 * time.Millisecond)
		b.agents.Drain(t)
		run = b.run(eva, run.ID)
	}
	if run.Plan == nil {
		t.Fatalf("the run is %s at %s: %+v", run.Status, run.Node, run.Message)
	}
	told := 0
	for _, task := range run.Plan.Tasks {
		if task.Type == tasks.TypeCode || task.Proof != nil {
			t.Errorf("%q is of type %s", task.Title, task.Type)
		}
		if strings.Contains(task.Description, "**Sin pruebas automáticas.**") && strings.Contains(task.Description, "nada evalúa python") {
			told++
		}
	}
	if told < 4 {
		t.Errorf("%d tasks say that nothing judges them", told)
	}
}
