package validatorrpc

import (
	"time"

	validatorv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/validator/v1"
	"github.com/goals-tracker/tracker/sdk/judging"
)

func each[A, B any](in []A, f func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

func millis(d time.Duration) uint32 {
	ms := d.Milliseconds()
	if ms == 0 && d > 0 {
		ms = 1
	}
	return uint32(min(max(ms, 0), 1<<32-1))
}

func fromMillis(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }

func fileToProto(f judging.File) *validatorv1.File {
	return &validatorv1.File{Path: f.Path, Content: f.Content, Writable: f.Writable, Executable: f.Executable, ExecuteOnly: f.ExecuteOnly}
}

func fileFromProto(f *validatorv1.File) judging.File {
	return judging.File{Path: f.GetPath(), Content: f.GetContent(), Writable: f.GetWritable(), Executable: f.GetExecutable(), ExecuteOnly: f.GetExecuteOnly()}
}

func submissionToProto(s *judging.Submission) *validatorv1.Submission {
	return &validatorv1.Submission{Files: each(s.Files, fileToProto), Language: s.Language}
}

func submissionFromProto(s *validatorv1.Submission) judging.Submission {
	return judging.Submission{Files: each(s.GetFiles(), fileFromProto), Language: s.GetLanguage()}
}

func taskToProto(t *judging.Task) *validatorv1.TaskSpec {
	return &validatorv1.TaskSpec{
		Tests: each(t.Tests, fileToProto), Options: string(t.Options), Limits: limitsToProto(t.Limits),
		RequiredIntegrity: string(t.RequiredIntegrity), Starter: each(t.Starter, fileToProto),
	}
}

func taskFromProto(t *validatorv1.TaskSpec) judging.Task {
	return judging.Task{
		Tests: each(t.GetTests(), fileFromProto), Options: []byte(t.GetOptions()), Limits: limitsFromProto(t.GetLimits()),
		RequiredIntegrity: judging.Integrity(t.GetRequiredIntegrity()), Starter: each(t.GetStarter(), fileFromProto),
	}
}

func limitsToProto(l judging.Limits) *validatorv1.Limits {
	return &validatorv1.Limits{
		WallMs: millis(l.Wall), CpuMs: millis(l.CPU), MemoryBytes: l.MemoryBytes, OutputBytes: l.OutputBytes,
		DiskBytes: l.DiskBytes, Processes: l.Processes, OpenFiles: l.OpenFiles,
	}
}

func limitsFromProto(l *validatorv1.Limits) judging.Limits {
	return judging.Limits{
		Wall: fromMillis(l.GetWallMs()), CPU: fromMillis(l.GetCpuMs()), MemoryBytes: l.GetMemoryBytes(), OutputBytes: l.GetOutputBytes(),
		DiskBytes: l.GetDiskBytes(), Processes: l.GetProcesses(), OpenFiles: l.GetOpenFiles(),
	}
}

func descriptionToProto(d *judging.Description) *validatorv1.DescribeResponse {
	return &validatorv1.DescribeResponse{
		Name: d.Name, Version: d.Version, OptionsSchema: d.OptionsSchema,
		MaxRounds: uint32(max(d.MaxRounds, 0)), Mutates: d.Mutates,
		Languages: each(d.Languages, func(l judging.Language) *validatorv1.Language {
			return &validatorv1.Language{Name: l.Name, Aliases: l.Aliases, Extensions: l.Extensions, DefaultFile: l.DefaultFile, TestGlobs: l.TestGlobs}
		}),
		Runtimes: each(d.Runtimes, func(r judging.Runtime) *validatorv1.Runtime {
			out := &validatorv1.Runtime{
				Id: r.ID, Programs: r.Programs, VersionArgv: r.VersionArgv, Env: r.Env,
				Mounts: each(r.Mounts, func(m judging.Mount) *validatorv1.Mount {
					return &validatorv1.Mount{Source: m.Source, Target: m.Target, Optional: m.Optional}
				}),
			}
			if w := r.WarmUp; w != nil {
				out.WarmUp = &validatorv1.WarmUp{Argv: w.Argv, Files: each(w.Files, fileToProto), Protocol: w.Protocol}
			}
			return out
		}),
	}
}

func descriptionFromProto(d *validatorv1.DescribeResponse) *judging.Description {
	return &judging.Description{
		Name: d.GetName(), Version: d.GetVersion(), OptionsSchema: d.GetOptionsSchema(),
		MaxRounds: max(int(d.GetMaxRounds()), 1), Mutates: d.GetMutates(),
		Languages: each(d.GetLanguages(), func(l *validatorv1.Language) judging.Language {
			return judging.Language{Name: l.GetName(), Aliases: l.GetAliases(), Extensions: l.GetExtensions(), DefaultFile: l.GetDefaultFile(), TestGlobs: l.GetTestGlobs()}
		}),
		Runtimes: each(d.GetRuntimes(), func(r *validatorv1.Runtime) judging.Runtime {
			out := judging.Runtime{
				ID: r.GetId(), Programs: r.GetPrograms(), VersionArgv: r.GetVersionArgv(), Env: r.GetEnv(),
				Mounts: each(r.GetMounts(), func(m *validatorv1.Mount) judging.Mount {
					return judging.Mount{Source: m.GetSource(), Target: m.GetTarget(), Optional: m.GetOptional()}
				}),
			}
			if w := r.GetWarmUp(); w != nil {
				out.WarmUp = &judging.WarmUp{Argv: w.GetArgv(), Files: each(w.GetFiles(), fileFromProto), Protocol: w.GetProtocol()}
			}
			return out
		}),
	}
}

func stepToProto(s judging.Step) *validatorv1.Step {
	return &validatorv1.Step{
		Id: s.ID, Runtime: s.Runtime, Limits: limitsToProto(s.Limits), Stage: s.Stage, StopOnFailure: s.StopOnFailure,
		Processes: each(s.Processes, func(p judging.Process) *validatorv1.Process {
			return &validatorv1.Process{
				Role: p.Role, Argv: p.Argv, Env: p.Env, Dir: p.Dir, Files: each(p.Files, fileToProto),
				Stdin: p.Stdin, Collect: p.Collect, Channel: p.Channel, Warm: p.Warm,
			}
		}),
		Carry: each(s.Carry, func(c judging.Carry) *validatorv1.Carry {
			return &validatorv1.Carry{StepId: c.StepID, Role: c.Role, Path: c.Path, ToRole: c.ToRole, ToPath: c.ToPath, Executable: c.Executable, ExecuteOnly: c.ExecuteOnly}
		}),
	}
}

func stepFromProto(s *validatorv1.Step) judging.Step {
	return judging.Step{
		ID: s.GetId(), Runtime: s.GetRuntime(), Limits: limitsFromProto(s.GetLimits()), Stage: s.GetStage(), StopOnFailure: s.GetStopOnFailure(),
		Processes: each(s.GetProcesses(), func(p *validatorv1.Process) judging.Process {
			return judging.Process{
				Role: p.GetRole(), Argv: p.GetArgv(), Env: p.GetEnv(), Dir: p.GetDir(), Files: each(p.GetFiles(), fileFromProto),
				Stdin: p.GetStdin(), Collect: p.GetCollect(), Channel: p.GetChannel(), Warm: p.GetWarm(),
			}
		}),
		Carry: each(s.GetCarry(), func(c *validatorv1.Carry) judging.Carry {
			return judging.Carry{StepID: c.GetStepId(), Role: c.GetRole(), Path: c.GetPath(), ToRole: c.GetToRole(), ToPath: c.GetToPath(), Executable: c.GetExecutable(), ExecuteOnly: c.GetExecuteOnly()}
		}),
	}
}
