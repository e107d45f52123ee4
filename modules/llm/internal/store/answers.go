package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
)

// Answers keep what models said, for the same person's same request.
type Answers struct{ db *postgres.DB }

var _ llm.Memory = (*Answers)(nil)

// NewAnswers keeps answers on the database.
func NewAnswers(db *postgres.DB) *Answers { return &Answers{db: db} }

var recall = postgres.SQL("llm.answers.get", `SELECT a.answer FROM llm.answers a WHERE a.key = @key AND a.expires_at > now()`)

// Recall implements llm.Memory.
func (s *Answers) Recall(ctx context.Context, key []byte) (*llm.Answer, error) {
	var raw []byte
	err := s.db.As(system).QueryRow(ctx, recall, postgres.Args{"key": key}).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load an earlier answer: %w", err)
	}
	a := &llm.Answer{}
	if err := json.Unmarshal(raw, a); err != nil { //nolint:musttag // our own rows, by the names of its fields
		return nil, fmt.Errorf("read an earlier answer: %w", err)
	}
	return a, nil
}

// The oldest go with each new one, so that the table has an end.
var remember = postgres.SQL("llm.answers.put", `
	WITH over AS (
		DELETE FROM llm.answers a USING (
			SELECT o.key FROM llm.answers o WHERE o.expires_at < now() ORDER BY o.expires_at LIMIT 100 FOR UPDATE SKIP LOCKED
		) o WHERE a.key = o.key AND a.key <> @key
	)
	INSERT INTO llm.answers (key, user_id, answer, expires_at)
	VALUES (@key, nullif(@user_id, ''), @answer, now() + @lasts::interval)
	ON CONFLICT (key) DO UPDATE SET answer = excluded.answer, expires_at = excluded.expires_at`)

// Remember implements llm.Memory.
func (s *Answers) Remember(ctx context.Context, userID string, key []byte, a *llm.Answer, lasts time.Duration) error {
	kept := *a
	kept.Usage = llm.Usage{}
	raw, err := json.Marshal(kept) //nolint:musttag // as above
	if err != nil {
		return fmt.Errorf("write down an answer: %w", err)
	}
	_, err = s.db.As(system).Exec(ctx, remember, postgres.Args{"key": key, "user_id": userID, "answer": raw, "lasts": lasts})
	if err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	return nil
}
