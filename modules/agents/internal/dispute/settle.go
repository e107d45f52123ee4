package dispute

import (
	"context"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/companion"
	"github.com/goals-tracker/tracker/modules/agents/internal/convert"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

// settle records what was found, unless somebody settled it meanwhile.
func (d *Rechecker) settle(_ context.Context, x *engine.Execution) (engine.Outcome, error) {
	id, err := engine.Get[string](x.State, Begin)
	if err != nil {
		return engine.Outcome{}, err
	}
	found, err := engine.Get[finding](x.State, "found")
	if err != nil || found.Outcome == agents.Undisputed {
		return engine.Outcome{Word: "settled meanwhile"}, err
	}
	return engine.Outcome{Word: string(found.Outcome), Commit: func(ctx context.Context, tx *postgres.Tx, _ *engine.Commit) error {
		r, err := store.LockDispute(ctx, tx, system, id)
		if err != nil || r == nil || r.Status != agents.DisputeOpen {
			return err
		}
		r.Status, r.SettledBy, r.Reasons = found.Outcome, found.By, found.Reasons
		if found.Again != nil {
			if _, err := companion.Publish(ctx, tx, d.log, *found.Again); err != nil {
				return err
			}
		}
		if err := Record(ctx, tx, d.log, r); err != nil {
			return err
		}
		return Mark(ctx, tx, *r)
	}}, nil
}

// Record writes a dispute that is locked and was settled, and tells of it.
func Record(ctx context.Context, tx *postgres.Tx, log *events.Log, r *agents.DisputeRecord) error {
	log.Append(tx, Stream(*r), r.Version, Event(*r))
	r.Version++
	r.SettledAt = log.Now(tx)
	return store.UpdateDispute(ctx, tx, *r)
}

// Stream is a dispute's: of the learner whom the output was told.
func Stream(r agents.DisputeRecord) events.Stream {
	return events.Stream{Type: agents.StreamDispute, ID: r.ID, SubjectID: r.UserID, CourseID: r.CourseID}
}

// Event is what is told of a dispute.
func Event(r agents.DisputeRecord) proto.Message {
	e := &agentsv1.FeedbackDisputed{
		TaskId: r.TaskID, Reason: r.Reason, Outcome: string(r.Status), DisputeId: r.ID, Kind: string(r.Kind), OutputId: r.OutputID,
		Part: r.Part, By: r.By, SettledBy: r.SettledBy, Reasons: convert.Reasons(r.Reasons), Correction: r.Correction,
	}
	if r.Kind == agents.OutputFeedback {
		e.FeedbackId = r.OutputID
	}
	return e
}

// Mark writes into feedback how it stands by all its disputes; other outputs are
// marked as they are read. For the system.
func Mark(ctx context.Context, tx *postgres.Tx, r agents.DisputeRecord) error {
	if r.Kind != agents.OutputFeedback {
		return nil
	}
	f, err := store.LockFeedback(ctx, tx, system, r.OutputID)
	if err != nil || f == nil {
		return err
	}
	all, err := store.DisputesOf(ctx, tx, system, r.Kind, r.OutputID)
	if err != nil {
		return err
	}
	stand := StandingOf(all)
	withdrawn := 0
	for i := range f.Comments {
		how := stand.Part(strconv.Itoa(i + 1))
		if f.Comments[i].Withdrawn = how == agents.DisputeWithdrawn; f.Comments[i].Withdrawn {
			withdrawn++
		}
	}
	parts := len(f.Comments)
	if f.Rubric != nil {
		parts += len(f.Rubric.Criteria)
		for i := range f.Rubric.Criteria {
			k := &f.Rubric.Criteria[i]
			if k.Withdrawn = stand.Part(k.ID) == agents.DisputeWithdrawn; k.Withdrawn {
				withdrawn++
			}
		}
	}
	switch f.Dispute = stand.Whole; {
	case withdrawn > 0 && withdrawn == parts:
		f.Dispute = agents.DisputeWithdrawn
	case withdrawn > 0:
		f.Dispute = agents.DisputeCorrected
	case f.Dispute == agents.Undisputed && len(all) > 0:
		f.Dispute = all[len(all)-1].Status
		if f.Dispute == agents.DisputeCorrected || f.Dispute == agents.DisputeWithdrawn { // of a comment that stands again
			f.Dispute = agents.DisputeUpheld
		}
	}
	return store.MarkFeedback(ctx, tx, *f)
}
