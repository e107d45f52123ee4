package reviewer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/convert"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/rag"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// comment writes comments: a model's, where one answers, else the rules'. After
// a check that left none of a model's, the rules write.
func (r *Reviewer) comment(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	c, err := Load(ctx, r.material, r.verdicts, r.tasks, x.Run.ValidationRunID)
	if err != nil {
		return engine.Outcome{}, err
	}
	again, err := engine.Get[bool](x.State, "again")
	if err != nil {
		return engine.Outcome{}, err
	}
	if err := r.recall(ctx, c); err != nil {
		return engine.Outcome{}, err
	}
	if !again {
		if comments, label, ok := r.byModel(ctx, x, c); ok {
			comments = c.complete(comments)
			c.recognise(comments)
			return engine.Outcome{Word: "by model", Set: map[string]any{"comments": comments, "label": label}}, nil
		}
		comments, label, ok, err := r.fromEarlier(ctx, c)
		if err != nil {
			return engine.Outcome{}, err
		}
		if ok {
			return engine.Outcome{Word: "from earlier feedback", Set: map[string]any{"comments": comments, "label": label}}, nil
		}
	}
	comments, err := r.byRules(ctx, c)
	if err != nil {
		return engine.Outcome{}, err
	}
	c.recognise(comments)
	return engine.Outcome{Word: "by rules", Set: map[string]any{"comments": comments, "label": agents.BuiltInReviewer}}, nil
}

// check drops what is not backed.
func (r *Reviewer) check(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	comments, err := engine.Get[[]agents.Comment](x.State, "comments")
	if err != nil {
		return engine.Outcome{}, err
	}
	label, err := engine.Get[string](x.State, "label")
	if err != nil {
		return engine.Outcome{}, err
	}
	c, err := Load(ctx, r.material, r.verdicts, r.tasks, x.Run.ValidationRunID)
	if err != nil {
		return engine.Outcome{}, err
	}
	kept, dropped, err := c.Hold(ctx, r.material, comments)
	if err != nil {
		return engine.Outcome{}, err
	}
	again := len(kept) == 0 && label != agents.BuiltInReviewer
	return engine.Outcome{
		Word: fmt.Sprintf("%d kept, %d dropped", len(kept), len(dropped)),
		Set:  map[string]any{"comments": kept, "dropped": dropped, "again": again},
	}, nil
}

// Hold keeps the comments that are backed, and says why others are not.
func (c *Case) Hold(ctx context.Context, m Material, comments []agents.Comment) (kept []agents.Comment, dropped []string, err error) {
	ids := []string{}
	for _, comment := range comments {
		if comment.Citation != nil {
			ids = append(ids, comment.Citation.ChunkID)
		}
	}
	if err := c.LoadPassages(ctx, m, ids); err != nil {
		return nil, nil, err
	}
	kept, dropped = []agents.Comment{}, []string{}
	for _, comment := range comments {
		if why := c.Wrong(comment); why != "" {
			dropped = append(dropped, why)
			continue
		}
		kept = append(kept, comment)
	}
	return kept, dropped, nil
}

// publish stores the feedback and shows it with the task, unless a newer
// snapshot has come.
func (r *Reviewer) publish(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
	comments, err := engine.Get[[]agents.Comment](x.State, "comments")
	if err != nil {
		return engine.Outcome{}, err
	}
	label, err := engine.Get[string](x.State, "label")
	if err != nil {
		return engine.Outcome{}, err
	}
	c, err := Load(ctx, r.material, r.verdicts, r.tasks, x.Run.ValidationRunID)
	if err != nil {
		return engine.Outcome{}, err
	}
	if err := r.recall(ctx, c); err != nil {
		return engine.Outcome{}, err
	}
	rubric, err := engine.Get[*agents.Rubric](x.State, "rubric")
	if err != nil {
		return engine.Outcome{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return engine.Outcome{}, fmt.Errorf("make feedback id: %w", err)
	}
	f := agents.Feedback{
		ID: id.String(), AgentRunID: x.Run.ID, ValidationRunID: c.Run.ID, TaskID: c.Task.ID, UserID: c.Task.UserID, CourseID: c.Task.CourseID,
		SnapshotNumber: c.Run.SnapshotNumber, Text: markdown(c, comments, rubric, label), Comments: comments, Rubric: rubric, Label: label, Locale: c.Locale, Version: 1,
	}
	return engine.Outcome{
		Word: fmt.Sprintf("%d comments", len(comments)), Label: label,
		Commit: func(ctx context.Context, tx *postgres.Tx, _ *engine.Commit) error { return r.commit(ctx, tx, f) },
	}, nil
}

func (r *Reviewer) commit(ctx context.Context, tx *postgres.Tx, f agents.Feedback) error {
	task, err := r.tasks.LockTx(ctx, tx, f.TaskID)
	if err != nil {
		return err
	}
	newest, err := store.NewestFeedback(ctx, tx, system, f.TaskID)
	if err != nil {
		return err
	}
	stream := events.Stream{Type: agents.StreamFeedback, ID: f.ID, SubjectID: f.UserID, CourseID: f.CourseID}
	r.log.Append(tx, stream, 0, &agentsv1.FeedbackGenerated{
		FeedbackId: f.ID, RunId: f.AgentRunID, TaskId: f.TaskID, ValidationRunId: f.ValidationRunID, SnapshotNumber: int32(f.SnapshotNumber),
		Text: f.Text, Comments: convert.Comments(f.Comments), Label: f.Label, Rubric: convert.Rubric(f.Rubric, f.Locale),
	})
	f.CreatedAt = r.log.Now(tx)
	if err := store.InsertFeedback(ctx, tx, f); err != nil {
		return err
	}
	// Run ids grow with time: of two runs of one snapshot, the later one counts.
	late := newest != nil && (newest.SnapshotNumber > f.SnapshotNumber ||
		newest.SnapshotNumber == f.SnapshotNumber && newest.ValidationRunID > f.ValidationRunID)
	if late || task.SnapshotNumber != f.SnapshotNumber {
		return nil
	}
	_, err = r.tasks.FeedbackTx(ctx, tx, f.TaskID, f.Text)
	return err
}

// markdown is the feedback as it is shown with the task.
func markdown(c *Case, comments []agents.Comment, rubric *agents.Rubric, label string) string {
	var b strings.Builder
	b.WriteString(headline(c) + "\n")
	if progress := c.progress(); progress != "" {
		b.WriteString("\n" + progress + "\n")
	}
	for i, comment := range comments {
		at := ""
		if comment.File != "" {
			at = fmt.Sprintf("`%s:%d` ", comment.File, comment.StartLine)
		}
		text := strings.ReplaceAll(comment.Text, "\n", "\n   ")
		fmt.Fprintf(&b, "\n%d. %s%s\n", i+1, at, text)
	}
	b.WriteString(c.rubricText(rubric))
	fmt.Fprintf(&b, "\n_%s_\n", label)
	return clip(strings.TrimSpace(b.String()), 100000)
}

func sortedIDs(passages map[string]rag.Passage) []string {
	return slices.Sorted(maps.Keys(passages))
}
