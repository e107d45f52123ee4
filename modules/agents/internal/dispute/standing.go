package dispute

import "github.com/goals-tracker/tracker/modules/agents"

// Standing is how an output and its parts stand by their disputes.
type Standing struct {
	Whole agents.Dispute
	parts map[string]agents.Dispute
}

// StandingOf goes through an output's disputes, the open ones first, then the
// settled ones in the order in which they were settled: the last word counts.
func StandingOf(all []agents.DisputeRecord) Standing {
	s := Standing{parts: map[string]agents.Dispute{}}
	for _, r := range all {
		if r.Part != "" {
			s.parts[r.Part] = r.Status
			continue
		}
		s.Whole = r.Status
		if r.Status == agents.DisputeOpen {
			continue
		}
		clear(s.parts) // what is said of the whole is said of each part
		for _, why := range r.Reasons {
			if why.Part != "" && r.Status == agents.DisputeCorrected {
				s.parts[why.Part] = agents.DisputeWithdrawn
			}
		}
	}
	return s
}

// Part is how a part stands.
func (s Standing) Part(name string) agents.Dispute {
	if how, ok := s.parts[name]; ok {
		return how
	}
	if s.Whole == agents.DisputeCorrected {
		return agents.DisputeUpheld
	}
	return s.Whole
}

// Plan marks a plan and its tasks.

// Plan marks a plan and its tasks.
func (s Standing) Plan(p *agents.Plan) {
	p.Dispute = s.Whole
	withdrawn := 0
	for i := range p.Tasks {
		if p.Tasks[i].Dispute = s.Part(p.Tasks[i].Key); p.Tasks[i].Dispute == agents.DisputeWithdrawn {
			withdrawn++
		}
	}
	switch {
	case withdrawn == len(p.Tasks) && withdrawn > 0:
		p.Dispute = agents.DisputeWithdrawn
	case withdrawn > 0:
		p.Dispute = agents.DisputeCorrected
	}
}
