package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Checkpoint is the state after an execution.
type Checkpoint struct {
	agents.Step
	// Position is the order in which executions ended.
	Position int
	State    json.RawMessage
	// Due is what was due after it.
	Due []Due
}

var insertCheckpoint = postgres.SQL("agents.checkpoint.insert", `
	INSERT INTO agents.checkpoints (run_id, step, position, node, outcome, state, due, attempts, started_at, finished_at)
	VALUES (@run, @step, @position, @node, @outcome, @state, @due, @attempts, @started, @finished)`)

// PutCheckpoint writes a checkpoint; for the system.
func PutCheckpoint(ctx context.Context, tx *postgres.Tx, runID string, c Checkpoint) error {
	if c.Due == nil {
		c.Due = []Due{}
	}
	due, err := json.Marshal(c.Due)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	_, err = tx.Exec(ctx, insertCheckpoint, postgres.Args{
		"run": runID, "step": c.Number, "position": c.Position, "node": c.Node, "outcome": c.Outcome, "state": string(c.State),
		"due": string(due), "attempts": c.Attempts, "started": c.StartedAt, "finished": c.FinishedAt,
	})
	return err
}

var steps = postgres.SQL("agents.checkpoint.list", `
	SELECT c.step, c.node, c.outcome, c.attempts, c.started_at, c.finished_at, e.calls, e.input, e.output, e.cost
	FROM agents.checkpoints c JOIN agents.runs r ON r.id = c.run_id
	CROSS JOIN LATERAL (
		SELECT count(*) AS calls, coalesce(sum(f.input_tokens), 0)::bigint AS input,
		       coalesce(sum(f.output_tokens), 0)::bigint AS output, coalesce(sum(f.cost_micros), 0)::bigint AS cost
		FROM agents.effects f WHERE f.run_id = c.run_id AND f.step = c.step AND f.kind = 'model'
	) e
	WHERE c.run_id = @run AND c.step > 0 AND `+scope+` ORDER BY c.position`)

// Steps are the executions of a run that ended, in that order.
func Steps(ctx context.Context, q postgres.Queryer, actor auth.Actor, runID string) ([]agents.Step, error) {
	rows, err := q.Query(ctx, steps, scoped(actor, postgres.Args{"run": runID}))
	if err != nil {
		return nil, fmt.Errorf("read steps of run %s: %w", runID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s agents.Step, err error) {
		err = row.Scan(&s.Number, &s.Node, &s.Outcome, &s.Attempts, &s.StartedAt, &s.FinishedAt,
			&s.Cost.ModelCalls, &s.Cost.InputTokens, &s.Cost.OutputTokens, &s.Cost.Micros)
		s.StartedAt, s.FinishedAt = s.StartedAt.UTC(), s.FinishedAt.UTC()
		return s, err
	})
}

var checkpoint = postgres.SQL("agents.checkpoint.get", `
	SELECT c.step, c.position, c.node, c.outcome, c.state, c.due, c.attempts, c.started_at, c.finished_at
	FROM agents.checkpoints c JOIN agents.runs r ON r.id = c.run_id
	WHERE c.run_id = @run AND c.step = @step AND `+scope)

// GetCheckpoint reads a checkpoint; nil for none.
func GetCheckpoint(ctx context.Context, tx *postgres.Tx, actor auth.Actor, runID string, step int) (*Checkpoint, error) {
	var c Checkpoint
	var state, due []byte
	err := tx.QueryRow(ctx, checkpoint, scoped(actor, postgres.Args{"run": runID, "step": step})).
		Scan(&c.Number, &c.Position, &c.Node, &c.Outcome, &state, &due, &c.Attempts, &c.StartedAt, &c.FinishedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %d of run %s: %w", step, runID, err)
	}
	c.State = state
	return &c, json.Unmarshal(due, &c.Due)
}

// Effect is a call of a model, or an effect on the outside, that is made at
// most once.
type Effect struct {
	RunID string
	Step  int
	Key   string
	// Kind is "model" or "effect".
	Kind string
	// Result is a JSON value; nil when it failed or is not known.
	Result json.RawMessage
	// Error says why it failed.
	Error                     string
	Provider, Model           string
	InputTokens, OutputTokens int
	CostMicros                int64
	// Ended is false when its outcome is not known.
	Ended bool
}

var beginEffect = postgres.SQL("agents.effect.begin", `
	INSERT INTO agents.effects (run_id, step, key, kind, error, provider, model, input_tokens, output_tokens, cost_micros, begun_at)
	SELECT @run, @step, @key, @kind, '', '', '', 0, 0, 0, @now
	WHERE EXISTS (SELECT FROM agents.queue q WHERE q.run_id = @run AND q.step = @step AND q.lease_token = @token)
	ON CONFLICT DO NOTHING`)

// Begin notes that an effect begins; false when it began before, or when the
// lease is lost.
func Begin(ctx context.Context, q postgres.Queryer, e Effect, token string, now time.Time) (bool, error) {
	tag, err := q.Exec(ctx, beginEffect, postgres.Args{
		"run": e.RunID, "step": e.Step, "key": e.Key, "kind": e.Kind, "token": token, "now": now,
	})
	return err == nil && tag.RowsAffected() == 1, err
}

var getEffect = postgres.SQL("agents.effect.get", `
	SELECT kind, result, error, provider, model, input_tokens, output_tokens, cost_micros, ended_at IS NOT NULL
	FROM agents.effects WHERE run_id = @run AND step = @step AND key = @key`)

// GetEffect reads an effect; nil for none.
func GetEffect(ctx context.Context, q postgres.Queryer, runID string, step int, key string) (*Effect, error) {
	e := Effect{RunID: runID, Step: step, Key: key}
	var result []byte
	err := q.QueryRow(ctx, getEffect, postgres.Args{"run": runID, "step": step, "key": key}).
		Scan(&e.Kind, &result, &e.Error, &e.Provider, &e.Model, &e.InputTokens, &e.OutputTokens, &e.CostMicros, &e.Ended)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read effect %s of run %s: %w", key, runID, err)
	}
	e.Result = result
	return &e, nil
}

// The run's cost is counted with the effect, so that neither is without the
// other.
var endEffect = postgres.SQL("agents.effect.end", `
	WITH ended AS (
		UPDATE agents.effects SET result = @result, error = @error, provider = @provider, model = @model,
			input_tokens = @input, output_tokens = @output, cost_micros = @cost, ended_at = @now
		WHERE run_id = @run AND step = @step AND key = @key AND ended_at IS NULL
		RETURNING kind, input_tokens, output_tokens, cost_micros
	)
	UPDATE agents.runs r SET model_calls = r.model_calls + CASE WHEN e.kind = 'model' THEN 1 ELSE 0 END,
		input_tokens = r.input_tokens + e.input_tokens, output_tokens = r.output_tokens + e.output_tokens,
		cost_micros = r.cost_micros + e.cost_micros
	FROM ended e WHERE r.id = @run`)

// End records what came of an effect.
func End(ctx context.Context, q postgres.Queryer, e Effect, now time.Time) error {
	_, err := q.Exec(ctx, endEffect, postgres.Args{
		"run": e.RunID, "step": e.Step, "key": e.Key, "result": null(string(e.Result)), "error": e.Error, "provider": e.Provider,
		"model": e.Model, "input": e.InputTokens, "output": e.OutputTokens, "cost": e.CostMicros, "now": now,
	})
	return err
}
