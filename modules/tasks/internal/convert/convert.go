// Package convert turns the domain's tasks and changes into the messages of
// tracker.tasks.v1 and back. It decides nothing.
package convert

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

// names pairs the domain's words with enum numbers.
type names[T ~string, E ~int32] struct {
	to   map[T]E
	from map[E]T
}

func pair[T ~string, E ~int32](prefix string, all map[int32]string) names[T, E] {
	n := names[T, E]{to: map[T]E{}, from: map[E]T{}}
	for number, name := range all {
		if number == 0 {
			continue
		}
		word := T(strings.ToLower(strings.TrimPrefix(name, prefix)))
		n.to[word], n.from[E(number)] = E(number), word
	}
	return n
}

var (
	statuses = pair[tasks.Status, tasksv1.TaskStatus]("TASK_STATUS_", tasksv1.TaskStatus_name)
	types    = pair[tasks.Type, tasksv1.TaskType]("TASK_TYPE_", tasksv1.TaskType_name)
	words    = pair[tasks.CompletedBy, tasksv1.CompletedBy]("COMPLETED_BY_", tasksv1.CompletedBy_name)
)

// Status reads a status; "" for none.
func Status(s tasksv1.TaskStatus) tasks.Status { return statuses.from[s] }

// Type reads a type; "" for none.
func Type(t tasksv1.TaskType) tasks.Type { return types.from[t] }

// Task is the API's task.
func Task(t tasks.Task) *tasksv1.Task {
	if t.Outdated() {
		t.Result, t.Feedback = nil, ""
	}
	return &tasksv1.Task{
		Id: t.ID, GoalId: t.GoalID, UserId: t.UserID, CourseId: optional(t.CourseID), Title: t.Title, Description: t.Description,
		Type: types.to[t.Type], Status: statuses.to[t.Status], Position: int32(t.Position),
		EstimatedHours: t.EstimatedHours, ActualHours: t.ActualHours, DependsOn: t.DependsOn, Concepts: t.Concepts,
		Language: optional(t.Language), Validation: validation(t.Validation), Citations: citations(t.Citations),
		ValidationResult: result(t.Result), AiFeedback: optional(t.Feedback), CompletedBy: words.to[t.CompletedBy],
		Metadata: t.Metadata.Text(), StartedAt: stamp(t.StartedAt), CompletedAt: stamp(t.CompletedAt),
		CreatedAt: stamp(t.CreatedAt), UpdatedAt: stamp(t.UpdatedAt), Version: t.Version,
	}
}

// Validation reads how a submission is judged; nil for nothing.
func Validation(v *tasksv1.TaskValidation) *tasks.Validation {
	if v == nil {
		return nil
	}
	l := v.GetLimits()
	return &tasks.Validation{
		Tests: fromFiles(v.GetTests()), Starter: fromFiles(v.GetStarter()), Options: goals.Metadata(v.GetOptions()),
		Limits:            tasks.Limits{WallMS: l.GetWallMs(), CPUMS: l.GetCpuMs(), MemoryBytes: l.GetMemoryBytes(), OutputBytes: l.GetOutputBytes()},
		RequiredIntegrity: v.GetRequiredIntegrity(),
	}
}

func validation(v *tasks.Validation) *tasksv1.TaskValidation {
	if v == nil {
		return nil
	}
	out := &tasksv1.TaskValidation{Tests: files(v.Tests), Starter: files(v.Starter), Options: v.Options.Text(), RequiredIntegrity: v.RequiredIntegrity}
	if v.Limits != (tasks.Limits{}) {
		out.Limits = &tasksv1.TaskLimits{
			WallMs: v.Limits.WallMS, CpuMs: v.Limits.CPUMS, MemoryBytes: v.Limits.MemoryBytes, OutputBytes: v.Limits.OutputBytes,
		}
	}
	return out
}

func files(all []tasks.File) []*tasksv1.TaskFile {
	out := make([]*tasksv1.TaskFile, len(all))
	for i, f := range all {
		out[i] = &tasksv1.TaskFile{Path: f.Path, Content: f.Content, Hidden: f.Hidden, Digest: f.Digest}
	}
	return out
}

// fromFiles takes a content, or the digest of one that is known already.
func fromFiles(all []*tasksv1.TaskFile) []tasks.File {
	out := make([]tasks.File, len(all))
	for i, f := range all {
		if f.GetContent() == "" && f.GetDigest() != "" {
			out[i] = tasks.File{Path: f.GetPath(), Hidden: f.GetHidden(), Digest: f.GetDigest()}
			continue
		}
		out[i] = tasks.NewFile(f.GetPath(), f.GetContent(), f.GetHidden())
	}
	return out
}

// Citations reads citations.
func Citations(all []*tasksv1.Citation) []tasks.Citation {
	out := make([]tasks.Citation, len(all))
	for i, c := range all {
		out[i] = tasks.Citation{
			DocumentID: c.GetDocumentId(), ChunkID: c.GetChunkId(), Path: c.GetPath(), Title: c.GetTitle(), Heading: c.GetHeading(),
			StartLine: int(c.GetStartLine()), EndLine: int(c.GetEndLine()), Quote: c.GetQuote(),
		}
	}
	return out
}

func citations(all []tasks.Citation) []*tasksv1.Citation {
	out := make([]*tasksv1.Citation, len(all))
	for i, c := range all {
		out[i] = &tasksv1.Citation{
			DocumentId: c.DocumentID, ChunkId: c.ChunkID, Path: c.Path, Title: c.Title, Heading: c.Heading,
			StartLine: int32(c.StartLine), EndLine: int32(c.EndLine), Quote: c.Quote,
		}
	}
	return out
}

func result(r *tasks.Result) *tasksv1.ValidationResult {
	if r == nil {
		return nil
	}
	return &tasksv1.ValidationResult{
		RunId: r.RunID, SnapshotId: r.SnapshotID, SnapshotNumber: int32(r.SnapshotNumber), Verdict: r.Verdict,
		Score: r.Score, TestsPassed: int32(r.TestsPassed), TestsTotal: int32(r.TestsTotal), JudgedAt: stamp(r.JudgedAt),
	}
}

func fromResult(r *tasksv1.ValidationResult) *tasks.Result {
	if r == nil {
		return nil
	}
	return &tasks.Result{
		RunID: r.GetRunId(), SnapshotID: r.GetSnapshotId(), SnapshotNumber: int(r.GetSnapshotNumber()), Verdict: r.GetVerdict(),
		Score: r.GetScore(), TestsPassed: int(r.GetTestsPassed()), TestsTotal: int(r.GetTestsTotal()), JudgedAt: when(r.GetJudgedAt()),
	}
}

func when(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
