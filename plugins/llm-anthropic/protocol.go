package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// protocol is Anthropic's Messages: server-sent events of content blocks.
type protocol struct{}

var _ wire.Protocol = protocol{}

type errorObject struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// codes types errors where the HTTP status does not, or not exactly enough.
var codes = map[string]llm.Code{
	"invalid_request_error": llm.CodeInvalidRequest, "not_found_error": llm.CodeInvalidRequest, "request_too_large": llm.CodeInvalidRequest,
	"authentication_error": llm.CodeUnauthenticated, "permission_error": llm.CodeUnauthenticated,
	"rate_limit_error": llm.CodeRateLimited, "billing_error": llm.CodeRateLimited,
	"overloaded_error": llm.CodeUnavailable, "api_error": llm.CodeUnavailable, "timeout_error": llm.CodeUnavailable,
}

type usage struct {
	Input   *int `json:"input_tokens"`
	Output  *int `json:"output_tokens"`
	Written *int `json:"cache_creation_input_tokens"`
	Read    *int `json:"cache_read_input_tokens"`
}

// block is a content block or a piece of one.
type block struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Input   json.RawMessage `json:"input"`
	Partial string          `json:"partial_json"`
	// Those of a message_delta.
	StopReason  string `json:"stop_reason"`
	StopDetails struct {
		Explanation string `json:"explanation"`
	} `json:"stop_details"`
}

// message is the head of an answer, or a whole one.
type message struct {
	Model   string  `json:"model"`
	Content []block `json:"content"`
	Usage   usage   `json:"usage"`
	block
}

// event is one event of a stream. A whole answer is read as one of the type
// "message".
type event struct {
	Type    string      `json:"type"`
	Index   int         `json:"index"`
	Message message     `json:"message"`
	Block   block       `json:"content_block"`
	Delta   block       `json:"delta"`
	Usage   usage       `json:"usage"`
	Error   errorObject `json:"error"`
}

// Failure implements wire.Protocol.
func (protocol) Failure(body []byte) wire.Failure {
	var b struct {
		Error errorObject `json:"error"`
	}
	if json.Unmarshal(body, &b) != nil {
		return wire.Failure{}
	}
	f := wire.Failure{Message: b.Error.Message}
	if code, ok := codes[b.Error.Type]; ok {
		f.Code = &code
	}
	return f
}

// Line implements wire.Protocol.
func (protocol) Line(body []byte) []byte {
	var line bytes.Buffer
	line.WriteString(`data: {"type":"message","message":`)
	if json.Compact(&line, body) != nil {
		return nil
	}
	line.WriteString("}")
	return line.Bytes()
}

// Vectors implements wire.Protocol: there are no embeddings.
func (protocol) Vectors([]byte, *wire.Answer) ([]byte, error) {
	return nil, llm.Errorf(llm.CodeUnsupported, "Anthropic has no embeddings")
}

// Reader implements wire.Protocol.
func (protocol) Reader(a *wire.Answer) wire.Reader { return &reader{answer: a, places: map[int]int{}} }

type reader struct {
	answer  *wire.Answer
	bill    struct{ input, written, read int }
	places  map[int]int // a block's index → its place among the calls
	started bool
}

// Read implements wire.Reader.
func (r *reader) Read(line []byte) ([]byte, error) {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return nil, nil // comments, blank lines, event names
	}
	var ev event
	if err := json.Unmarshal(data, &ev); err != nil {
		return nil, llm.Errorf(llm.CodeInterrupted, "the provider sent an event that is not JSON: %v", err)
	}
	var out bytes.Buffer
	if !r.started {
		r.started = true
		out.WriteString(opening)
	}
	err := r.take(ev, &out)
	return out.Bytes(), err
}

// opening and closing frame the text for langchaingo's client: one block.
const (
	opening = `data: {"type":"message_start","message":{"usage":{"input_tokens":0}}}` + "\n\n" +
		`data: {"type":"content_block_start","index":0,"content_block":{"type":"text"}}` + "\n\n"
	closing = `data: {"type":"content_block_stop","index":0}` + "\n\n" +
		`data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}` + "\n\n" +
		`data: {"type":"message_stop"}` + "\n\n"
)

func (r *reader) take(ev event, out *bytes.Buffer) error {
	switch ev.Type {
	case "message_start":
		r.answer.Model = ev.Message.Model
		r.use(ev.Message.Usage)
	case "content_block_start":
		return r.start(ev.Index, ev.Block, out)
	case "content_block_delta":
		return r.delta(ev.Index, ev.Delta, out)
	case "message_delta":
		r.use(ev.Usage)
		r.stop(ev.Delta)
	case "message_stop":
		return io.EOF
	case "error":
		code, ok := codes[ev.Error.Type]
		if !ok {
			code = llm.CodeUnavailable
		}
		return llm.Errorf(code, "%s", ev.Error.Message)
	case "message": // a whole answer
		r.answer.Model = ev.Message.Model
		r.use(ev.Message.Usage)
		for i, b := range ev.Message.Content {
			if err := r.start(i, b, out); err != nil {
				return err
			}
		}
		r.stop(ev.Message.block)
		return io.EOF
	}
	return nil // pings, ends of blocks, and what is new
}

// start opens a block: text and calls count, thinking stays with the provider.
func (r *reader) start(index int, b block, out *bytes.Buffer) error {
	switch b.Type {
	case "text":
		return r.text(b.Text, out)
	case "tool_use":
		r.places[index] = len(r.answer.ToolCalls)
		call := llm.ToolCall{ID: b.ID, Name: b.Name}
		if input := string(b.Input); input != "{}" && input != "null" {
			call.Arguments = input
		}
		r.answer.ToolCalls = append(r.answer.ToolCalls, call)
		return r.answer.Grow(len(b.ID) + len(b.Name) + len(call.Arguments))
	}
	return nil
}

func (r *reader) delta(index int, d block, out *bytes.Buffer) error {
	switch d.Type {
	case "text_delta":
		return r.text(d.Text, out)
	case "input_json_delta":
		place, ok := r.places[index]
		if !ok {
			return llm.Errorf(llm.CodeInterrupted, "the provider sent arguments of a call that it had not begun")
		}
		r.answer.ToolCalls[place].Arguments += d.Partial
		return r.answer.Grow(len(d.Partial))
	}
	return nil
}

func (r *reader) text(t string, out *bytes.Buffer) error {
	for _, piece := range wire.Pieces(t) {
		quoted, _ := json.Marshal(piece) //nolint:errchkjson // a string
		fmt.Fprintf(out, `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%s}}`+"\n\n", quoted)
	}
	return r.answer.Grow(len(t))
}

// use takes the bill. The provider counts what the cache gave and took apart.
func (r *reader) use(u usage) {
	for to, v := range map[*int]*int{&r.bill.input: u.Input, &r.bill.written: u.Written, &r.bill.read: u.Read, &r.answer.Usage.OutputTokens: u.Output} {
		if v != nil {
			*to = *v
		}
	}
	r.answer.Usage.InputTokens = r.bill.input + r.bill.written + r.bill.read
	r.answer.Usage.CachedInputTokens = r.bill.read
}

func (r *reader) stop(b block) {
	switch b.StopReason {
	case "":
	case "max_tokens", "model_context_window_exceeded":
		r.answer.Reason = llm.FinishLength
	case "tool_use":
		r.answer.Reason = llm.FinishToolCalls
	case "refusal":
		r.answer.Reason, r.answer.Refusal = llm.FinishRefusal, b.StopDetails.Explanation
		if r.answer.Refusal == "" {
			r.answer.Refusal = "The model declined to answer."
		}
	default:
		r.answer.Reason = llm.FinishStop
	}
}

// Close implements wire.Reader.
func (r *reader) Close() ([]byte, bool) { return []byte(closing), r.answer.Reason != 0 }
