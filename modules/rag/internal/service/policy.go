package service

import (
	"context"
	"fmt"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// sharedAtOnce is how many tasks' code one round of sharing looks at.
const sharedAtOnce = 100

// Policy implements rag.Service.
func (s *Service) Policy(ctx context.Context, actor auth.Actor, courseID string) (rag.Policy, error) {
	reader, err := s.reader(ctx, actor, courseID)
	if err != nil {
		return rag.Policy{}, err
	}
	return store.Policy(ctx, s.db.As(reader), reader, courseID)
}

// UpdatePolicyTx implements rag.Service.
func (s *Service) UpdatePolicyTx(ctx context.Context, tx *postgres.Tx, courseID string, change rag.PolicyPatch) (rag.Policy, error) {
	editor, err := s.editor(ctx, tx.Actor(), courseID)
	if err != nil {
		return rag.Policy{}, err
	}
	tx.Become(editor)
	if err := store.LockPolicy(ctx, tx, courseID); err != nil {
		return rag.Policy{}, err
	}
	p, err := store.Policy(ctx, tx, editor, courseID)
	if err != nil {
		return p, err
	}
	if change.DefaultScope != nil {
		if p.DefaultScope = *change.DefaultScope; p.DefaultScope != rag.ScopeCourse && p.DefaultScope != rag.ScopeGlobal {
			return p, rag.ErrBadPolicy.New(string(p.DefaultScope))
		}
	}
	if change.PeerSnapshots != nil {
		p.PeerSnapshots = *change.PeerSnapshots
	}
	p.UpdatedAt = s.now().UTC().Truncate(time.Microsecond)
	return p, store.PutPolicy(ctx, tx, p)
}

// Settle makes the copies that learners may read of each other's code as the
// courses' policies say. It can be interrupted and repeated.
func (s *Service) Settle(ctx context.Context) error {
	as := auth.System("sharing")
	open, err := store.Unsettled(ctx, s.db.As(as))
	if err != nil {
		return err
	}
	for _, p := range open {
		if p.PeerSnapshots {
			if err := s.shareAll(ctx, as, p.CourseID); err != nil {
				return fmt.Errorf("share validated code in course %s: %w", p.CourseID, err)
			}
		}
		err := s.db.InTx(ctx, postgres.As(as), func(ctx context.Context, tx *postgres.Tx) error {
			if err := store.LockPolicy(ctx, tx, p.CourseID); err != nil {
				return err
			}
			now, err := store.Policy(ctx, tx, as, p.CourseID)
			if err != nil {
				return err
			}
			if !now.PeerSnapshots {
				if err := store.Unshare(ctx, tx, p.CourseID); err != nil {
					return err
				}
			}
			return store.SettlePolicy(ctx, tx, p.CourseID, p.UpdatedAt)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) shareAll(ctx context.Context, as auth.Actor, courseID string) error {
	var after store.Validated
	for {
		list, err := store.ValidatedIn(ctx, s.db.As(as), courseID, after, sharedAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, v := range list {
			err := s.db.InTx(ctx, postgres.As(as), func(ctx context.Context, tx *postgres.Tx) error {
				return s.share(ctx, tx, v.UserID, v.TaskID)
			})
			if err != nil {
				return err
			}
		}
		after = list[len(list)-1]
	}
}
