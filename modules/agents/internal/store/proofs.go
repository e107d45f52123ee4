package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var (
	getProof = postgres.SQL("agents.proof.get", `SELECT proof FROM agents.proofs WHERE digest = @digest`)
	putProof = postgres.SQL("agents.proof.put", `
		INSERT INTO agents.proofs (digest, proof, made_at) VALUES (@digest, @proof, @now) ON CONFLICT DO NOTHING`)
)

// Proof reads what came of trying an exercise out into proof; false when it was
// not tried. For the system.
func Proof(ctx context.Context, q postgres.Queryer, digest string, proof any) (bool, error) {
	var raw []byte
	err := q.QueryRow(ctx, getProof, postgres.Args{"digest": digest}).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read proof %s: %w", digest, err)
	}
	return true, json.Unmarshal(raw, proof)
}

// PutProof keeps what came of trying an exercise out. For the system.
func PutProof(ctx context.Context, q postgres.Queryer, digest string, proof any, now time.Time) error {
	raw, err := json.Marshal(proof)
	if err != nil {
		return fmt.Errorf("write proof %s: %w", digest, err)
	}
	_, err = q.Exec(ctx, putProof, postgres.Args{"digest": digest, "proof": string(raw), "now": now})
	return err
}
