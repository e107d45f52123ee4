package anthropicserver

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/internal/serve"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// object is a piece of JSON that the server writes.
type object = serve.Object

// stop names a reason as the protocol does.
func stop(r llm.FinishReason) string {
	switch r {
	case llm.FinishLength:
		return "max_tokens"
	case llm.FinishToolCalls:
		return "tool_use"
	case llm.FinishRefusal, llm.FinishContentFilter:
		return "refusal"
	case llm.FinishStop:
	}
	return "end_turn"
}

// stopDetails explains a refusal, which has no text of its own.
func stopDetails(t script.Turn) any {
	if t.Refusal == "" {
		return nil
	}
	return object{"type": "refusal", "category": nil, "explanation": t.Refusal}
}

// usageIn is the bill of what was given: what came from the cache is apart.
func usageIn(u llm.Usage, output int) object {
	return object{
		"input_tokens": u.InputTokens - u.CachedInputTokens, "cache_creation_input_tokens": 0,
		"cache_read_input_tokens": u.CachedInputTokens, "output_tokens": output,
	}
}

func (s *Server) whole(w http.ResponseWriter, req *script.Request, t script.Turn) {
	content := []object{}
	if s.cfg.Thinking != "" {
		content = append(content, object{"type": "thinking", "thinking": s.cfg.Thinking, "signature": "c2lnbmVk"})
	}
	if text := join(t.Text); text != "" {
		content = append(content, object{"type": "text", "text": text})
	}
	for _, c := range t.ToolCalls {
		content = append(content, object{"type": "tool_use", "id": c.ID, "name": c.Name, "input": json.RawMessage(c.Arguments)})
	}
	serve.JSON(w, http.StatusOK, object{
		"id": "msg_scripted", "type": "message", "role": "assistant", "model": req.Model, "content": content,
		"stop_reason": stop(t.Reason), "stop_sequence": nil, "stop_details": stopDetails(t), "usage": usageIn(t.Usage, t.Usage.OutputTokens),
	})
}

func (s *Server) stream(to http.ResponseWriter, r *http.Request, req *script.Request, t script.Turn) {
	to.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	to.WriteHeader(http.StatusOK)
	w := writer{to}
	w.event("message_start", object{"message": object{
		"id": "msg_scripted", "type": "message", "role": "assistant", "model": req.Model, "content": []object{},
		"stop_reason": nil, "stop_sequence": nil, "usage": usageIn(t.Usage, 1),
	}})
	w.event("ping", object{})
	blocks := s.blocks(t)
	for i, b := range blocks {
		w.event("content_block_start", object{"index": i, "content_block": b.start})
		for _, delta := range b.deltas {
			if !serve.Pause(r, t.PieceDelay) {
				return
			}
			w.event("content_block_delta", object{"index": i, "delta": delta})
		}
		if t.Cut && i == len(blocks)-1 {
			serve.Cut()
		}
		w.event("content_block_stop", object{"index": i})
	}
	switch {
	case t.Cut:
		serve.Cut()
	case t.Malformed:
		_, _ = fmt.Fprint(to, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":\n\n")
		return
	case t.MidStreamError != "":
		w.event("error", failure("overloaded_error", t.MidStreamError))
		return
	}
	w.event("message_delta", object{
		"delta": object{"stop_reason": stop(t.Reason), "stop_sequence": nil, "stop_details": stopDetails(t)},
		"usage": object{"output_tokens": t.Usage.OutputTokens},
	})
	w.event("message_stop", object{})
}

// block is one content block as it is streamed.
type block struct {
	start  object
	deltas []object
}

func (s *Server) blocks(t script.Turn) []block {
	var out []block
	if s.cfg.Thinking != "" {
		b := block{start: object{"type": "thinking", "thinking": "", "signature": ""}}
		for _, piece := range serve.Fragments(s.cfg.Thinking) {
			b.deltas = append(b.deltas, object{"type": "thinking_delta", "thinking": piece})
		}
		out = append(out, block{b.start, append(b.deltas, object{"type": "signature_delta", "signature": "c2lnbmVk"})},
			block{start: object{"type": "redacted_thinking", "data": "c2VjcmV0"}})
	}
	if len(t.Text) > 0 {
		b := block{start: object{"type": "text", "text": ""}}
		for _, piece := range t.Text {
			b.deltas = append(b.deltas, object{"type": "text_delta", "text": piece})
		}
		out = append(out, b)
	}
	for _, c := range t.ToolCalls {
		b := block{
			start:  object{"type": "tool_use", "id": c.ID, "name": c.Name, "input": object{}},
			deltas: []object{{"type": "input_json_delta", "partial_json": ""}},
		}
		for _, piece := range serve.Fragments(c.Arguments) {
			b.deltas = append(b.deltas, object{"type": "input_json_delta", "partial_json": piece})
		}
		out = append(out, b)
	}
	return out
}
