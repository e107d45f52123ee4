package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

// Call is who asks for a unit of work.
type Call struct {
	// Actor acts; the statements run with the actor's rights.
	Actor auth.Actor
	// Key is the caller's idempotency key; "" means that a repeated call is done
	// again.
	Key string
	// Procedure is what was called: "/tracker.goals.v1.GoalsService/CreateGoal".
	Procedure string
	// Hash is the digest of the request; another one under the same key is refused.
	Hash []byte
	// RequestID goes into the events' meta.
	RequestID string
}

// As is a call of an actor without idempotency key.
func As(actor auth.Actor) Call { return Call{Actor: actor} }

// Replay is what InTx returns when the call was done before: nothing ran, and
// Reply is what the first call sealed.
type Replay struct{ Reply []byte } //nolint:errname // an answer, which takes an error's way

// Error says that it is a replay.
func (*Replay) Error() string { return "the call was done before" }

// keyLife is how long an idempotency key is remembered.
const keyLife = 48 * time.Hour

// maxAttempts is how often a unit of work is tried when the database undoes
// it (deadlock, serialization failure). It ran wholly or not at all.
const maxAttempts = 4

// InTx runs fn in one transaction with the call's rights and commits what it
// did, with its events, jobs and sealed reply; an error undoes all of it. fn
// may run again after a deadlock, so it must do nothing but database work. A
// call whose key was used returns *Replay.
func (db *DB) InTx(ctx context.Context, call Call, fn func(context.Context, *Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.inTx(ctx, call, fn)
		if !retryable(err) || attempt == maxAttempts || ctx.Err() != nil {
			return err
		}
		// Two that met in a deadlock would meet again in step without a pause of
		// different lengths.
		select {
		case <-time.After(rand.N(10 * time.Millisecond << attempt)):
		case <-ctx.Done():
			return err
		}
	}
}

func (db *DB) inTx(ctx context.Context, call Call, fn func(context.Context, *Tx) error) (err error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	tx := &Tx{conn: conn, call: call, keyed: -1}
	committed := false
	defer func() {
		if !committed {
			tx.rollback(ctx)
		}
		conn.Release()
	}()
	tx.pending.Queue("begin")
	db.queueLimits(&tx.pending.Batch)
	if call.Key != "" {
		queueIdentity(&tx.pending.Batch, auth.System("idempotency"))
		tx.keyed = tx.pending.Len()
		tx.pending.Queue(insertKey.sql, call.Actor.Name(), call.Key, call.Procedure, call.Hash, keyLife)
	}
	queueIdentity(&tx.pending.Batch, call.Actor)

	if err = fn(ctx, tx); err == nil {
		err = tx.finish(ctx)
	}
	if tx.replayed {
		tx.rollback(ctx)
		return db.replay(ctx, call)
	}
	if err != nil {
		return err
	}
	committed = true
	for _, wake := range tx.after {
		wake()
	}
	return nil
}

// finish writes what was buffered and commits.
func (tx *Tx) finish(ctx context.Context) error {
	tx.Become(auth.System("log"))
	for i := 0; i < len(tx.before); i++ { //nolint:intrange // a hook may register another
		if err := tx.before[i](ctx, tx); err != nil {
			return err
		}
	}
	if !tx.begun && !tx.asked && tx.call.Key == "" {
		return nil // nothing was asked of the database
	}
	var last pgx.Batch
	if tx.call.Key != "" && tx.sealed {
		last.Queue(sealReply.sql, tx.reply, tx.call.Actor.Name(), tx.call.Key)
	}
	last.Queue("commit")
	results := tx.SendBatch(ctx, &last)
	if failed, ok := results.(failedBatch); ok {
		return failed.err // of what went before the commit
	}
	var tag pgconn.CommandTag
	for range last.Len() {
		var err error
		if tag, err = results.Exec(); err != nil {
			_ = results.Close()
			return fmt.Errorf("commit: %w", err)
		}
	}
	if err := results.Close(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if tag.String() != "COMMIT" {
		return errors.New("commit: the transaction had failed before, nothing was written")
	}
	tx.begun = false
	return nil
}

// rollback undoes an open transaction; a connection that can't be brought back
// to rest is closed by the pool.
func (tx *Tx) rollback(ctx context.Context) {
	if tx.conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := tx.conn.Exec(ctx, "rollback"); err != nil {
		_ = tx.conn.Conn().Close(ctx)
	}
}

var insertKey = SQL("core.idempotency.insert", `
	INSERT INTO core.idempotency_keys (subject_id, key, procedure, request_hash, expires_at)
	VALUES (@subject, @key, @procedure, @hash, now() + @life::interval)`)

var sealReply = SQL("core.idempotency.seal", `
	UPDATE core.idempotency_keys SET reply = @reply WHERE subject_id = @subject AND key = @key`)

var readKey = SQL("core.idempotency.read", `
	SELECT procedure, request_hash, reply FROM core.idempotency_keys
	WHERE subject_id = @subject AND key = @key`)

func (db *DB) replay(ctx context.Context, call Call) error {
	var procedure string
	var hash, reply []byte
	err := db.As(auth.System("idempotency")).QueryRow(ctx, readKey, Args{"subject": call.Actor.Name(), "key": call.Key}).
		Scan(&procedure, &hash, &reply)
	if errors.Is(err, pgx.ErrNoRows) {
		return errs.Busy.New(errs.Say("The first call with this Idempotency-Key", "La primera llamada con esta Idempotency-Key"))
	}
	if err != nil {
		return fmt.Errorf("read idempotency key: %w", err)
	}
	if procedure != call.Procedure || !slices.Equal(hash, call.Hash) {
		return errs.KeyReused.New(call.Key)
	}
	return &Replay{Reply: reply}
}

func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001")
}

// queueIdentity sets role and subject until the end of the transaction; in a
// batch without begin that is the end of the batch.
func queueIdentity(batch *pgx.Batch, actor auth.Actor) {
	id := identity(actor)
	batch.Queue(setIdentity.sql, id.role, actor.UserID, id.teaches, id.joined)
}

var setIdentity = SQL("core.identity", `
	SELECT set_config('role', @role, true), set_config('tracker.subject', @subject, true),
	       set_config('tracker.courses', @teaches, true), set_config('tracker.joined', @joined, true)`)

// rights are what policies see of an actor. teaches is "*" for admins alone: a
// list of courses is always written in braces.
type rights struct{ role, teaches, joined string }

func identity(actor auth.Actor) rights {
	switch {
	case actor.IsSystem():
		return rights{role: "tracker_system"}
	case actor.Has(auth.Admin):
		return rights{role: "tracker_teacher", teaches: "*"}
	case actor.Has(auth.Teacher):
		return rights{role: "tracker_teacher", teaches: arrayLiteral(actor.CourseIDs)}
	default:
		return rights{role: "tracker_user", joined: arrayLiteral(actor.CourseIDs)}
	}
}

func arrayLiteral(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		item = strings.ReplaceAll(item, `\`, `\\`)
		quoted[i] = `"` + strings.ReplaceAll(item, `"`, `\"`) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}
