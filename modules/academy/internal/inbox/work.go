package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

const (
	// lease is how long a replica that went silent is waited for.
	lease = time.Minute
	// longestWait is the most between two attempts.
	longestWait = 5 * time.Minute
	// keptFor is how long messages that are done with are known again.
	keptFor = 30 * 24 * time.Hour
)

// errTaken: another replica has taken the message over.
var errTaken = errors.New("another replica has taken it over")

// Work does what waiting messages ask for, until none waits. It may run on any
// number of replicas, and be killed at any point.
func (b *Inbox) Work(ctx context.Context) error {
	for ctx.Err() == nil {
		var w store.Waiting
		found := false
		err := b.DB.InTx(ctx, postgres.As(b.system), func(ctx context.Context, tx *postgres.Tx) (err error) {
			w, found, err = store.Take(ctx, tx, lease)
			return err
		})
		if err != nil {
			return fmt.Errorf("take up a message of the academy: %w", err)
		}
		if !found {
			return store.DropOld(ctx, b.DB.As(b.system), keptFor)
		}
		if err := b.react(ctx, w); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// react has every reaction do its part. What fails is tried again later; only
// what keeps that from being noted is an error.
func (b *Inbox) react(ctx context.Context, w store.Waiting) error {
	var problems []string
	reacted := false
	for _, r := range b.Reactions {
		if r.Work == nil || !slices.Contains(r.Types, w.Change.Type) {
			continue
		}
		reacted = true
		if slices.Contains(w.Done, r.Name) {
			continue
		}
		switch err := b.finish(ctx, w, r); {
		case errors.Is(err, errTaken):
			return nil
		case err != nil:
			problems = append(problems, r.Name+": "+err.Error())
		}
	}
	if !reacted && w.Change.Type == academy.UserDeleted {
		problems = append(problems, "nothing on this server erases people")
	}
	if len(problems) == 0 {
		return store.Finish(ctx, b.DB.As(b.system), w)
	}
	wait := min(time.Second<<min(w.Attempts, 9), longestWait)
	b.Logger.Warn("an event of the academy could not be carried out, it is tried again", "type", w.Change.Type,
		"attempt", w.Attempts, "again_in", wait, "problems", problems)
	// Errors may hold what people wrote; the log of this server is bounded, a
	// table is not.
	note := fmt.Sprintf("%d of its reactions failed; the log says why", len(problems))
	if !reacted {
		note = strings.Join(problems, "; ")
	}
	return store.Postpone(ctx, b.DB.As(b.system), w, wait, note)
}

// finish calls a reaction until it has no more to do, each time in a unit of
// work of its own that also prolongs the lease.
func (b *Inbox) finish(ctx context.Context, w store.Waiting, r academy.Reaction) error {
	for more := true; more; {
		err := b.DB.InTx(ctx, postgres.As(b.system), func(ctx context.Context, tx *postgres.Tx) error {
			var err error
			if more, err = r.Work(ctx, tx, w.Change); err != nil {
				return err
			}
			done := r.Name
			if more {
				done = ""
			}
			ours, err := store.Keep(ctx, tx, w, done, lease)
			if err == nil && !ours {
				return errTaken
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
