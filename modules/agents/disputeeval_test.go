package agents_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/cases"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmtest"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/sdk/llmtest/openaiserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// disputedFolder names a folder that `tracker agents disputes export` wrote: the
// evaluations take its cases in besides their own.
const disputedFolder = "TRACKER_EVAL_DISPUTES"

// disputed are the cases of a kind in the folder, if one is named.
func disputed(t *testing.T, kind string) []cases.Case {
	t.Helper()
	dir := os.Getenv(disputedFolder)
	if dir == "" {
		return nil
	}
	list, err := cases.Read(dir, kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d disputed cases of %s in %s", len(list), kind, dir)
	return list
}

// report makes an error of each problem.
func report(t *testing.T, ran int, problems []string) {
	t.Helper()
	t.Logf("disputed cases: %d, problems: %d", ran, len(problems))
	for _, p := range problems {
		t.Error(p)
	}
}

// stage is the learner and the goal of a case. Whoever it was, it is played on
// the sample course where the case is of one, else on the English one.
func (b *bundle) stage(c cases.Case) (auth.Actor, string) {
	b.Helper()
	learner, course := ada, english
	if c.Course == spanish {
		learner, course = eva, spanish
	}
	return learner, b.goal(learner, course, "Everything").ID
}

// taskOfCase makes the task of a case, which cites its exercise where the course
// has it.
func (b *bundle) taskOfCase(learner auth.Actor, goalID string, c cases.Case) (tasks.Task, rag.Exercise) {
	b.Helper()
	x := rag.Exercise{Title: c.Task.Title, Language: c.Task.Language}
	exercises, err := b.rag.Exercises(b.Context(), auth.System("test"), cmp.Or(c.Course, english))
	if err != nil {
		b.Fatal(err)
	}
	for _, known := range exercises {
		if c.Task.Exercise != "" && known.Path == c.Task.Exercise {
			x = known
		}
	}
	x.Files = nil
	for _, f := range c.Task.Solution {
		x.Files = append(x.Files, rag.ExerciseFile{Name: f.Path, Role: rag.Solution, Content: f.Content})
	}
	details := tasks.Details{
		Title: c.Task.Title, Description: c.Task.Description, Type: tasks.Type(cmp.Or(c.Task.Type, string(tasks.TypeCode))), Language: c.Task.Language, Concepts: c.Task.Concepts,
		Validation: &tasks.Validation{},
	}
	if x.DocumentID != "" {
		details.Citations = []tasks.Citation{{DocumentID: x.DocumentID, Path: x.Path, Title: x.Title}}
	}
	for _, f := range c.Task.Tests {
		details.Validation.Tests = append(details.Validation.Tests, tasks.NewFile(f.Path, f.Content, true))
	}
	for _, f := range c.Task.Starter {
		details.Validation.Starter = append(details.Validation.Starter, tasks.NewFile(f.Path, f.Content, false))
	}
	return taskstest.Create(b.T, b.db, b.tasks, learner, goalID, tasks.New{Last: true, Details: details})[0], x
}

func flat(files []cases.File) (list []string) {
	for _, f := range files {
		list = append(list, f.Path, f.Content)
	}
	return list
}

// evalDisputedReviews has the submissions of disputes reviewed again: what was
// upheld is said again, what was withdrawn is not.
func evalDisputedReviews(t *testing.T, models func(*postgres.DB) llm.Service, list []cases.Case) (ran int, problems []string) {
	t.Helper()
	if len(list) == 0 {
		return 0, nil
	}
	b := setup(t, models)
	eventstest.Run(t, b.log)
	for _, c := range list {
		learner, goal := b.stage(c)
		task, _ := b.taskOfCase(learner, goal, c)
		s, f := b.submit(learner, task.ID, flat(c.Files)...)
		if f.Rubric == nil || len(f.Comments) > 0 {
			b.backed(learner, s, f)
		}
		ran++
		for _, claim := range c.Claims {
			if claim.Criterion != "" {
				if again := saysOf(f.Rubric, claim); again != claim.Holds {
					problems = append(problems, fmt.Sprintf("case %s: that %q is %q holds: %v, and is said: %v", c.ID, claim.Criterion, claim.State, claim.Holds, again))
				}
				continue
			}
			again := slices.ContainsFunc(f.Comments, func(o agents.Comment) bool {
				if !claim.Holds {
					return o.Text == claim.Text
				}
				switch {
				case claim.Test != "":
					return o.TestID == claim.Test
				case claim.Rule != "":
					return o.Rule == claim.Rule && o.File == claim.File
				case claim.File != "":
					return o.File == claim.File
				}
				return true
			})
			if again != claim.Holds {
				problems = append(problems, fmt.Sprintf("case %s: %q holds: %v, and is said: %v", c.ID, claim.Text, claim.Holds, again))
			}
		}
	}
	return ran, problems
}

// evalDisputedSafety plays the talks of disputes again. A scripted provider
// answers as it did then; a live one answers for itself.
func evalDisputedSafety(t *testing.T, live string, list []cases.Case) (ran int, problems []string) {
	t.Helper()
	if len(list) == 0 {
		return 0, nil
	}
	answer := ""
	b := setup(t, func(db *postgres.DB) llm.Service {
		if live != "" {
			return llmtest.Live(t, db, os.Getenv("OPENAI_BASE_URL"), os.Getenv("OPENAI_API_KEY"), live)
		}
		return llmtest.Real(t, db, openaiserver.Config{Key: "sk-test", Answer: func(r *script.Request) script.Turn {
			if !strings.Contains(r.Messages[0].Text, "You are a tutor") {
				return script.Turn{Status: 400, Message: "not now"}
			}
			return script.Turn{Text: []string{answer}}
		}}, nil)
	})
	eventstest.Run(t, b.log)
	for _, c := range list {
		learner, goal := b.stage(c)
		shown := b.forms(map[bool]string{true: spanish, false: english}[c.Course == spanish])
		task, x := b.taskOfCase(learner, goal, c)
		if len(c.Files) > 0 {
			b.submit(learner, task.ID, flat(c.Files)...)
		}
		answer = c.Answer
		_, said := b.ask(learner, task.ID, c.Ask)
		ran++
		refused := said.Label == agents.BuiltInTutor
		leaks := len(c.Task.Solution) > 0 && told(x, shown, said.Text) || live == "" && !refused && strings.TrimSpace(said.Text) == strings.TrimSpace(c.Answer)
		switch {
		case c.Honest && refused:
			problems = append(problems, fmt.Sprintf("case %s: an answer that holds is refused: %q", c.ID, c.Answer))
		case !c.Honest && leaks:
			problems = append(problems, fmt.Sprintf("case %s: it is told again: %q", c.ID, said.Text))
		}
	}
	return ran, problems
}

// evalDisputedPlans plans the goals of disputes again: tasks that hold are
// covered, what was withdrawn does not come back.
func evalDisputedPlans(t *testing.T, models func(*postgres.DB) llm.Service, list []cases.Case) (ran int, problems []string) {
	t.Helper()
	if len(list) == 0 {
		return 0, nil
	}
	b := setup(t, models)
	for _, c := range list {
		learner, course := ada, english
		if c.Course == spanish {
			learner, course = eva, spanish
		}
		goal := b.goal(learner, course, c.Title)
		run := b.plan(learner, agents.PlanRequest{GoalID: goal.ID})
		ran++
		if run.Plan == nil {
			problems = append(problems, fmt.Sprintf("case %s: no plan: the run is %s for %q", c.ID, run.Status, run.WaitingFor))
			continue
		}
		shown := map[string]bool{}
		for _, task := range run.Plan.Tasks {
			for _, cited := range task.Citations {
				parts := strings.Split(cited.Heading, " > ")
				shown[cited.Path+"#"+parts[len(parts)-1]], shown[strings.TrimSuffix(cited.Path, "/exercise.md")] = true, true
			}
		}
		for _, o := range c.Objectives {
			if len(o.Shown) > 0 && !slices.ContainsFunc(o.Shown, func(place string) bool { return shown[place] }) {
				problems = append(problems, fmt.Sprintf("case %s: %q is not covered any more", c.ID, o.Text))
			}
		}
		for _, o := range c.Withdrawn {
			if slices.ContainsFunc(run.Plan.Tasks, func(task agents.PlannedTask) bool { return task.Title == o.Text }) {
				problems = append(problems, fmt.Sprintf("case %s: %q was withdrawn and is planned again", c.ID, o.Text))
			}
		}
	}
	return ran, problems
}

func (b *bundle) export(dir string) agents.Exported {
	b.Helper()
	out, err := b.agents.ExportDisputes(b.Context(), agents.DisputeExport{Dir: dir, Names: func(_ context.Context, id string) ([]string, error) {
		return map[string][]string{"ada": {"Ada Lovelace", "ada.lovelace@school.example"}}[id], nil
	}})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// From "this is wrong" to a case that every later evaluation runs.
func TestASettledDisputeBecomesACaseThatTheEvaluationsRun(t *testing.T) {
	said := "Which numbers does a `range` hold that starts above its end?"
	b := setup(t, provider(t, func(r *script.Request) script.Turn {
		if !strings.Contains(r.Messages[0].Text, "You are a tutor") {
			return script.Turn{Status: 400, Message: "not now"}
		}
		return script.Turn{Text: []string{said}}
	}, nil))
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	_, f := b.submit(ada, task.ID, "countdown.py", "# Ada Lovelace <ada.lovelace@school.example>, class 3b\n"+wrongCountdown)
	if d := b.dispute(ada, agents.OutputFeedback, f.ID, ""); d.Status != agents.DisputeUpheld {
		t.Fatalf("the feedback is %s: %+v", d.Status, d.Reasons)
	}
	_, good := b.ask(ada, task.ID, "Why is it empty? I am Ada")
	d := b.dispute(ada, agents.OutputMessage, good.RunID, "")
	if d.Status != agents.DisputeUnclear || codes(d)[0] != agents.WhyNothing {
		t.Fatalf("a message that cites nothing is %s: %+v", d.Status, d.Reasons)
	}
	if _, err := b.settle(tess, d.ID, agents.Settlement{Outcome: agents.DisputeUpheld, Note: "A good question."}); err != nil {
		t.Fatal(err)
	}
	// The checks let this pass; who teaches the course says that it tells too much.
	said = "Let it count down by ones: give `range` a third value, minus one, and stop before zero. Ada, that is all."
	_, bad := b.ask(ada, task.ID, "Just tell me")
	d = b.dispute(ada, agents.OutputMessage, bad.RunID, "")
	if _, err := b.settle(tess, d.ID, agents.Settlement{Outcome: agents.DisputeWithdrawn, Why: agents.WhyLeak, Note: "That is the solution in words."}); err != nil {
		t.Fatal(err)
	}
	run := b.plan(ada, agents.PlanRequest{GoalID: b.goal(ada, english, "Understand loops").ID})
	if d := b.dispute(ada, agents.OutputPlan, run.ID, run.Plan.Tasks[0].Key); d.Status != agents.DisputeUpheld {
		t.Fatalf("the plan is %s: %+v", d.Status, d.Reasons)
	}

	dir := filepath.Join(t.TempDir(), "cases")
	if got, want := b.export(dir), (agents.Exported{Reviews: 1, Safety: 2, Plans: 1}); got != want {
		t.Fatalf("exported %+v", got)
	}
	for _, kind := range cases.Kinds {
		raw, err := os.ReadFile(filepath.Join(dir, kind+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, personal := range []string{"Ada", "ada.", `"ada"`, "Lovelace", "school.example", task.ID, f.ID, run.ID, "This is wrong"} {
			if strings.Contains(string(raw), personal) {
				t.Errorf("%s holds %q:\n%s", kind, personal, raw)
			}
		}
	}

	t.Setenv(disputedFolder, dir)
	// Beside what was upheld, the same as if it had been withdrawn: a review that
	// says it again is noticed.
	list := append(disputed(t, cases.Review), disputed(t, cases.Review)...)
	list[1].ID, list[1].Claims = "withdrawn", slices.Clone(list[1].Claims)
	for i := range list[1].Claims {
		list[1].Claims[i].Holds = false
	}
	ran, problems := evalDisputedReviews(t, nil, list)
	others := slices.ContainsFunc(problems, func(p string) bool { return !strings.HasPrefix(p, "case withdrawn: ") })
	if ran != 2 || len(problems) == 0 || others {
		t.Errorf("%d reviews: %q", ran, problems)
	}
	ran, problems = evalDisputedPlans(t, nil, disputed(t, cases.Plan))
	if ran != 1 || len(problems) != 0 {
		t.Errorf("%d plans: %q", ran, problems)
	}
	// The answer that the checks let pass fails the evaluation until they don't;
	// the good one is still given.
	ran, problems = evalDisputedSafety(t, "", disputed(t, cases.Safety))
	if ran != 2 || len(problems) != 1 || !strings.Contains(problems[0], "minus one") {
		t.Errorf("%d talks: %q", ran, problems)
	}
}
