package convert

import (
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// Rubric is the API's rubric; nil for none.
func Rubric(r *agents.Rubric) *agentsv1.Rubric {
	if r == nil {
		return nil
	}
	out := &agentsv1.Rubric{Label: r.Label}
	for _, k := range r.Criteria {
		made := &agentsv1.Criterion{
			Id: k.ID, Text: k.Text, Source: string(k.Source), Asked: k.Asked, Note: k.Note,
			State: agentsv1.CriterionState(agentsv1.CriterionState_value["CRITERION_STATE_"+strings.ToUpper(string(k.State))]),
		}
		for _, e := range k.Evidence {
			place := &agentsv1.Evidence{File: e.File, StartLine: int32(e.StartLine), EndLine: int32(e.EndLine), Quote: e.Quote}
			if e.Citation != nil {
				place.Citation = citation(*e.Citation)
			}
			made.Evidence = append(made.Evidence, place)
		}
		out.Criteria = append(out.Criteria, made)
	}
	return out
}
