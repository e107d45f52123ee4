package convert

import (
	"github.com/goals-tracker/tracker/modules/validation"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// Policy is how a course's code is judged as every face shows it.
func Policy(j validation.Judging) *validationv1.CoursePolicy {
	out := &validationv1.CoursePolicy{
		CourseId: j.CourseID, Weight: j.Weight, MaxParallel: int32(j.MaxParallel), MaxPending: int32(j.MaxPending),
		RequiredIntegrity: integrities.to[j.RequiredIntegrity], UpdatedAt: stamp(j.UpdatedAt), UpdatedBy: j.UpdatedBy,
		Waiting: int32(j.Waiting), Running: int32(j.Running),
	}
	for _, b := range j.Broken {
		out.BrokenTasks = append(out.BrokenTasks, &validationv1.BrokenTask{TaskId: b.TaskID, RunId: b.RunID, FoundAt: stamp(b.FoundAt)})
	}
	return out
}

// PolicyPatch reads a request.
func PolicyPatch(req *validationv1.UpdateCoursePolicyRequest) validation.PolicyPatch {
	p := validation.PolicyPatch{Weight: req.Weight, MaxParallel: whole(req.MaxParallel), MaxPending: whole(req.MaxPending)}
	if req.RequiredIntegrity != nil {
		integrity := integrities.from[req.GetRequiredIntegrity()]
		p.RequiredIntegrity = &integrity
	}
	return p
}

func whole(n *int32) *int {
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}

// Rejudging is a re-judging as every face shows it.
func Rejudging(r validation.Rejudging) *validationv1.Rejudging {
	out := &validationv1.Rejudging{
		Id: r.ID, RequestedBy: r.UserID, CreatedAt: stamp(r.CreatedAt), Listed: r.Listed,
		Total: int32(r.Total), Finished: int32(r.Finished), Changed: int32(r.Changed), Skipped: int32(r.Skipped),
	}
	if r.CourseID != "" {
		out.CourseId = &r.CourseID
	}
	if r.TaskID != "" {
		out.TaskId = &r.TaskID
	}
	return out
}
