// Package convert turns what agents made into the messages of tracker.agents.v1.
// It decides nothing.
package convert

import (
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/tasks"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

// Plan is the API's plan.
func Plan(p agents.Plan) *agentsv1.Plan {
	out := &agentsv1.Plan{Label: p.Label, Summary: words(p.Summary), Objectives: p.Objectives, Dispute: string(p.Dispute)}
	for _, t := range p.Tasks {
		task := &agentsv1.PlannedTask{
			Key: t.Key, Title: t.Title, Description: t.Description, EstimatedHours: t.EstimatedHours, DependsOn: t.DependsOn,
			Type:     tasksv1.TaskType(tasksv1.TaskType_value["TASK_TYPE_"+strings.ToUpper(string(t.Type))]),
			Concepts: t.Concepts, Language: t.Language, Difficulty: int32(t.Difficulty), Citations: Citations(t.Citations),
			Dispute: string(t.Dispute),
		}
		if p := t.Proof; p != nil {
			task.Proof = &agentsv1.TaskProof{Mutants: int32(p.Mutants), Killed: int32(p.Killed), Operators: p.Operators, JudgedBy: p.JudgedBy}
		}
		if len(t.Starter)+len(t.Tests) > 0 {
			task.Validation = &tasksv1.TaskValidation{Starter: files(t.Starter), Tests: files(t.Tests), Options: "{}"}
		}
		out.Tasks = append(out.Tasks, task)
	}
	return out
}

// PlanForLog is a plan as the log keeps it: files by their paths.
func PlanForLog(p agents.Plan) *agentsv1.Plan {
	out := Plan(p)
	for _, t := range out.GetTasks() {
		for _, f := range append(t.GetValidation().GetTests(), t.GetValidation().GetStarter()...) {
			f.Content = ""
		}
	}
	return out
}

// Citations are the API's citations.
func Citations(all []tasks.Citation) []*tasksv1.Citation {
	out := make([]*tasksv1.Citation, len(all))
	for i, c := range all {
		out[i] = citation(c)
	}
	return out
}

func citation(c tasks.Citation) *tasksv1.Citation {
	return &tasksv1.Citation{
		DocumentId: c.DocumentID, ChunkId: c.ChunkID, Path: c.Path, Title: c.Title, Heading: c.Heading,
		StartLine: int32(c.StartLine), EndLine: int32(c.EndLine), Quote: c.Quote,
	}
}

func files(all []agents.PlannedFile) []*tasksv1.TaskFile {
	out := make([]*tasksv1.TaskFile, len(all))
	for i, f := range all {
		out[i] = &tasksv1.TaskFile{Path: f.Path, Content: f.Content, Hidden: f.Hidden}
	}
	return out
}

func words(t agents.Text) *agentsv1.Words {
	if t == (agents.Text{}) {
		return nil
	}
	return &agentsv1.Words{En: t.EN, Es: t.ES}
}
