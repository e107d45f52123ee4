package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/modules/validation/internal/service"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// jobOf is what the plugin gets to see.
func jobOf(s validation.Snapshot, t tasks.Task, plugin string, required judging.Integrity) (judge.Job, error) {
	job := judge.Job{Plugin: plugin, Task: judging.Task{RequiredIntegrity: required}, Submission: judging.Submission{Language: s.Language}}
	for _, f := range s.Files {
		job.Submission.Files = append(job.Submission.Files, judging.File{Path: f.Path, Content: []byte(f.Content), Writable: true})
	}
	v := t.Validation
	if v == nil {
		return job, nil
	}
	var err error
	if job.Task.Tests, err = contents(t, v.Tests); err != nil {
		return judge.Job{}, err
	}
	if job.Task.Starter, err = contents(t, v.Starter); err != nil {
		return judge.Job{}, err
	}
	if v.Options != "" {
		job.Task.Options = []byte(v.Options.Text())
	}
	job.Task.Limits = judging.Limits{
		Wall: time.Duration(v.Limits.WallMS) * time.Millisecond, CPU: time.Duration(v.Limits.CPUMS) * time.Millisecond,
		MemoryBytes: v.Limits.MemoryBytes, OutputBytes: v.Limits.OutputBytes,
	}
	return job, nil
}

func contents(t tasks.Task, files []tasks.File) ([]judging.File, error) {
	var out []judging.File
	for _, f := range files {
		if !f.Loaded {
			return nil, fmt.Errorf("the content of file %q of task %s is missing", f.Path, t.ID)
		}
		out = append(out, judging.File{Path: f.Path, Content: []byte(f.Content)})
	}
	return out, nil
}

// steady verdicts are those that depend on the submission alone, and not on how
// busy the machine was.
func steady(r validation.Report) bool {
	switch r.Verdict {
	case judging.VerdictPassed, judging.VerdictFailed, judging.VerdictInvalid, judging.VerdictUnproven:
		return true
	default:
		return false
	}
}

// publish stores a verdict, tells the task of it and ends the lease, all in one
// unit of work; errLost when the lease is no longer ours. What was judged is
// worth some patience: it is tried again while the database is away.
func (w *Worker) publish(ctx context.Context, lease store.Lease, v verdict) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishFor)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := w.DB.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error { return w.publishTx(ctx, tx, lease, v) })
		if err == nil || errors.Is(err, errLost) || ctx.Err() != nil {
			return err
		}
		w.Logger.Warn("a verdict could not be stored and is tried again", "run", lease.RunID, "error", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func (w *Worker) publishTx(ctx context.Context, tx *postgres.Tx, lease store.Lease, v verdict) error {
	// The task first: whoever changes it holds it before anything of ours.
	task, err := w.Tasks.LockTx(ctx, tx, lease.TaskID)
	if tasks.ErrNotFound.Is(err) {
		return errLost
	} else if err != nil {
		return err
	}
	ours, err := store.Claim(ctx, tx, lease)
	if err != nil {
		return err
	}
	if !ours {
		return errLost
	}
	run, err := store.LockRun(ctx, tx, lease.RunID)
	if err != nil {
		return err
	}
	if run == nil {
		return errLost
	}
	done, err := service.Write(ctx, tx, w.Log, *run, run.Finish(v.report, v.deduplicated, task.SnapshotNumber))
	if err != nil {
		return err
	}
	if done.Verdict == judging.VerdictPlatformError {
		if err := store.Refund(ctx, tx, lease); err != nil {
			return err
		}
	}
	if err := store.InsertReport(ctx, tx, done, v.report); err != nil {
		return err
	}
	if v.key != nil {
		if err := store.RememberReport(ctx, tx, done, v.key); err != nil {
			return err
		}
	}
	if err := w.letNextGo(ctx, tx, lease); err != nil {
		return err
	}
	_, err = w.Tasks.VerdictTx(ctx, tx, done.TaskID, tasks.Result{
		RunID: done.ID, SnapshotID: done.SnapshotID, SnapshotNumber: done.SnapshotNumber, Verdict: string(done.Verdict),
		Score: done.Score, TestsPassed: done.TestsPassed, TestsTotal: done.TestsTotal, JudgedAt: done.FinishedAt,
	})
	return err
}

// letNextGo issues a ticket for a run that its course's limit held back until
// this one ended: the ticket it came with was spent on finding that out.
func (w *Worker) letNextGo(ctx context.Context, tx *postgres.Tx, lease store.Lease) error {
	held, err := store.HeldBack(ctx, tx, lease.CourseID)
	if err == nil && held {
		w.Tickets.Issue(tx, time.Time{})
	}
	return err
}

// giveBack lets the run wait again, with a ticket for the time when it may.
func (w *Worker) giveBack(ctx context.Context, lease store.Lease, wait time.Duration, counts bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.Lease)
	defer cancel()
	return w.DB.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		ours, err := store.GiveBack(ctx, tx, lease, wait, counts)
		if err != nil || !ours {
			return err
		}
		var at time.Time
		if wait > 0 {
			at = time.Now().Add(wait)
		}
		w.Tickets.Issue(tx, at)
		return w.letNextGo(ctx, tx, lease)
	})
}

func (w *Worker) pushStage(r validation.Run, attempt int, stage string) {
	w.push(r.UserID, validation.PushStage, map[string]any{
		"run_id": r.ID, "snapshot_id": r.SnapshotID, "snapshot_number": r.SnapshotNumber, "task_id": r.TaskID,
		"attempt": attempt, "stage": stage,
	})
}

func (w *Worker) push(userID, kind string, payload map[string]any) {
	if body, err := json.Marshal(payload); err == nil && w.Pusher != nil {
		w.Pusher.Publish(bus.Message{UserID: userID, Type: kind, Payload: body})
	}
}
