package reference

import (
	"fmt"
	"math"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
)

// space is where ids that are no UUIDs are made into some, always the same.
var space = uuid.MustParse("5f3c7a52-9d1c-5a0b-8a70-6f3a0f0c6d11")

// idOf is what a row's id is here: the same, where it is a UUID.
func idOf(table, id string) string {
	if parsed, err := uuid.Parse(id); err == nil && len(id) == 36 {
		return parsed.String()
	}
	return uuid.NewSHA1(space, []byte(table+":"+id)).String()
}

func (g *goalRow) convert() goals.New {
	c := &g.changes
	n := goals.New{ID: idOf("goals", g.ID), UserID: g.UserID, AIGenerated: g.AIGenerated, Details: goals.Details{
		CourseID: g.CourseID, Title: c.title(g.Title), Description: c.cut("description", g.Description, 20_000),
		Priority: known(c, "priority", g.Priority, goals.Priorities, goals.PriorityMedium),
		Criteria: c.criteria(c.json("validation_criteria", g.Criteria)), Metadata: c.metadata(c.json("goal_metadata", g.Metadata)),
	}}
	if g.DueAt != nil {
		n.DueAt = *g.DueAt
	}
	return n
}

func (t *taskRow) convert() tasks.New {
	c := &t.changes
	t.Actual = c.hours("actual_hours", t.Actual)
	n := tasks.New{ID: idOf("tasks", t.ID), Details: tasks.Details{
		Title: c.title(t.Title), Description: c.cut("description", t.Description, 20_000),
		Type:     known(c, "task_type", t.Type, tasks.Types, tasks.TypeOther),
		Position: min(max(t.Priority, 0), 1_000_000), EstimatedHours: c.hours("estimated_hours", t.Estimated),
		ActualHours: t.Actual, Metadata: c.metadata(c.json("task_metadata", t.Metadata)),
	}}
	if n.Position != t.Priority {
		c.note("priority brought into 0 to 1,000,000")
		c.keep("priority", t.Priority)
	}
	if result := c.json("validation_result", t.Result); result != nil {
		c.note("the verdict of the other system kept in the history alone")
		c.keep("validation_result", result)
	}
	t.Feedback = c.cut("ai_feedback", t.Feedback, 100_000)
	return n
}

func (s *snapshotRow) convert(taskID string) validation.Recorded {
	c := &s.changes
	file := validation.File{Path: c.relative(s.Path), Content: s.Content}
	r := validation.Recorded{
		ID: idOf("code_snapshots", s.ID), TaskID: taskID, Files: []validation.File{file}, Language: c.cut("language", s.Language, 50),
	}
	if r.Language == "" {
		c.note("had no language")
		r.Language = "text"
	}
	keepSome(c, "storage_path", s.StoragePath)
	if metadata := c.json("metadata", s.Metadata); metadata != nil {
		c.keep("metadata", metadata)
	}
	before := len(c.kept)
	keepSome(c, "validation_passed", s.Passed)
	if s.Score != nil {
		c.keep("validation_score", *s.Score)
		if math.IsNaN(*s.Score) || math.IsInf(*s.Score, 0) {
			c.keep("validation_score", fmt.Sprint(*s.Score)) // JSON has no such number
		}
	}
	keepSome(c, "validation_feedback", s.Feedback)
	if issues := c.json("issues_found", s.Issues); issues != nil {
		c.keep("issues_found", issues)
	}
	if len(c.kept) > before {
		c.note("the verdict of the other system kept in the history alone")
	}
	return r
}

// relative is a path as snapshots have it: of an editor's absolute one the
// file's name.
func (c *changes) relative(p string) string {
	if strings.TrimSpace(p) == "" {
		c.note("had no file_path")
		return "unnamed"
	}
	slashed := strings.ReplaceAll(p, `\`, "/")
	clean := path.Clean(slashed)
	absolute := path.IsAbs(clean) || len(clean) > 1 && clean[1] == ':' || clean == ".." || strings.HasPrefix(clean, "../")
	if absolute || len(clean) > 512 {
		clean = path.Base(clean)
	}
	if clean != p {
		c.note("file_path made relative")
		c.keep("file_path", p)
	}
	return clean
}

// or is the first time that is there.
func or(at *time.Time, else_ time.Time) time.Time {
	if at != nil {
		return *at
	}
	return else_
}

// later is the later of two times: what follows in a stream never lies before.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
