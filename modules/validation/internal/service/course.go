package service

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
	"github.com/goals-tracker/tracker/sdk/judging"
)

var errNotTeacher = errs.Forbidden.New(errs.Say("only teachers of the course and admins see and change how its code is judged",
	"solo quienes dan el curso y quienes administran ven y cambian cómo se evalúa su código"))

// maxTickets bounds how many workers are woken when a course's limit is lifted;
// each goes on to the next run by the tickets of its own.
const maxTickets = 64

// Judging implements validation.Service.
func (s *Service) Judging(ctx context.Context, actor auth.Actor, courseID string) (validation.Judging, error) {
	if !actor.Teaches(courseID) {
		return validation.Judging{}, errNotTeacher
	}
	policy, err := store.Policy(ctx, s.db.As(actor), courseID)
	if err != nil {
		return validation.Judging{}, err
	}
	return s.judging(ctx, actor, policy)
}

func (s *Service) judging(ctx context.Context, actor auth.Actor, policy validation.Policy) (j validation.Judging, err error) {
	j.Policy = policy
	// The queue's rows are their learners'; the answer tells only how many.
	if j.Waiting, j.Running, err = store.CountCourse(ctx, s.db.As(system), policy.CourseID); err != nil {
		return j, err
	}
	j.Broken, err = store.Broken(ctx, s.db.As(actor), actor, policy.CourseID)
	return j, err
}

// UpdatePolicyTx implements validation.Service.
func (s *Service) UpdatePolicyTx(ctx context.Context, tx *postgres.Tx, courseID string, patch validation.PolicyPatch) (validation.Judging, error) {
	actor := tx.Actor()
	if !actor.Teaches(courseID) {
		return validation.Judging{}, errNotTeacher
	}
	before, err := store.LockPolicy(ctx, tx, courseID)
	if err != nil {
		return validation.Judging{}, err
	}
	policy := before.Apply(patch)
	if err := checkPolicy(policy); err != nil {
		return validation.Judging{}, err
	}
	if policy.Weight != before.Weight && !actor.IsSystem() && !actor.Has(auth.Admin) {
		return validation.Judging{}, errs.Forbidden.New(errs.Say("a course's weight is its share against other courses, so only admins change it",
			"el peso de un curso es su parte frente a los demás, así que solo lo cambian quienes administran"))
	}
	if policy != before {
		policy.UpdatedAt, policy.UpdatedBy = s.log.Now(tx), actor.Name()
		if err := store.PutPolicy(ctx, tx, policy); err != nil {
			return validation.Judging{}, err
		}
	}
	j, err := s.judging(ctx, actor, policy)
	if err == nil && policy.MaxParallel != before.MaxParallel {
		for range min(j.Waiting, maxTickets) {
			s.tickets.Issue(tx, time.Time{})
		}
	}
	return j, err
}

func checkPolicy(p validation.Policy) error {
	switch {
	case !(p.Weight >= 0.1 && p.Weight <= 10):
		return errs.BadInput.New(errs.Say("weight is %g, it may be 0.1 to 10", "weight es %g y puede ser de 0.1 a 10", p.Weight)).WithField("weight", "may be 0.1 to 10")
	case p.MaxParallel < 0:
		return errs.BadInput.New(errs.Say("max_parallel must not be negative", "max_parallel no puede ser negativo")).WithField("max_parallel", "0 or more")
	case p.MaxPending < 0:
		return errs.BadInput.New(errs.Say("max_pending must not be negative", "max_pending no puede ser negativo")).WithField("max_pending", "0 or more")
	case p.RequiredIntegrity != judging.IntegrityShared && p.RequiredIntegrity != judging.IntegritySplit:
		return errs.BadInput.New(errs.Say("required_integrity is %q, it may be shared or split", "required_integrity es %q y puede ser shared o split", p.RequiredIntegrity)).
			WithField("required_integrity", "shared or split")
	}
	return nil
}

// RejudgeTaskTx implements validation.Service.
func (s *Service) RejudgeTaskTx(ctx context.Context, tx *postgres.Tx, taskID string) (validation.Rejudging, error) {
	task, err := s.tasks.GetTx(ctx, tx, taskID)
	if err != nil {
		return validation.Rejudging{}, err
	}
	return s.rejudge(ctx, tx, validation.Rejudging{TaskID: task.ID, CourseID: task.CourseID})
}

// RejudgeCourseTx implements validation.Service.
func (s *Service) RejudgeCourseTx(ctx context.Context, tx *postgres.Tx, courseID string) (validation.Rejudging, error) {
	if courseID == "" {
		return validation.Rejudging{}, errs.BadInput.New(errs.Say("no course is named", "falta el curso")).WithField("course_id", "name a course")
	}
	return s.rejudge(ctx, tx, validation.Rejudging{CourseID: courseID})
}

func (s *Service) rejudge(ctx context.Context, tx *postgres.Tx, r validation.Rejudging) (validation.Rejudging, error) {
	if !tx.Actor().Teaches(r.CourseID) {
		return validation.Rejudging{}, errs.Forbidden.New(errs.Say("only teachers of the course and admins have code judged again",
			"solo quienes dan el curso y quienes administran hacen evaluar el código de nuevo"))
	}
	id, err := uuid.NewV7()
	if err != nil {
		return validation.Rejudging{}, fmt.Errorf("make re-judging id: %w", err)
	}
	r.ID, r.UserID, r.CreatedAt = id.String(), tx.Actor().Name(), s.log.Now(tx)
	if err := store.InsertRejudging(ctx, tx, r); err != nil {
		return validation.Rejudging{}, err
	}
	s.tickets.List(tx, r.ID)
	return r, nil
}

// Rejudging implements validation.Service.
func (s *Service) Rejudging(ctx context.Context, actor auth.Actor, id string) (validation.Rejudging, error) {
	if _, err := uuid.Parse(id); err != nil {
		return validation.Rejudging{}, validation.ErrRejudgingNotFound.New(id)
	}
	r, err := store.Rejudging(ctx, s.db.As(actor), actor, id)
	if err != nil {
		return validation.Rejudging{}, err
	}
	if r == nil {
		return validation.Rejudging{}, validation.ErrRejudgingNotFound.New(id)
	}
	return *r, nil
}
