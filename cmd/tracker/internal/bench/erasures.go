package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// A life is what one person leaves in the log: 10,000 events.
const lifeStreams, lifeEvents = 100, 100

// The same rows in tables that are bare of triggers and policies.
const (
	copyStreams = `INSERT INTO bench.streams (stream_id, type, subject_id, course_id, version, created_at, updated_at)
		SELECT stream_id, type, subject_id, course_id, version, created_at, updated_at FROM events.streams WHERE subject_id = $1`
	copyEvents = `INSERT INTO bench.events (event_id, stream_id, version, type, schema_version, subject_id, course_id, goal_id, task_id, data, meta, occurred_at)
		SELECT event_id, stream_id, version, type, schema_version, subject_id, course_id, goal_id, task_id, data, meta, occurred_at
		FROM events.events WHERE subject_id = $1`
)

// erasures measures how fast a person with 10,000 events goes, from the request
// to the signed receipt, against a DELETE of the same rows. With the wait for
// what is under way on other replicas, as a server has it, and without.
func (b *bench) erasures(ctx context.Context, s *server) (err error) {
	dir, err := os.MkdirTemp("", "tracker-bench-erasure-")
	if err != nil {
		return fmt.Errorf("make a folder for erasures: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	waits := events.DefaultErasureConfig().Settle
	var erasers [2]*eventsfx.Erasure
	for i, settle := range []time.Duration{waits, time.Millisecond} {
		if erasers[i], err = newEraser(b.db.DB, dir, settle); err != nil {
			return err
		}
	}
	people := make([]string, 0, 3*b.Rounds)
	for i := range cap(people) {
		people = append(people, fmt.Sprintf("bench-erased-%d", i))
		if err := live(ctx, s, people[i], i%3 == 2); err != nil {
			return err
		}
	}
	if err := b.db.settle(ctx); err != nil {
		return err
	}
	used := [3]int{}
	next := func(side int) string { used[side]++; return people[3*(used[side]-1)+side] }
	erase := func(side int) func(context.Context) (work, error) {
		return func(ctx context.Context) (work, error) {
			begin := time.Now()
			r, _, err := erasers[side].Erase(ctx, next(side), "operator")
			if n := r.Tables["events.events"].Erased; err == nil && (n != lifeStreams*lifeEvents || !r.Complete) {
				err = fmt.Errorf("%d events were erased, complete: %t", n, r.Complete)
			}
			return work{count: lifeStreams * lifeEvents, seconds: time.Since(begin).Seconds()}, err
		}
	}
	return b.compare(ctx, "erase a person of 10,000 events",
		side{fmt.Sprintf("erasure that waits %s", waits), erase(0)},
		side{"erasure that doesn't wait", erase(1)},
		side{"plain DELETE", func(ctx context.Context) (work, error) {
			begin := time.Now()
			n, err := b.deletePlainly(ctx, next(2))
			if err == nil && n != lifeStreams*lifeEvents {
				err = fmt.Errorf("%d events were deleted", n)
			}
			return work{count: lifeStreams * lifeEvents, seconds: time.Since(begin).Seconds()}, err
		}},
	)
}

func (b *bench) deletePlainly(ctx context.Context, person string) (n int64, err error) {
	err = pgx.BeginFunc(ctx, b.db.pool(), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "DELETE FROM bench.events WHERE subject_id = $1", person)
		if err != nil {
			return err
		}
		n = tag.RowsAffected()
		_, err = tx.Exec(ctx, "DELETE FROM bench.streams WHERE subject_id = $1", person)
		return err
	})
	return n, err
}

// live gives a person a life in the log or, plain, in the bare tables.
func live(ctx context.Context, s *server, person string, plain bool) error {
	who := auth.Actor{UserID: person, Roles: []auth.Role{auth.Student}}
	for range lifeStreams {
		stream := events.Stream{Type: goalStream, ID: uuid.Must(uuid.NewV7()).String(), SubjectID: person}
		err := s.db.InTx(ctx, postgres.As(who), func(_ context.Context, tx *postgres.Tx) error {
			s.log.Append(tx, stream, 0, &goalsv1.GoalCreated{GoalId: stream.ID, UserId: person, Details: &goalsv1.GoalDetails{Title: title, Description: description}})
			for i := 1; i < lifeEvents; i++ {
				s.log.Append(tx, stream, int64(i), &goalsv1.GoalStarted{GoalId: stream.ID})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("give %s a life: %w", person, err)
		}
	}
	if !plain {
		return nil
	}
	return s.db.InTx(ctx, postgres.As(auth.System("bench")), func(ctx context.Context, tx *postgres.Tx) error {
		raw, err := tx.PGX(ctx)
		for _, sql := range []string{copyStreams, copyEvents} {
			if err == nil {
				_, err = raw.Exec(ctx, sql, person)
			}
		}
		return err
	})
}

// newEraser is a process that erases, with a log of its own.
func newEraser(db *postgres.DB, dir string, settle time.Duration) (erasure *eventsfx.Erasure, err error) {
	logger, cfg := quiet(), events.DefaultConfig()
	cfg.Erasure = events.ErasureConfig{Dir: dir, Settle: settle}
	app := fx.New(
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Supply(db, logger, cfg, events.New(db, cfg, logger), privacy.Merge(privacy.Core, events.Privacy, goals.Privacy, tasks.Privacy)),
		fx.Provide(postgres.NewListener, auth.NewRevocations, func() (*cache.Cache, error) { return cache.New(cache.DefaultConfig(), logger) }),
		eventsfx.ErasureModule, fx.Populate(&erasure),
	)
	if err := app.Err(); err != nil {
		return nil, fmt.Errorf("wire the erasure: %w", err)
	}
	return erasure, nil
}
