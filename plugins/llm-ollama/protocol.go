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

// protocol is Ollama's: lines of JSON.
type protocol struct{}

var _ wire.Protocol = protocol{}

// line is one line of an answer, or a whole one.
type line struct {
	Model   string `json:"model"`
	Message struct {
		Content   string `json:"content"`
		ToolCalls []struct {
			ID       string `json:"id"`
			Function struct {
				Name      string          `json:"name"`
				Arguments json.RawMessage `json:"arguments"`
			} `json:"function"`
		} `json:"tool_calls"`
	} `json:"message"`
	Done       bool   `json:"done"`
	DoneReason string `json:"done_reason"`
	Prompt     int    `json:"prompt_eval_count"`
	Eval       int    `json:"eval_count"`
	Error      string `json:"error"`
}

// Failure implements wire.Protocol.
func (protocol) Failure(body []byte) wire.Failure {
	var b struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &b) != nil {
		return wire.Failure{}
	}
	f := wire.Failure{Message: b.Error}
	if strings.Contains(b.Error, "does not support") {
		unsupported := llm.CodeUnsupported
		f.Code = &unsupported
	}
	return f
}

// Line implements wire.Protocol.
func (protocol) Line(body []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, body) != nil {
		return nil
	}
	return out.Bytes()
}

// Vectors implements wire.Protocol. langchaingo's client gets one of them, since
// it takes an answer of several for a wrong one.
func (protocol) Vectors(raw []byte, a *wire.Answer) ([]byte, error) {
	var body struct {
		Model      string      `json:"model"`
		Embeddings [][]float32 `json:"embeddings"`
		Prompt     int         `json:"prompt_eval_count"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, llm.Errorf(llm.CodeInterrupted, "read the server's vectors: %v", err)
	}
	a.Model, a.Vectors, a.Usage.InputTokens = body.Model, body.Embeddings, body.Prompt
	return []byte(`{"embeddings":[[0]]}`), nil
}

// Reader implements wire.Protocol.
func (protocol) Reader(a *wire.Answer) wire.Reader { return &reader{answer: a} }

type reader struct{ answer *wire.Answer }

// Read implements wire.Reader.
func (r *reader) Read(raw []byte) ([]byte, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		return nil, llm.Errorf(llm.CodeInterrupted, "the server sent a line that is not JSON: %v", err)
	}
	if l.Error != "" {
		return nil, llm.Errorf(llm.CodeUnavailable, "%s", l.Error)
	}
	a := r.answer
	if l.Model != "" {
		a.Model = l.Model
	}
	size := len(l.Message.Content)
	for _, c := range l.Message.ToolCalls { // always whole
		a.ToolCalls = append(a.ToolCalls, llm.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: string(c.Function.Arguments)})
		size += len(c.ID) + len(c.Function.Name) + len(c.Function.Arguments)
	}
	if err := a.Grow(size); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, piece := range wire.Pieces(l.Message.Content) {
		quoted, _ := json.Marshal(piece) //nolint:errchkjson // a string
		fmt.Fprintf(&out, `{"message":{"role":"assistant","content":%s}}`+"\n", quoted)
	}
	if !l.Done {
		return out.Bytes(), nil
	}
	a.Usage = llm.Usage{InputTokens: l.Prompt, OutputTokens: l.Eval}
	a.Reason = llm.FinishStop
	if l.DoneReason == "length" {
		a.Reason = llm.FinishLength
	}
	return out.Bytes(), io.EOF
}

// Close implements wire.Reader.
func (r *reader) Close() ([]byte, bool) {
	return []byte(`{"message":{"role":"assistant","content":""},"done":true}` + "\n"), r.answer.Reason != 0
}
