package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/dispute"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/page"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
)

var _ agents.Disputes = (*Service)(nil)

// PrepareDispute implements agents.Disputes.
func (s *Service) PrepareDispute(ctx context.Context, actor auth.Actor, r agents.DisputeRequest) (agents.DisputeRecord, error) {
	if err := checkWords("reason", r.Reason, 1, 4000); err != nil {
		return agents.DisputeRecord{}, err
	}
	d, err := s.output(ctx, r)
	if err != nil {
		return agents.DisputeRecord{}, err
	}
	if d == nil || !reaches(actor, *d) || private(r.Kind) && !actor.Owns(d.UserID) {
		return agents.DisputeRecord{}, agents.ErrOutputNotFound.New(string(r.Kind), r.OutputID)
	}
	if !hasPart(d.Said, r) {
		var c goals.Checker
		c.Wrong("part", fmt.Sprintf("is %.60q, and this %s has no such part", r.Part, r.Kind), fmt.Sprintf("es %.60q, y no existe esa parte", r.Part))
		return agents.DisputeRecord{}, c.Err()
	}
	d.DisputeRequest, d.By, d.Status = r, "learner", agents.DisputeOpen
	if !actor.Owns(d.UserID) {
		d.By = "teacher"
	}
	return *d, nil
}

// reaches says whether an actor may dispute, or see the dispute of, what a
// learner was told.
func reaches(actor auth.Actor, d agents.DisputeRecord) bool {
	return actor.Owns(d.UserID) || actor.IsSystem() || actor.Has(auth.Admin) || d.CourseID != "" && actor.Teaches(d.CourseID)
}

// private says whether an output is between its learner and an agent: nobody else
// reads it, unless the learner disputes it.
func private(k agents.OutputKind) bool {
	return k == agents.OutputHint || k == agents.OutputMessage || k == agents.OutputNudge
}

func hasPart(s agents.Said, r agents.DisputeRequest) bool {
	switch {
	case r.Part == "":
		return true
	case r.Kind == agents.OutputPlan:
		return slices.ContainsFunc(s.Tasks, func(t agents.PlannedTask) bool { return t.Key == r.Part })
	case r.Kind == agents.OutputFeedback:
		for i := range s.Comments {
			if r.Part == fmt.Sprint(i+1) {
				return true
			}
		}
		return slices.ContainsFunc(s.Criteria, func(k agents.Criterion) bool { return k.ID == r.Part })
	}
	return false
}

// Each look costs a model's call or proofs, and comes to the same as long as
// nothing changes: one person has so many looks at the same in a day, then a
// teacher's word is what is left.
const (
	looksADay = 3
	day       = 24 * time.Hour
)

// DisputeTx implements agents.Disputes.
func (s *Service) DisputeTx(ctx context.Context, tx *postgres.Tx, d agents.DisputeRecord) (agents.DisputeRecord, error) {
	if d.TaskID != "" {
		// The task may have been deleted meanwhile: then nothing would ever delete this.
		if _, err := s.tasks.LockTx(ctx, tx, d.TaskID); err != nil {
			return agents.DisputeRecord{}, err
		}
	}
	key := personKey(tx.Actor(), d.DisputeRequest)
	before, err := store.StandingDispute(ctx, tx, d.DisputeRequest, key, looksADay, s.log.Now(tx).Add(-day))
	if err != nil {
		return agents.DisputeRecord{}, err
	}
	if before != nil {
		return s.again(ctx, tx, before)
	}
	if d.ID, err = newID(); err != nil {
		return agents.DisputeRecord{}, err
	}
	if d.RunID, err = s.startDispute(ctx, tx, d); err != nil {
		return agents.DisputeRecord{}, err
	}
	d.CreatedAt, d.Version = s.log.Now(tx), 1
	made, err := store.InsertDispute(ctx, tx, d, key)
	if err != nil {
		return agents.DisputeRecord{}, err
	}
	if !made {
		return agents.DisputeRecord{}, agents.ErrMeanwhile.New()
	}
	s.log.Append(tx, dispute.Stream(d), 0, dispute.Event(d))
	s.mark(tx, d)
	return d, nil
}

// again gives a dispute that stands; one whose run came to nothing is looked at
// another time.
func (s *Service) again(ctx context.Context, tx *postgres.Tx, d *agents.DisputeRecord) (agents.DisputeRecord, error) {
	if d.Status != agents.DisputeOpen {
		return *d, nil
	}
	run, err := store.Lock(ctx, tx, tx.Actor(), d.RunID)
	if err != nil || run != nil && run.Status.Active() {
		return *d, err
	}
	if n, err := store.DisputeRuns(ctx, tx, *d, s.log.Now(tx).Add(-day)); err != nil || n >= looksADay {
		return *d, err
	}
	if d.RunID, err = s.startDispute(ctx, tx, *d); err != nil {
		return agents.DisputeRecord{}, err
	}
	return *d, store.UpdateDispute(ctx, tx, *d)
}

func (s *Service) startDispute(ctx context.Context, tx *postgres.Tx, d agents.DisputeRecord) (string, error) {
	id, err := newID()
	if err != nil {
		return "", err
	}
	run, err := s.engine.Start(ctx, tx, agents.Run{
		ID: id, Graph: agents.GraphDispute, UserID: d.UserID, CourseID: d.CourseID, GoalID: d.GoalID, TaskID: d.TaskID,
	}, map[string]any{dispute.Begin: d.ID})
	if err != nil {
		return "", err
	}
	if run == nil {
		return "", agents.ErrMeanwhile.New()
	}
	return id, nil
}

// mark writes how an output stands at the end of the unit of work, as the system.
func (s *Service) mark(tx *postgres.Tx, d agents.DisputeRecord) {
	tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error { return dispute.Mark(ctx, tx, d) })
}

// personKey is one person's of one output: it says that they disputed it, and
// not who they are.
func personKey(actor auth.Actor, r agents.DisputeRequest) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(r.Kind), strings.ToLower(r.OutputID), r.Part, actor.Name()}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// SettleTx implements agents.Disputes.
func (s *Service) SettleTx(ctx context.Context, tx *postgres.Tx, id string, w agents.Settlement) (agents.DisputeRecord, error) {
	if uuid.Validate(id) != nil {
		return agents.DisputeRecord{}, agents.ErrDisputeNotFound.New(id)
	}
	if err := checkSettlement(w); err != nil {
		return agents.DisputeRecord{}, err
	}
	d, err := store.LockDispute(ctx, tx, tx.Actor(), id)
	if err != nil {
		return agents.DisputeRecord{}, err
	}
	if d == nil {
		return agents.DisputeRecord{}, agents.ErrDisputeNotFound.New(id)
	}
	team := tx.Actor().IsSystem() || tx.Actor().Has(auth.Admin) || d.CourseID != "" && tx.Actor().Teaches(d.CourseID)
	if !team || tx.Actor().Owns(d.UserID) && !tx.Actor().IsSystem() {
		return agents.DisputeRecord{}, agents.ErrNotYoursToSettle.New()
	}
	code := w.Why
	if code == "" {
		code = agents.WhyHolds
	}
	d.Status, d.SettledBy, d.Correction = w.Outcome, agents.SettledByTeacher, strings.TrimSpace(w.Correction)
	d.Reasons = []agents.DisputeReason{{Code: code, Text: agents.Text{
		EN: "Settled by who teaches the course: " + w.Note, ES: "Resuelto por quien da el curso: " + w.Note,
	}}}
	if err := dispute.Record(ctx, tx, s.log, d); err != nil {
		return agents.DisputeRecord{}, err
	}
	s.mark(tx, *d)
	return *d, nil
}

func checkSettlement(w agents.Settlement) error {
	var c goals.Checker
	if !slices.Contains(agents.DisputeOutcomes, w.Outcome) {
		c.Wrong("outcome", "must be upheld, withdrawn, corrected or unclear", "debe ser upheld, withdrawn, corrected o unclear")
	}
	if !slices.Contains([]string{"", agents.WhyLeak, agents.WhyUnbacked, agents.WhyWrong, agents.WhyOutdated}, w.Why) {
		c.Wrong("why", "must be leak, unbacked, wrong, outdated or empty", "debe ser leak, unbacked, wrong, outdated o estar vacío")
	}
	if err := c.Err(); err != nil {
		return err
	}
	if err := checkWords("note", w.Note, 1, 4000); err != nil {
		return err
	}
	return checkWords("correction", w.Correction, 0, 4000)
}

// Dispute implements agents.Disputes.
func (s *Service) Dispute(ctx context.Context, actor auth.Actor, id string) (agents.DisputeRecord, error) {
	if uuid.Validate(id) != nil {
		return agents.DisputeRecord{}, agents.ErrDisputeNotFound.New(id)
	}
	d, err := store.GetDispute(ctx, s.db.As(actor), actor, id)
	if err != nil {
		return agents.DisputeRecord{}, err
	}
	if d == nil {
		return agents.DisputeRecord{}, agents.ErrDisputeNotFound.New(id)
	}
	return *d, nil
}

// ListDisputes implements agents.Disputes.
func (s *Service) ListDisputes(ctx context.Context, actor auth.Actor, q agents.DisputeQuery) (agents.DisputePage, error) {
	size := q.Size
	if size == 0 {
		size = defaultSize
	}
	var c goals.Checker
	if size < 1 || size > maxSize {
		c.Wrong("page_size", fmt.Sprintf("is %d, it may be 1 to %d", q.Size, maxSize), fmt.Sprintf("es %d, puede ser de 1 a %d", q.Size, maxSize))
		return agents.DisputePage{}, c.Err()
	}
	scope := fmt.Sprintf("disputes course=%q status=%q", q.CourseID, q.Status)
	after := store.Key{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), ID: uuid.Max.String()}
	if err := page.Decode(q.Token, scope, &after); err != nil {
		return agents.DisputePage{}, err
	}
	if uuid.Validate(after.ID) != nil {
		return agents.DisputePage{}, errs.BadPageToken.New()
	}
	list, err := store.Disputes(ctx, s.db.As(actor), actor, q.CourseID, q.Status, after, size+1)
	if err != nil {
		return agents.DisputePage{}, err
	}
	result := agents.DisputePage{Disputes: list}
	if len(list) > size {
		result.Disputes = list[:size]
		last := list[size-1]
		result.Next = page.Encode(scope, store.Key{At: last.CreatedAt, ID: last.ID})
	}
	return result, nil
}
