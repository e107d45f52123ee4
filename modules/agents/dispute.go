package agents

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// Disputes take "this is wrong" about anything that an agent told a learner. The
// learner whom it was told may dispute it, and who teaches the course what is not
// between the learner and an agent (hints, messages, nudges), which they see once
// it is disputed; another's is ErrOutputNotFound or ErrDisputeNotFound.
type Disputes interface {
	// PrepareDispute reads what is disputed; it only reads. ErrOutputNotFound,
	// errs.BadInput (no such part, a reason that is too long).
	PrepareDispute(ctx context.Context, actor auth.Actor, r DisputeRequest) (DisputeRecord, error)
	// DisputeTx files a prepared dispute and starts the run that looks at the
	// output again. The one that there is comes back where the actor has an open
	// one, where the output was withdrawn, where a teacher said that it or the
	// whole of it holds or was corrected, and where the actor had it looked at
	// three times in a day.
	DisputeTx(ctx context.Context, tx *postgres.Tx, d DisputeRecord) (DisputeRecord, error)
	// SettleTx settles a dispute by hand, also one that was settled before.
	// ErrDisputeNotFound, errs.Forbidden (a learner's own), errs.BadInput.
	SettleTx(ctx context.Context, tx *postgres.Tx, id string, s Settlement) (DisputeRecord, error)
	// Dispute reads a dispute. ErrDisputeNotFound.
	Dispute(ctx context.Context, actor auth.Actor, id string) (DisputeRecord, error)
	// ListDisputes reads a page of disputes, newest first: the actor's, or those
	// of a course. errs.BadPageToken.
	ListDisputes(ctx context.Context, actor auth.Actor, q DisputeQuery) (DisputePage, error)
	// ExportDisputes writes settled disputes into a folder as cases of the
	// evaluations, without names and ids of people. For the system.
	ExportDisputes(ctx context.Context, e DisputeExport) (Exported, error)
}

// StreamDispute is the stream of a dispute.
const StreamDispute = "dispute"

// GraphDispute looks at a disputed output again.
const GraphDispute = "dispute"

// What can go wrong with disputes.
var (
	// ErrOutputNotFound: an agent told no such thing, or to somebody else.
	ErrOutputNotFound = errs.Define(errs.NotFound, "output_not_found",
		"There is no %s %s. Take the id from where you read it.",
		"No existe %s %s. Toma el id de donde lo leíste.")
	// ErrDisputeNotFound: there is no such dispute, or it is another's.
	ErrDisputeNotFound = errs.Define(errs.NotFound, "dispute_not_found",
		"There is no dispute %s. Look it up in the list of disputes.",
		"No existe la reclamación %s. Búscala en la lista de reclamaciones.")
)

// Dispute is where a dispute stands, or came to.
type Dispute string

// Where disputes stand. Undisputed is an output's that nobody disputes.
const (
	Undisputed  Dispute = ""
	DisputeOpen Dispute = "open"
	// DisputeUpheld: the output holds.
	DisputeUpheld Dispute = "upheld"
	// DisputeWithdrawn: it does not.
	DisputeWithdrawn Dispute = "withdrawn"
	// DisputeCorrected: a part of it does not, or it was made anew.
	DisputeCorrected Dispute = "corrected"
	// DisputeUnclear: neither rules nor a model could tell; a teacher can.
	DisputeUnclear Dispute = "unclear"
)

// DisputeOutcomes are what a dispute can come to.
var DisputeOutcomes = []Dispute{DisputeUpheld, DisputeWithdrawn, DisputeCorrected, DisputeUnclear}

// OutputKind is a kind of what agents tell learners.
type OutputKind string

// The kinds.
const (
	OutputFeedback   OutputKind = "feedback"
	OutputHint       OutputKind = "hint"
	OutputPlan       OutputKind = "plan"
	OutputMessage    OutputKind = "message"
	OutputEvaluation OutputKind = "evaluation"
	OutputNudge      OutputKind = "nudge"
)

// OutputKinds are all of them.
var OutputKinds = []OutputKind{OutputFeedback, OutputHint, OutputPlan, OutputMessage, OutputEvaluation, OutputNudge}

// Who settled a dispute.
const (
	SettledByRules   = "rules"
	SettledByModel   = "model"
	SettledByTeacher = "teacher"
)

// The codes of a [DisputeReason].
const (
	WhyHolds    = "holds"
	WhyCitation = "citation"
	WhyTest     = "test"
	WhyFinding  = "finding"
	WhyLines    = "lines"
	WhyLeak     = "leak"
	WhyProof    = "proof"
	WhyFigures  = "figures"
	WhyUnbacked = "unbacked"
	WhyWrong    = "wrong"
	WhyOutdated = "outdated"
	WhyGone     = "gone"
	WhyNothing  = "nothing_to_check"
)

// DisputeRequest says what is wrong.
type DisputeRequest struct {
	Kind OutputKind
	// OutputID is the output's id; a plan's is that of its run.
	OutputID string
	// Part is the number of a comment, from 1, the id of a criterion, or the key of
	// a planned task; "" for all of it.
	Part string
	// Reason is 1 to 4,000 characters.
	Reason string
}

// DisputeRecord is somebody's "this is wrong", and what came of it.
type DisputeRecord struct {
	ID string
	DisputeRequest
	// UserID is the learner whom it was told.
	UserID string
	// CourseID, GoalID and TaskID are "" for none.
	CourseID, GoalID, TaskID string
	// By is "learner" or "teacher".
	By   string
	Said Said
	// Status is DisputeOpen until it is settled.
	Status Dispute
	// SettledBy is a SettledBy… constant, "" while open.
	SettledBy string
	Reasons   []DisputeReason
	// Correction is what it should say, "" for nothing.
	Correction string
	// RunID is the run that looks at it again.
	RunID                string
	CreatedAt, SettledAt time.Time
	// Version is that of its stream, from 1.
	Version int64
}

// Said is an output as it was told.
type Said struct {
	At       time.Time        `json:"at"`
	Text     Text             `json:"text"`
	Label    string           `json:"label"`
	Locale   string           `json:"locale,omitempty"`
	Comments []Comment        `json:"comments,omitempty"`
	Cites    []tasks.Citation `json:"cites,omitempty"`
	// Level is a hint's, LookedAt a hint's or a message's.
	Level    int      `json:"level,omitempty"`
	LookedAt []string `json:"looked_at,omitempty"`
	// Tasks of a plan without their files; Goal is what was to be reached.
	Tasks []PlannedTask `json:"tasks,omitempty"`
	Goal  string        `json:"goal,omitempty"`
	// Question is what the tutor answered.
	Question string `json:"question,omitempty"`
	// ValidationRunID is the run that feedback is about.
	ValidationRunID string `json:"validation_run_id,omitempty"`
	// Criteria are what feedback holds work against, too; Rubric says that there
	// are some.
	Criteria []Criterion `json:"criteria,omitempty"`
	Rubric   bool        `json:"rubric,omitempty"`
	// Evaluation and Nudge are set for their kinds.
	Evaluation *Evaluation `json:"evaluation,omitempty"`
	Nudge      *Nudge      `json:"nudge,omitempty"`
	// Journeys are what either went by; none where its learner has gone on since.
	Journeys []SaidJourney `json:"journeys,omitempty"`
}

// DisputeReason is why a dispute was settled so.
type DisputeReason struct {
	// Code is a Why… constant.
	Code string `json:"code"`
	// Part is the number of a comment, the id of a criterion or the key of a task
	// that does not hold; "" for all of the output.
	Part string `json:"part,omitempty"`
	Text Text   `json:"text"`
}

// Settlement is a teacher's word on a dispute.
type Settlement struct {
	Outcome Dispute
	// Why is WhyLeak, WhyUnbacked, WhyWrong, WhyOutdated, or "" for what stands.
	Why string
	// Note is for the learner, 1 to 4,000 characters; Correction, "" for none,
	// says what it should say.
	Note, Correction string
}

// DisputeQuery says which disputes to list.
type DisputeQuery struct {
	// Size is how many, 1 to 100; 0 is 20.
	Size int
	// Token is DisputePage.Next of the page before, "" for the first.
	Token string
	// CourseID lists all disputes in a course that the actor may see.
	CourseID string
	// Status narrows; "" for all.
	Status Dispute
}

// DisputePage is a page of disputes.
type DisputePage struct {
	Disputes []DisputeRecord
	// Next is the token of the next page, "" on the last.
	Next string
}

// DisputeExport says what to export.
type DisputeExport struct {
	// Dir is a folder; it is made, and files of an earlier export in it are
	// replaced.
	Dir string
	// Names are what a person may be called in texts: each is taken out. An error
	// ends the export. Nil for none.
	Names func(ctx context.Context, userID string) ([]string, error)
}

// Exported counts what was written.
type Exported struct {
	Reviews, Safety, Plans, Figures int
	// Left are settled disputes that make no case: of material that changed, of
	// figures that have gone on since, or of what is gone.
	Left int
}
