package convert

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/validation"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// Snapshot is a snapshot as every face shows it.
func Snapshot(s validation.Snapshot) *validationv1.Snapshot {
	out := &validationv1.Snapshot{
		Id: s.ID, TaskId: s.TaskID, UserId: s.UserID, Number: int32(s.Number), Language: s.Language, Digest: s.Digest,
		CreatedAt: stamp(s.CreatedAt), RunId: s.RunID, RunStatus: statuses.to[s.RunStatus], Verdict: verdicts.to[s.Verdict],
	}
	for _, f := range s.Files {
		out.Files = append(out.Files, &validationv1.SourceFile{Path: f.Path, Content: f.Content})
	}
	return out
}

// Submission reads a request.
func Submission(req *validationv1.SubmitSnapshotRequest) validation.Submission {
	s := validation.Submission{TaskID: req.GetTaskId(), Language: req.GetLanguage(), Code: req.Code}
	for _, f := range req.GetFiles() {
		s.Files = append(s.Files, validation.File{Path: f.GetPath(), Content: f.GetContent()})
	}
	return s
}

// Run is a run with its report as every face shows it.
func Run(r validation.Run) *validationv1.Run {
	out := &validationv1.Run{
		Id: r.ID, SnapshotId: r.SnapshotID, TaskId: r.TaskID, UserId: r.UserID, SnapshotNumber: int32(r.SnapshotNumber),
		Status: statuses.to[r.Status], Verdict: verdicts.to[r.Verdict], Score: r.Score,
		Plugin: r.Plugin, PluginVersion: r.PluginVersion, Attempt: int32(r.Attempt), Summary: text(r.Summary),
		CreatedAt: stamp(r.CreatedAt), StartedAt: stamp(r.StartedAt), FinishedAt: stamp(r.FinishedAt),
		QueuePosition: int32(r.QueuePosition), Deduplicated: r.Deduplicated,
		Reason: reasons.to[r.Reason], PreviousVerdict: verdicts.to[r.PreviousVerdict], TaskProblem: r.TaskProblem,
	}
	if r.RejudgingID != "" {
		out.RejudgingId = &r.RejudgingID
	}
	if e := r.Estimate; e != nil {
		eta := ms(e.End)
		out.EtaMs = &eta
		if r.Status == validation.StatusQueued {
			out.EstimatedStartAt = timestamppb.New(time.Now().Add(e.Start).Truncate(time.Millisecond))
		}
	}
	if r.CourseID != "" {
		out.CourseId = &r.CourseID
	}
	if r.Report == nil {
		return out
	}
	out.Toolchain, out.Integrity, out.Output = r.Report.Toolchain, r.Report.Integrity, r.Report.Output
	out.Timings = &validationv1.RunTimings{
		QueueMs: ms(r.Report.Timings.Queue), PrepareMs: ms(r.Report.Timings.Prepare), RunMs: ms(r.Report.Timings.Run), JudgeMs: ms(r.Report.Timings.Judge), Path: r.Report.Timings.Path,
	}
	out.RequiredIntegrity, out.Problem = r.Report.RequiredIntegrity, r.Report.Problem
	if l := r.Report.Limits; l != (validation.Limits{}) {
		out.Limits = &validationv1.RunLimits{WallMs: l.WallMS, CpuMs: l.CPUMS, MemoryBytes: l.MemoryBytes, OutputBytes: l.OutputBytes}
	}
	for _, t := range r.Report.Tests {
		out.Tests = append(out.Tests, &validationv1.TestResult{
			Id: t.ID, Name: t.Name, Status: tests.to[t.Status], Message: text(t.Message), Output: t.Output, DurationMs: ms(t.Duration),
			TaskId: t.TaskID, Expected: t.Expected, Actual: t.Actual,
		})
	}
	for _, f := range r.Report.Findings {
		out.Findings = append(out.Findings, &validationv1.Finding{
			File: f.File, Line: number(f.Line), Column: number(f.Column), EndLine: number(f.EndLine), EndColumn: number(f.EndColumn),
			Rule: f.Rule, Severity: severities.to[f.Severity], Message: text(f.Message), Excerpt: f.Excerpt,
		})
	}
	return out
}

// Validator is what is known of a validator as every face shows it.
func Validator(v validation.Validator) *validationv1.Validator {
	return &validationv1.Validator{
		Name: v.Name, Version: v.Version, Languages: v.Languages, Toolchain: v.Toolchain, State: v.State, Advice: v.Advice,
	}
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func ms(d time.Duration) uint32 { return number(int(d.Milliseconds())) }

func number(n int) uint32 { return uint32(min(max(n, 0), 1<<31-1)) }
