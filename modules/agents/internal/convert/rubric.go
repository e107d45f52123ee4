package convert

import (
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// withdrawn is what is left of a criterion after a dispute.
var withdrawn = map[string]string{
	"en": "What was said of it was withdrawn after a dispute: it does not hold.",
	"es": "Lo que se dijo de ello se retiró tras una reclamación: no se sostiene.",
}

// Rubric is the API's rubric; nil for none. Nothing can be told of a criterion
// where what was said of it was withdrawn.
func Rubric(r *agents.Rubric, locale string) *agentsv1.Rubric {
	if r == nil {
		return nil
	}
	out := &agentsv1.Rubric{Label: r.Label}
	for _, k := range r.Criteria {
		if k.Withdrawn {
			k.State, k.Note, k.Evidence = agents.CannotTell, withdrawn[locale], nil
		}
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
