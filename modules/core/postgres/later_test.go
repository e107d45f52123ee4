package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// trips counts what is sent.
type trips struct{ atomic.Int64 }

func (c *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.Add(1)
	return ctx
}
func (c *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.Add(1)
	return ctx
}
func (c *trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func later(tx *postgres.Tx, user, body string) error {
	return tx.Later(insertNote, postgres.Args{"user": user, "course": "c1", "body": body}, func(err error) error {
		return errors.Join(errs.Forbidden.New("this note"), err)
	})
}

func TestAUnitOfWorkWithNothingToReadIsOneRoundTrip(t *testing.T) {
	var sent trips
	db, err := postgres.Open(t.Context(), postgres.Config{URL: setup(t).URL(), Tracer: &sent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	call := postgres.Call{Actor: learner("ada"), Key: "k", Procedure: "p", Hash: []byte("h")}
	sent.Store(0)
	for range 2 { // the second is a replay: the key stands, so nothing is written
		err = db.InTx(t.Context(), call, func(_ context.Context, tx *postgres.Tx) error {
			tx.Seal([]byte("done"))
			tx.BeforeCommit(func(_ context.Context, tx *postgres.Tx) error { return later(tx, "ada", "two") })
			return later(tx, "ada", "one")
		})
		if n := sent.Swap(0); err == nil && n != 1 {
			t.Errorf("it took %d round trips", n)
		}
	}
	var replay *postgres.Replay
	if !errors.As(err, &replay) || string(replay.Reply) != "done" {
		t.Errorf("the second time: %v", err)
	}
	if n := count(t, db.As(learner("ada")), "ada"); n != 2 {
		t.Errorf("%d notes are there, want 2", n)
	}
}

func TestWhatRunsLaterIsSeenByTheNextStatement(t *testing.T) {
	db := setup(t)
	err := db.InTx(t.Context(), postgres.As(learner("ada")), func(_ context.Context, tx *postgres.Tx) error {
		if err := later(tx, "ada", "one"); err != nil {
			return err
		}
		if n := count(t, tx, "ada"); n != 1 {
			t.Errorf("%d notes are seen, want 1", n)
		}
		return nil
	})
	if err != nil || count(t, db.As(learner("ada")), "ada") != 1 {
		t.Errorf("afterwards: %v", err)
	}
}

func TestWhatFailsLaterUndoesTheUnitOfWorkAndIsExplained(t *testing.T) {
	db := setup(t)
	for name, next := range map[string]func(context.Context, *postgres.Tx) error{
		"at the commit": func(context.Context, *postgres.Tx) error { return nil },
		"at the next statement": func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, insertNote, postgres.Args{"user": "ada", "course": "c1", "body": "next"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := db.InTx(t.Context(), postgres.As(learner("ada")), func(ctx context.Context, tx *postgres.Tx) error {
				if err := later(tx, "ada", "mine"); err != nil {
					return err
				}
				if err := later(tx, "eve", "another's, which row-level security refuses"); err != nil {
					return err
				}
				return next(ctx, tx)
			})
			if !errs.Forbidden.Is(err) || !strings.Contains(err.Error(), "row-level security") {
				t.Errorf("got %v", err)
			}
			if n := count(t, db.As(learner("ada")), "ada"); n != 0 {
				t.Errorf("%d notes are there, want none", n)
			}
		})
	}
	if err := db.InTx(t.Context(), postgres.As(learner("ada")), func(_ context.Context, tx *postgres.Tx) error {
		return tx.Later(insertNote, postgres.Args{"user": "ada"}, func(err error) error { return err })
	}); err == nil {
		t.Error("a missing argument is no error")
	}
}
