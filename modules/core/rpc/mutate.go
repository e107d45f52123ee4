package rpc

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// KeyHeader is the header that makes a mutation safe to repeat: for 48 hours
// the same key with the same request gives the first answer again.
const KeyHeader = "Idempotency-Key"

// ReplayedHeader is "true" on an answer that was given before.
const ReplayedHeader = "Idempotency-Replayed"

// maxKey is how many characters an Idempotency-Key may have.
const maxKey = 200

// Mutate runs a mutation as one unit of work with the caller's rights. When the
// request carries an Idempotency-Key, the answer is sealed with the mutation,
// and a repetition gets that answer without running fn; the same key with
// another request is errs.KeyReused. fn may run again after a deadlock, so it
// does nothing but database work.
func Mutate[Resp proto.Message](ctx context.Context, db *postgres.DB, req proto.Message, fn func(ctx context.Context, tx *postgres.Tx) (Resp, error)) (Resp, error) {
	var none Resp
	call, info, err := callOf(ctx, req)
	if err != nil {
		return none, err
	}
	var answer Resp
	err = db.InTx(ctx, call, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		if answer, err = fn(ctx, tx); err != nil || call.Key == "" {
			return err
		}
		// What AfterCommit or a late hook adds to the answer is not in the seal;
		// nothing should.
		sealed, err := proto.Marshal(answer)
		if err != nil {
			return fmt.Errorf("seal answer: %w", err)
		}
		tx.Seal(sealed)
		return nil
	})
	var replay *postgres.Replay
	if errors.As(err, &replay) {
		first, ok := none.ProtoReflect().New().Interface().(Resp)
		if !ok {
			return none, fmt.Errorf("make an empty %T", none)
		}
		if err := proto.Unmarshal(replay.Reply, first); err != nil {
			return none, fmt.Errorf("read sealed answer: %w", err)
		}
		if info != nil {
			info.ResponseHeader().Set(ReplayedHeader, "true")
		}
		return first, nil
	}
	if err != nil {
		return none, err
	}
	return answer, nil
}

// callOf is the unit of work's caller; info is nil outside of a request.
func callOf(ctx context.Context, req proto.Message) (postgres.Call, connect.CallInfo, error) {
	call := postgres.Call{Actor: Actor(ctx), RequestID: RequestID(ctx)}
	if err := requireActor(ctx); err != nil {
		return call, nil, err
	}
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return call, nil, nil
	}
	key, err := keyOf(info.RequestHeader())
	if err != nil || key == "" {
		return call, info, err
	}
	call.Key, call.Procedure = key, info.Spec().Procedure
	call.Hash, err = digest(call.Procedure, req)
	return call, info, err
}

func keyOf(header http.Header) (string, error) {
	values := header.Values(KeyHeader)
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > maxKey {
		return "", errs.BadKey.New()
	}
	for i := range len(key) {
		if key[i] < 0x20 || key[i] > 0x7e {
			return "", errs.BadKey.New()
		}
	}
	return key, nil
}

// digest tells one request from another. It is over proto bytes, so that the
// same request is the same on every face.
func digest(procedure string, req proto.Message) ([]byte, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("digest request: %w", err)
	}
	sum := sha256.New()
	sum.Write([]byte(procedure))
	sum.Write([]byte{0})
	sum.Write(body)
	return sum.Sum(nil), nil
}
