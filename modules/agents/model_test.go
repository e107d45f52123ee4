package agents_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmtest"
	"github.com/goals-tracker/tracker/sdk/llmtest/openaiserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

type object = map[string]any

// noCode is what tasks bring that are no code of the model's own.
var noCode = object{"language": "", "starter": []object{}, "solution": []object{}, "tests": []object{}}

// provider is the real gateway and plugin over a server that answers by script.
func provider(t *testing.T, answer script.Answer, stack **llmtest.Stack) func(*postgres.DB) llm.Service {
	t.Helper()
	return func(db *postgres.DB) llm.Service {
		s := llmtest.Real(t, db, openaiserver.Config{Key: "sk-test", Answer: answer}, nil)
		if stack != nil {
			*stack = s
		}
		return s
	}
}

func say(value any) script.Turn {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return script.Turn{Text: []string{string(raw)}}
}

var passage = regexp.MustCompile(`(?m)^\[(P\d+)\] (.+)\n(.{20,60})`)

// cited is a task that cites what the prompt shows, word for word.
func cited(r *script.Request, key, exercise string, dependsOn ...string) object {
	prompt := ""
	for _, m := range r.Messages {
		if strings.Contains(m.Text, "<material>") {
			prompt = m.Text
		}
	}
	m := passage.FindStringSubmatch(prompt)
	if m == nil {
		panic("the prompt shows no passage")
	}
	quote := strings.Join(strings.Fields(m[3])[:3], " ")
	return object{
		"key": key, "title": "Task " + key, "description": "See [this](https://evil.example/x) ![x](https://evil.example/y) and work.", "type": "research",
		"estimated_hours": 1, "difficulty": 2, "depends_on": append([]string{}, dependsOn...), "concepts": []string{"values"}, "exercise": exercise, "code": noCode,
		"citations": []object{{"passage": m[1], "quote": quote}},
	}
}

func planOf(tasks ...object) object {
	return object{"summary_en": "A plan.", "summary_es": "Un plan.", "objectives": []string{"loops"}, "tasks": tasks}
}

func TestAModelsPlanPassesTheSameChecks(t *testing.T) {
	var stack *llmtest.Stack
	b := setup(t, provider(t, func(r *script.Request) script.Turn {
		return say(planOf(cited(r, "a", ""), cited(r, "b", "E1", "a"), cited(r, "c", "", "b"), cited(r, "d", "", "b"), cited(r, "e", "", "d")))
	}, &stack))
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
	if run.Status != agents.StatusDone || run.Label != "llm-openai gpt-4o-mini" || run.Cost.ModelCalls != 1 || run.Cost.InputTokens == 0 {
		t.Fatalf("the run is %s, labelled %q, cost %+v: %+v", run.Status, run.Label, run.Cost, run.Message)
	}
	list := b.tasksOf(goal.ID)
	if len(list) != 5 || list[1].Validation == nil || len(list[1].Validation.Tests) == 0 || !strings.Contains(list[1].Description, "## Your task") {
		t.Errorf("%d tasks; the exercise is %+v", len(list), list)
	}
	if strings.Contains(list[0].Description, "evil") || strings.Contains(list[0].Description, "](") {
		t.Errorf("a link came through: %q", list[0].Description)
	}
	b.sound(ada, list)
}

func TestABadPlanIsMendedByTheModel(t *testing.T) {
	calls := 0
	b := setup(t, provider(t, func(r *script.Request) script.Turn {
		if calls++; calls == 1 { // a cycle, and a quote that nobody wrote
			bad := cited(r, "b", "", "a")
			bad["citations"] = []object{{"passage": "P1", "quote": "words that the course never says"}}
			return say(planOf(cited(r, "a", "", "b"), bad))
		}
		if !strings.Contains(r.LastUserText(), "does not say") || !strings.Contains(r.LastUserText(), "depends on itself") {
			return script.Turn{Status: 400, Message: "the problems were not told"}
		}
		return say(planOf(cited(r, "a", ""), cited(r, "b", "", "a")))
	}, nil))
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
	if run.Status != agents.StatusDone || run.Cost.ModelCalls != 2 || len(run.Plan.Tasks) != 2 || run.Plan.Label != "llm-openai gpt-4o-mini" {
		t.Fatalf("the run is %s after %d calls: %q", run.Status, run.Cost.ModelCalls, titles(run.Plan))
	}
	b.sound(ada, b.tasksOf(goal.ID))
}

func TestWhatAModelCantDoTheRulesDo(t *testing.T) {
	var answer script.Answer
	b := setup(t, provider(t, func(r *script.Request) script.Turn { return answer(r) }, nil))
	for name, turn := range map[string]script.Answer{
		"no JSON, twice":       func(*script.Request) script.Turn { return script.Turn{Text: []string{"I'd rather chat."}} },
		"another shape, twice": func(*script.Request) script.Turn { return say(object{"plan": "none"}) },
		"a refusal":            func(*script.Request) script.Turn { return script.Turn{Refusal: "I can't help with that."} },
		"an error":             func(*script.Request) script.Turn { return script.Turn{Status: 500, Message: "boom"} },
		"no tasks":             func(*script.Request) script.Turn { return say(planOf()) },
		"citations made up": func(r *script.Request) script.Turn {
			m := cited(r, "a", "")
			m["citations"] = []object{}
			return say(planOf(m))
		},
		"exercises made up": func(r *script.Request) script.Turn { return say(planOf(cited(r, "a", "E99"))) },
		"hours beyond a career": func(r *script.Request) script.Turn {
			m := cited(r, "a", "")
			m["estimated_hours"] = 1e9
			return say(planOf(m))
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer = turn
			goal := b.goal(ada, english, "Understand loops")
			run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
			if run.Status != agents.StatusDone || run.Label != agents.BuiltInPlanner || !has(titles(run.Plan), "Read: Loops") {
				t.Errorf("the run is %s, labelled %q: %+v, %q", run.Status, run.Label, run.Message, titles(run.Plan))
			}
			if run.Cost.ModelCalls == 0 || run.Cost.ModelCalls > 3 {
				t.Errorf("%d calls", run.Cost.ModelCalls)
			}
		})
	}
}

func TestAModelsClaimsWithoutEvidenceAreDropped(t *testing.T) {
	none := func(text string) object {
		return object{"text": text, "file": "", "start_line": 0, "end_line": 0, "rule": "", "test": "", "passage": ""}
	}
	with := func(text, field string, value any) object { o := none(text); o[field] = value; return o }
	code := "```python\ntext = ''\nfor n in range(start, 0, -1):\n    text += f'{n}, '\nreturn text + 'Liftoff!'\n```"
	only := false
	b := setup(t, provider(t, func(r *script.Request) script.Turn {
		if strings.Contains(r.Messages[0].Text, "You plan") {
			return script.Turn{Status: 400, Message: "not now"}
		}
		if only {
			return say(object{"comments": []object{none("Just believe me.")}})
		}
		lines := with("Look at how the range counts.", "file", "countdown.py")
		lines["start_line"], lines["end_line"] = 3, 3
		beyond := with("Look far below.", "file", "countdown.py")
		beyond["start_line"], beyond["end_line"] = 300, 301
		return say(object{"comments": []object{
			with("Which number comes first?", "test", "T1"), lines, beyond,
			none("Just believe me."), with("Nobody has this test.", "test", "T99"), with("Nor this rule.", "rule", "made-up"),
			with("Your code has passed.", "test", "T1"), with("Write this:\n"+code, "test", "T1"), with("Write this:\ntext = ''\nfor n in range(start, 0, -1):\n    text += f'{n}, '", "test", "T1"), with("Read on.", "passage", "P99"),
		}})
	}, nil))
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	s, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	b.backed(ada, s, f)
	// What the model left out of the tests that fail, the rules add.
	if said := modelSaid(f); len(said) != 2 || len(f.Comments) == 2 || f.Label != "llm-openai gpt-4o-mini" {
		t.Errorf("labelled %q: %+v", f.Label, f.Comments)
	}
	only = true
	if _, f = b.submit(ada, task.ID, "countdown.py", wrongCountdown+"\n"); f.Label != agents.BuiltInReviewer || len(f.Comments) == 0 {
		t.Errorf("labelled %q: %+v", f.Label, f.Comments)
	}
}

// modelSaid are the comments that are not the rules'.
func modelSaid(f agents.Feedback) (all []agents.Comment) {
	for _, c := range f.Comments {
		if !strings.HasPrefix(c.Text, "The test **") {
			all = append(all, c)
		}
	}
	return all
}

func TestAPromptHoldsNoTestsAndNoSolutions(t *testing.T) {
	var prompts strings.Builder
	b := setup(t, provider(t, func(r *script.Request) script.Turn {
		for _, m := range r.Messages {
			fmt.Fprintln(&prompts, m.Text)
		}
		return script.Turn{Status: 400, Message: "enough"}
	}, nil))
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	said := prompts.String()
	if !strings.Contains(said, "<submission>") || !strings.Contains(said, "<material>") {
		t.Fatal("nothing was asked")
	}
	for _, content := range append(fileContents(b, task.ID)[:1], solution(t, english, "countdown")[1]) {
		if n := copies(said, content); n > 2 {
			t.Errorf("the prompts share %d lines with\n%s", n, content)
		}
	}
}
