package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// protocol is OpenAI's: server-sent events of deltas.
type protocol struct{}

var _ wire.Protocol = protocol{}

// errorObject is the body of an error, or an event in the middle of a stream.
type errorObject struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    any    `json:"code"`
}

// usageIn is the provider's bill.
type usageIn struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

func (u usageIn) typed() llm.Usage {
	return llm.Usage{InputTokens: u.Prompt, OutputTokens: u.Completion, CachedInputTokens: u.Details.Cached}
}

// part is a message or a piece of one.
type part struct {
	Content   *string `json:"content"`
	Refusal   string  `json:"refusal"`
	ToolCalls []struct {
		Index    *int   `json:"index"`
		ID       string `json:"id"`
		Function struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

// event is one event of a stream, or a whole body.
type event struct {
	Model   string `json:"model"`
	Choices []struct {
		Delta        part   `json:"delta"`
		Message      part   `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usageIn     `json:"usage"`
	Error *errorObject `json:"error"`
}

// Failure implements wire.Protocol. Some servers put the message at the top.
func (protocol) Failure(body []byte) wire.Failure {
	var b struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	var o errorObject
	if json.Unmarshal(body, &b) != nil {
		return wire.Failure{}
	}
	if json.Unmarshal(b.Error, &o) != nil || o.Message == "" {
		o.Message = b.Message
	}
	return wire.Failure{Message: o.Message}
}

// Line implements wire.Protocol.
func (protocol) Line(body []byte) []byte {
	var line bytes.Buffer
	line.WriteString("data: ")
	if json.Compact(&line, body) != nil {
		return nil
	}
	return line.Bytes()
}

// Vectors implements wire.Protocol: it puts them in the order of their index.
func (protocol) Vectors(raw []byte, a *wire.Answer) ([]byte, error) {
	var body struct {
		Data []struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
		Model string  `json:"model"`
		Usage usageIn `json:"usage"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, llm.Errorf(llm.CodeInterrupted, "read the provider's vectors: %v", err)
	}
	a.Vectors = make([][]float32, len(body.Data))
	data := make([]map[string]any, len(body.Data))
	for _, e := range body.Data {
		if e.Index < 0 || e.Index >= len(data) || data[e.Index] != nil || len(e.Embedding) == 0 {
			return nil, llm.Errorf(llm.CodeInternal, "the provider's vectors are not numbered 0 to %d, once each", len(data)-1)
		}
		a.Vectors[e.Index], data[e.Index] = e.Embedding, map[string]any{"index": e.Index, "embedding": e.Embedding}
	}
	a.Model, a.Usage = body.Model, body.Usage.typed()
	return json.Marshal(map[string]any{"data": data})
}

// Reader implements wire.Protocol.
func (protocol) Reader(a *wire.Answer) wire.Reader { return &reader{answer: a, places: map[int]int{}} }

type reader struct {
	answer *wire.Answer
	places map[int]int // a call's index in the protocol → its place in the answer
}

// Read implements wire.Reader.
func (r *reader) Read(line []byte) ([]byte, error) {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return nil, nil // comments, blank lines, event names
	}
	data = bytes.TrimSpace(data)
	if string(data) == "[DONE]" {
		return nil, io.EOF
	}
	var ev event
	if err := json.Unmarshal(data, &ev); err != nil {
		return nil, llm.Errorf(llm.CodeInterrupted, "the provider sent an event that is not JSON: %v", err)
	}
	if ev.Error != nil {
		return nil, ev.Error.typed()
	}
	if ev.Model != "" {
		r.answer.Model = ev.Model
	}
	if ev.Usage != nil {
		r.answer.Usage = ev.Usage.typed()
	}
	if len(ev.Choices) == 0 {
		return nil, nil
	}
	c := ev.Choices[0]
	if c.FinishReason != "" {
		r.answer.Reason = reason(c.FinishReason)
	}
	var out bytes.Buffer
	for _, p := range []part{c.Delta, c.Message} {
		if p.Content != nil {
			r.text(&out, *p.Content)
		}
		r.answer.Refusal += p.Refusal
		if err := r.answer.Grow(out.Len() + len(p.Refusal) + r.calls(p)); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// Close implements wire.Reader.
func (r *reader) Close() ([]byte, bool) {
	return []byte("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"), r.answer.Reason != 0
}

func (r *reader) text(out *bytes.Buffer, t string) {
	for _, piece := range wire.Pieces(t) {
		quoted, _ := json.Marshal(piece) //nolint:errchkjson // a string
		fmt.Fprintf(out, "data: {\"choices\":[{\"delta\":{\"content\":%s}}]}\n\n", quoted)
	}
}

// calls puts pieces of tool calls together, each by its index, and says how
// much came. Servers that leave the index out start a call with an id and go on
// without.
func (r *reader) calls(p part) (size int) {
	a := r.answer
	for _, c := range p.ToolCalls {
		place, known := len(a.ToolCalls)-1, len(a.ToolCalls) > 0 && c.ID == ""
		if c.Index != nil {
			place, known = r.places[*c.Index]
		}
		if !known {
			place = len(a.ToolCalls)
			a.ToolCalls = append(a.ToolCalls, llm.ToolCall{})
			if c.Index != nil {
				r.places[*c.Index] = place
			}
		}
		call := &a.ToolCalls[place]
		if call.ID == "" {
			call.ID = c.ID
		}
		if call.Name == "" {
			call.Name = c.Function.Name
		}
		args := argumentsText(c.Function.Arguments)
		call.Arguments += args
		size += len(args) + len(c.ID) + len(c.Function.Name)
	}
	return size
}

// argumentsText reads arguments: a string by the protocol, an object in some servers.
func argumentsText(raw json.RawMessage) string {
	var text string
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func reason(finish string) llm.FinishReason {
	switch finish {
	case "length":
		return llm.FinishLength
	case "content_filter":
		return llm.FinishContentFilter
	case "tool_calls", "function_call":
		return llm.FinishToolCalls
	default:
		return llm.FinishStop
	}
}

// typed types an error that came in the middle of a stream.
func (o errorObject) typed() *llm.Error {
	e := &llm.Error{Code: llm.CodeUnavailable, Message: o.Message}
	code, _ := o.Code.(string)
	switch {
	case strings.Contains(o.Type+code, "rate_limit"), strings.Contains(o.Type+code, "insufficient_quota"):
		e.Code = llm.CodeRateLimited
	case strings.Contains(o.Type, "invalid_request"):
		e.Code = llm.CodeInvalidRequest
	}
	return e
}
