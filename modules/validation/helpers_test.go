package validation_test

import (
	"context"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// limit gives the task's steps wall milliseconds.
func (b *bundle) limit(task tasks.Task, wall uint32) {
	b.t.Helper()
	b.do(auth.System("test"), func(ctx context.Context, tx *postgres.Tx) error {
		v := *task.Validation
		v.Limits, v.Tests = tasks.Limits{WallMS: wall, CPUMS: wall}, []tasks.File{tasks.NewFile("test_main.py", doubleTest, true)}
		pv := &v
		_, err := b.tasks.UpdateTx(ctx, tx, task.ID, nil, tasks.Patch{Validation: &pv})
		return err
	})
}

func (b *bundle) withTests(taskID, path, content string) (task tasks.Task) {
	b.t.Helper()
	b.do(auth.System("test"), func(ctx context.Context, tx *postgres.Tx) (err error) {
		pv := &tasks.Validation{Tests: []tasks.File{tasks.NewFile(path, content, true)}}
		task, err = b.tasks.UpdateTx(ctx, tx, taskID, nil, tasks.Patch{Validation: &pv})
		return err
	})
	return task
}

func (b *bundle) reopen(actor auth.Actor, taskID string) {
	b.t.Helper()
	b.do(actor, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := b.tasks.ReopenTx(ctx, tx, taskID, nil)
		return err
	})
}

func (b *bundle) withoutLanguage(actor auth.Actor) tasks.Task {
	b.t.Helper()
	goal := goalstest.Create(b.t, b.DB, b.goals, actor, "", "Learn")
	return taskstest.Create(b.t, b.DB, b.tasks, actor, goal.ID, tasks.New{Last: true, Details: tasks.Details{Title: "Any", Type: tasks.TypeCode}})[0]
}

// hostile answers with what a plugin must not.
type hostile struct{ fake }

func (h *hostile) Judge(_ context.Context, job judge.Job, _ func(string)) (judge.Result, error) {
	r := &judging.Report{Verdict: judging.VerdictFailed, Output: strings.Repeat("\x00\xff", 1<<20), Versions: map[string]string{"a\x00": "\xff"}}
	for i := range 300 {
		r.Tests = append(r.Tests, judging.Test{
			ID: strings.Repeat("t", i+1), Status: judging.StatusFail, TaskID: "\x00", Output: strings.Repeat("é", 100_000),
			Message: judging.Message{Text: map[string]string{"en": "\xc3\x28\x00"}},
		})
	}
	return judge.Result{Plugin: job.Plugin, PluginVersion: "1.0.0\x00", Report: r}, nil
}

// demands notes which integrity was asked for.
type demands struct {
	fake
	required []judging.Integrity
}

func (d *demands) Judge(ctx context.Context, job judge.Job, stage func(string)) (judge.Result, error) {
	d.required = append(d.required, job.Task.RequiredIntegrity)
	return d.fake.Judge(ctx, job, stage)
}
