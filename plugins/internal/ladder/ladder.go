// Package ladder makes models answer in the shape of a JSON Schema, whatever
// their server knows: by the provider's own promise, else by a forced tool whose
// parameters are the schema, else by JSON mode, else by the prompt alone. What a
// server refused is remembered per model, so a detour is taken once.
//
// On the lower rungs an answer may miss the schema. The tracker holds every
// answer against it and asks once for a repair: there, and not here, since each
// call must be within somebody's budget.
package ladder

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// Rung is one way to ask for the shape of a schema.
type Rung int

// The rungs, best first.
const (
	Schema   Rung = iota // the provider promises the schema
	Tool                 // a forced tool whose parameters are the schema
	JSONMode             // the provider promises JSON; the schema is in the prompt
	Prompt               // the schema is in the prompt
)

const maxAttempts = 8

// Ladder remembers what was learned of each model. Safe for concurrent use.
type Ladder struct {
	// Words lists, for each rung that the protocol has, the words by which
	// servers refuse it, in lower case. Prompt is always there.
	Words map[Rung][]string
	// Optional are fields that servers refuse although the request works without
	// them.
	Optional []string
	// Fits, if set, says whether Schema takes a schema at all.
	Fits func(schema string) bool

	mu     sync.Mutex
	low    map[string]Rung
	quirks map[string]map[string]bool
}

// Ask asks by call, and asks again with less when the server does not know a
// feature.
func (l *Ladder) Ask(req *llm.GenerateRequest, call func(Rung) (*llm.Ending, error)) (*llm.Ending, error) {
	if req.JSONSchema != "" && !json.Valid([]byte(req.JSONSchema)) {
		return nil, llm.Errorf(llm.CodeInvalidRequest, "the schema of the answer is not JSON")
	}
	for _, t := range req.Tools {
		if t.ParametersSchema != "" && !json.Valid([]byte(t.ParametersSchema)) {
			return nil, llm.Errorf(llm.CodeInvalidRequest, "the parameters schema of tool %q is not JSON", t.Name)
		}
	}
	for attempt := 1; ; attempt++ {
		on := l.rungFor(req)
		end, err := call(on)
		var refused *wire.RefusedError
		if err == nil || !errors.As(err, &refused) || attempt == maxAttempts {
			return end, unwrap(err)
		}
		switch field := l.refusedField(refused, l.Quirks(req.Model)); {
		case field != "":
			l.learn(req.Model, field)
		case req.JSONSchema != "" && on < Prompt && refused.About(l.Words[on]...):
			l.stepDown(req.Model, on)
		default:
			return nil, unwrap(err)
		}
	}
}

// unwrap leaves only the typed error for the tracker.
func unwrap(err error) error {
	var e *llm.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}

// Quirks are the optional fields that the model's server refused.
func (l *Ladder) Quirks(model string) map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.quirks[model])
}

// refusedField names an optional field that the server refused and that was
// not yet left out.
func (l *Ladder) refusedField(e *wire.RefusedError, known map[string]bool) string {
	for _, f := range l.Optional {
		if !known[f] && e.About(`'`+f+`'`, `"`+f+`"`, `\"`+f+`\"`, "`"+f+"`", `"`+f+`:`) {
			return f
		}
	}
	return ""
}

func (l *Ladder) has(r Rung) bool { _, ok := l.Words[r]; return ok || r == Prompt }

func (l *Ladder) rungFor(req *llm.GenerateRequest) Rung {
	l.mu.Lock()
	defer l.mu.Unlock()
	for on := l.low[req.Model]; ; on++ {
		switch {
		case !l.has(on):
		case on == Schema && req.JSONSchema != "" && l.Fits != nil && !l.Fits(req.JSONSchema):
		case on == Tool && len(req.Tools) > 0: // it would take the place of the request's own
		default:
			return on
		}
	}
}

func (l *Ladder) stepDown(model string, from Rung) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.low == nil {
		l.low = map[string]Rung{}
	}
	l.low[model] = max(l.low[model], from+1)
}

func (l *Ladder) learn(model, field string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.quirks == nil {
		l.quirks = map[string]map[string]bool{}
	}
	if l.quirks[model] == nil {
		l.quirks[model] = map[string]bool{}
	}
	l.quirks[model][field] = true
}

// Shape returns the request as it is asked on a rung: with the schema as a
// forced tool, or in the prompt. The request itself is not touched.
func Shape(req *llm.GenerateRequest, on Rung) *llm.GenerateRequest {
	out := *req
	if req.JSONSchema == "" {
		return &out
	}
	switch on {
	case Tool:
		out.Tools = []llm.Tool{{Name: req.JSONSchemaName, Description: "Give the answer.", ParametersSchema: req.JSONSchema}}
		// Of one tool, and more servers know this than the choice by name.
		out.ToolChoice = llm.ToolChoice{Mode: "required"}
	case JSONMode, Prompt:
		text := "Answer with one JSON value and nothing else: no prose, no code fence. It must fit this JSON Schema:\n" + req.JSONSchema
		out.Messages = slices.Insert(slices.Clone(req.Messages), 0, llm.Message{Role: llm.RoleSystem, Text: text})
	case Schema:
	}
	return &out
}

// Forced says whether the answer will come as a call of the tool that stands
// for the schema.
func Forced(req *llm.GenerateRequest, on Rung) bool { return req.JSONSchema != "" && on == Tool }

// Finish hands an answer on, of which the text was already streamed unless it
// was forced: then the call that stands for the schema becomes the text.
func (l *Ladder) Finish(req *llm.GenerateRequest, on Rung, a wire.Answer, text string, emit func(llm.Chunk) error) (*llm.Ending, error) {
	chunk := llm.Chunk{ToolCalls: a.ToolCalls}
	switch {
	case !Forced(req, on):
	case len(a.ToolCalls) > 0:
		chunk, a.ToolCalls = llm.Chunk{Text: a.ToolCalls[0].Arguments}, nil
		if a.Reason == llm.FinishToolCalls {
			a.Reason = llm.FinishStop
		}
	default:
		// Servers take a choice that their model has no words for, and say nothing.
		// The repair that follows goes one rung lower.
		chunk.Text = text
		if a.Refusal == "" && text != "" {
			l.stepDown(req.Model, Tool)
		}
	}
	if chunk.Text != "" || len(chunk.ToolCalls) > 0 {
		if err := emit(chunk); err != nil {
			return nil, err
		}
	}
	return a.Ending(), nil
}
