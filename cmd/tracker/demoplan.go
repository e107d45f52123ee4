package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// planWithin is how long a plan may take: the tests of each task are tried out
// the first time, in the sandbox.
const planWithin = 5 * time.Minute

// demoPlan is a plan as it is shown before its learner approves it.
type demoPlan struct {
	RunID string `json:"run_id"`
	Plan  struct {
		Label string `json:"label"`
		Tasks []struct {
			Key   string `json:"key"`
			Title string `json:"title"`
			Proof *struct {
				Mutants   int      `json:"mutants"`
				Killed    int      `json:"killed"`
				Operators []string `json:"operators"`
				JudgedBy  string   `json:"judged_by"`
			} `json:"proof"`
		} `json:"tasks"`
	} `json:"plan"`
}

func (d *demo) plan(ctx context.Context) error {
	planned, err := d.propose(ctx)
	if err != nil {
		return err
	}
	// The learner changes what they like before they take the plan over.
	first := planned.Plan.Tasks[0]
	title := first.Title + " (" + map[bool]string{true: "esta noche", false: "tonight"}[d.course == scripts[true].course] + ")"
	var run struct{ ID string }
	if err := d.socket.command(ctx, "plan.approve", map[string]any{
		"run_id": planned.RunID, "edits": []map[string]any{{"key": first.Key, "title": title}},
	}, &run); err != nil {
		return err
	}
	say("the learner calls the first task %q and approves", title)
	var list struct{ Tasks []demoTask }
	for deadline := time.Now().Add(time.Minute); len(list.Tasks) == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("no task came of the approved plan %s", run.ID)
		}
		if err := d.do(ctx, http.MethodGet, "/api/v1/tasks?page_size=100&goal_id="+d.goalID, nil, &list); err != nil {
			return err
		}
	}
	for _, t := range list.Tasks {
		say("task %s  %-13s %s", t.ID, t.Type, t.Title)
		for _, c := range t.Citations {
			say("       cites %s:%d-%d  %s", c.Path, c.StartLine, c.EndLine, c.Heading)
		}
		if d.task.ID == "" && t.Validation != nil && len(t.Validation.Tests) > 0 {
			d.task = t
		}
	}
	if d.task.ID == "" {
		return fmt.Errorf("the plan has no task with tests to submit to")
	}
	return nil
}

// propose has the goal planned, and answers what the planner asks.
func (d *demo) propose(ctx context.Context) (p demoPlan, err error) {
	var run struct{ ID string }
	if err := d.socket.command(ctx, "plan.generate", map[string]any{"goal_id": d.goalID}, &run); err != nil {
		return p, err
	}
	say("the tests of each task are tried out before it is shown; the first time that takes a while")
	for asked := 0; ; asked++ {
		m, err := d.socket.await(ctx, planWithin, func(m message) bool {
			return (m.Type == "plan.generated" || m.Type == "plan.question_asked") && m.field("run_id") == run.ID
		})
		if err != nil {
			return p, err
		}
		if m.Type == "plan.generated" {
			if err := json.Unmarshal(m.Payload, &p); err != nil {
				return p, err
			}
			break
		}
		var q struct {
			Question struct {
				ID      string            `json:"id"`
				Text    map[string]string `json:"text"`
				Choices []string          `json:"choices"`
			} `json:"question"`
		}
		if err := json.Unmarshal(m.Payload, &q); err != nil {
			return p, err
		}
		if asked >= len(d.answers) {
			return p, fmt.Errorf("the planner asks once more: %s", q.Question.Text["en"])
		}
		say("it asks: %s %q", q.Question.Text[map[bool]string{true: "es", false: "en"}[d.course == scripts[true].course]], q.Question.Choices)
		say("the learner answers %q", d.answers[asked])
		if err := d.socket.command(ctx, "plan.answer", map[string]any{"run_id": run.ID, "question_id": q.Question.ID, "answer": d.answers[asked]}, &run); err != nil {
			return p, err
		}
	}
	say("run %s: %s, %d tasks", p.RunID, p.Plan.Label, len(p.Plan.Tasks))
	if len(p.Plan.Tasks) == 0 {
		return p, fmt.Errorf("the plan %s is empty", p.RunID)
	}
	for _, t := range p.Plan.Tasks {
		if t.Proof != nil {
			say("proven by %s: %q, whose tests notice %d of %d faulty solutions (%d operators)", t.Proof.JudgedBy, t.Title, t.Proof.Killed, t.Proof.Mutants, len(t.Proof.Operators))
		}
	}
	return p, nil
}

// planVague plans a goal that says too little, and takes it over as it is.
func (d *demo) planVague(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.login, d.connect} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	defer func() { _ = d.socket.conn.CloseNow() }()
	var goal struct{ ID string }
	if err := d.socket.command(ctx, "goal.create", map[string]any{"title": d.vague, "course_id": d.course}, &goal); err != nil {
		return err
	}
	d.goalID = goal.ID
	planned, err := d.propose(ctx)
	if err != nil {
		return err
	}
	var run struct{ ID string }
	if err := d.socket.command(ctx, "plan.approve", map[string]any{"run_id": planned.RunID}, &run); err != nil {
		return err
	}
	approved, err := d.socket.await(ctx, time.Minute, func(m message) bool {
		return m.Type == "plan.approved" && m.field("run_id") == planned.RunID
	})
	if err != nil {
		return err
	}
	var made struct {
		TaskIDs []string `json:"task_ids"`
	}
	if err := json.Unmarshal(approved.Payload, &made); err != nil {
		return err
	}
	say("%d tasks on %s", len(made.TaskIDs), d.course)
	return nil
}
