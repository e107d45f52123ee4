package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
)

// ErrOutcomeUnknown means that the effect was begun by an execution that died before it
// could record what came of it. It is not made again.
var ErrOutcomeUnknown = errors.New("the outcome of this effect is not known")

// FailedError is the error of an effect that was made before.
type FailedError struct{ Text string }

// Error is the error's text.
func (e *FailedError) Error() string { return e.Text }

// Once makes an effect on the outside at most once in this step, under a key,
// and gives its result again whenever the node runs again: ErrOutcomeUnknown
// when that was lost with a worker, a *FailedError when it had failed.
func (x *Execution) Once(ctx context.Context, key string, do func(ctx context.Context) (any, error)) (json.RawMessage, error) {
	return x.once(ctx, key, "effect", func(ctx context.Context, _ *store.Effect) (any, error) { return do(ctx) })
}

// Model asks a model, as Once does: a paid call is not made twice, and counts
// into the run's cost. The request's caller is the run's learner.
func (x *Execution) Model(ctx context.Context, models llm.Service, key string, req llm.Request) (*llm.Answer, error) {
	req.UserID, req.CourseID, req.RunID = x.Run.UserID, x.Run.CourseID, x.Run.ID
	heard := x.listen(req.Stream)
	req.Stream = heard.hear
	defer heard.flush()
	raw, err := x.once(ctx, key, "model", func(ctx context.Context, e *store.Effect) (any, error) {
		answer, err := models.Generate(ctx, req)
		if err != nil {
			return nil, err
		}
		e.Provider, e.Model, e.CostMicros = answer.Provider, answer.Model, answer.Usage.CostMicros
		e.InputTokens, e.OutputTokens = answer.Usage.InputTokens, answer.Usage.OutputTokens
		return answer, nil
	})
	if err != nil {
		return nil, err
	}
	var answer llm.Answer
	if err := json.Unmarshal(raw, &answer); err != nil { //nolint:musttag // our own rows, by the names of its fields
		return nil, fmt.Errorf("read answer %s: %w", key, err)
	}
	return &answer, nil
}

func (x *Execution) once(ctx context.Context, key, kind string, do func(context.Context, *store.Effect) (any, error)) (json.RawMessage, error) {
	q := x.engine.db.As(system)
	e := store.Effect{RunID: x.Run.ID, Step: x.Step, Key: key, Kind: kind}
	begun, err := store.Begin(ctx, q, e, x.token, x.engine.now())
	if err != nil {
		return nil, fmt.Errorf("begin effect %s: %w", key, err)
	}
	if !begun {
		return x.before(ctx, q, key)
	}
	x.engine.at("effect begun", x.Run.ID, x.Step)
	result, err := do(ctx, &e)
	x.engine.at("effect made", x.Run.ID, x.Step)
	if err != nil {
		e.Error = strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "\uFFFD"), "\x00", "")
	} else if e.Result, err = encode(result); err != nil {
		return nil, fmt.Errorf("record effect %s: %w", key, err)
	}
	// What was paid for is recorded even when the server stops meanwhile.
	if endErr := store.End(context.WithoutCancel(ctx), q, e, x.engine.now()); endErr != nil {
		return nil, fmt.Errorf("record effect %s: %w", key, endErr)
	}
	x.engine.at("effect recorded", x.Run.ID, x.Step)
	return e.Result, err
}

// before is what came of an effect that was begun before.
func (x *Execution) before(ctx context.Context, q postgres.Queryer, key string) (json.RawMessage, error) {
	e, err := store.GetEffect(ctx, q, x.Run.ID, x.Step, key)
	switch {
	case err != nil:
		return nil, err
	case e == nil:
		return nil, errLost
	case !e.Ended:
		return nil, ErrOutcomeUnknown
	case e.Error != "":
		return nil, &FailedError{Text: e.Error}
	}
	return e.Result, nil
}

// encode is JSON that PostgreSQL can keep: without NUL.
func encode(value any) (json.RawMessage, error) {
	raw, err := json.Marshal(value)
	if err != nil || !bytes.Contains(raw, []byte(`\u0000`)) {
		return raw, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var parsed any
	if err := decoder.Decode(&parsed); err != nil {
		return nil, err
	}
	return json.Marshal(withoutNUL(parsed))
}

func withoutNUL(value any) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
	case map[string]any:
		for name, member := range v {
			delete(v, name)
			v[strings.ReplaceAll(name, "\x00", "")] = withoutNUL(member)
		}
	}
	return value
}
