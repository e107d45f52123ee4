// Package wire is the layer between langchaingo's clients and HTTP, shared by
// the plugins for language models. langchaingo's clients drop or confuse a part
// of what providers say and of what they are asked; here requests are completed
// on their way out, and answers are read whole before the client gets the plain
// text of them. What differs between providers is a [Protocol].
//
// The package knows neither langchaingo nor any provider.
package wire

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"strings"
	"sync"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// Limits on what one answer may hold.
const (
	MaxAnswer = 4 << 20
	MaxCalls  = 128
)

// Answer is what a provider really said.
type Answer struct {
	ToolCalls []llm.ToolCall
	// Reason is zero until the provider has said why it stopped.
	Reason  llm.FinishReason
	Refusal string
	Model   string
	Usage   llm.Usage
	// Vectors are those of an embedding, in the order of the texts.
	Vectors [][]float32

	size int
}

// Grow counts what came, and is an error when that is too much.
func (a *Answer) Grow(bytes int) error {
	a.size += bytes
	if a.size > MaxAnswer || len(a.ToolCalls) > MaxCalls {
		return llm.Errorf(llm.CodeInternal, "the answer is larger than %d bytes or %d tool calls", MaxAnswer, MaxCalls)
	}
	return nil
}

// number gives an id to calls that came without one: unique in a conversation
// of many answers.
func (a *Answer) number() {
	for i := range a.ToolCalls {
		if a.ToolCalls[i].ID == "" {
			a.ToolCalls[i].ID = "call_" + strings.ToLower(rand.Text()[:12])
		}
		if args := a.ToolCalls[i].Arguments; args == "" || args == "null" {
			a.ToolCalls[i].Arguments = "{}"
		}
	}
}

// Ending closes the answer for the tracker.
func (a *Answer) Ending() *llm.Ending {
	e := &llm.Ending{Usage: a.Usage, Model: a.Model, Reason: a.Reason, Refusal: a.Refusal}
	switch {
	case a.Refusal != "":
		e.Reason = llm.FinishRefusal
	case a.Reason == llm.FinishLength, a.Reason == llm.FinishContentFilter:
	case len(a.ToolCalls) > 0:
		e.Reason = llm.FinishToolCalls // some servers say "stop" here
	case a.Reason != llm.FinishRefusal:
		e.Reason = llm.FinishStop
	}
	return e
}

// Exchange travels in the context of one call to langchaingo's client: out with
// what the client can't say, back with what it would drop.
type Exchange struct {
	// Edit, if set, changes the request as the client wrote it.
	Edit func(fields map[string]any) error

	mu       sync.Mutex
	err      error
	complete bool
	answer   Answer
}

type exchangeKey struct{}

// With puts ex into the context of a call.
func With(ctx context.Context, ex *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, ex)
}

// fail keeps the first error: langchaingo rewrites errors into texts.
func (ex *Exchange) fail(err error) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.err == nil {
		ex.err = err
	}
	return ex.err
}

// Result returns what came, or why it did not come whole. Errors are of the
// type llm.Error (sdk), or *RefusedError.
func (ex *Exchange) Result(ctx context.Context) (Answer, error) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	switch {
	case ex.err != nil:
		return Answer{}, ex.err
	case ex.complete:
		return ex.answer, nil
	case ctx.Err() != nil:
		// langchaingo takes a stream that was cut by its context for a whole one.
		return Answer{}, fromTransport(ctx, ctx.Err(), nil, llm.CodeInterrupted)
	default:
		return Answer{}, errCut()
	}
}

func errCut() *llm.Error {
	return llm.Errorf(llm.CodeInterrupted, "the provider's answer was cut off")
}

// rewrite applies Edit to the request as langchaingo wrote it.
func (ex *Exchange) rewrite(body io.ReadCloser) ([]byte, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	_ = body.Close()
	if ex.Edit == nil {
		return raw, nil
	}
	fields := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		return nil, err
	}
	if err := ex.Edit(fields); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err = enc.Encode(fields)
	return out.Bytes(), err
}
