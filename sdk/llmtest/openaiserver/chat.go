package openaiserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/internal/serve"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

type object = serve.Object

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	raw, ok := readBody(w, r)
	if !ok {
		return
	}
	req, stream, err := parseChat(raw)
	if err != nil {
		writeError(w, http.StatusBadRequest, "We could not parse the JSON body of your request: "+err.Error(), "invalid_request_error", 0)
		return
	}
	req.Key, req.Header = s.key(r), r.Header
	if deployment := r.PathValue("deployment"); deployment != "" {
		req.Model = deployment
	}
	s.log.Add(*req)
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || s.refuses(w, fields) {
		return
	}
	turn := serve.FillIn(s.cfg.Answer(req), req)
	if !serve.Pause(r, turn.FirstTokenDelay) {
		return
	}
	switch {
	case turn.Status != 0:
		writeError(w, turn.Status, turn.Message, http.StatusText(turn.Status), turn.RetryAfter)
	case stream && !s.cfg.IgnoreStream:
		streamTurn(w, r, req, turn, strings.Contains(string(fields["stream_options"]), "include_usage"))
	default:
		wholeTurn(w, req, turn)
	}
}

// finish names the reason as OpenAI does: a refusal ends with "stop" there.
func finish(r llm.FinishReason) string {
	if r == llm.FinishRefusal {
		return "stop"
	}
	return r.String()
}

func usage(u llm.Usage) object {
	return object{
		"prompt_tokens": u.InputTokens, "completion_tokens": u.OutputTokens,
		"total_tokens":          u.InputTokens + u.OutputTokens,
		"prompt_tokens_details": object{"cached_tokens": u.CachedInputTokens},
	}
}

func wholeTurn(w http.ResponseWriter, req *script.Request, t script.Turn) {
	message := object{"role": "assistant", "content": strings.Join(t.Text, ""), "refusal": nil}
	if t.Refusal != "" {
		message["content"], message["refusal"] = nil, t.Refusal
	}
	calls := make([]object, 0, len(t.ToolCalls))
	for _, c := range t.ToolCalls {
		calls = append(calls, object{"id": c.ID, "type": "function", "function": object{"name": c.Name, "arguments": c.Arguments}})
	}
	if len(calls) > 0 {
		message["tool_calls"] = calls
	}
	serve.JSON(w, http.StatusOK, object{
		"id": "chatcmpl-scripted", "object": "chat.completion", "created": time.Now().Unix(), "model": req.Model,
		"choices": []object{{"index": 0, "message": message, "finish_reason": finish(t.Reason)}},
		"usage":   usage(t.Usage),
	})
}

func streamTurn(w http.ResponseWriter, r *http.Request, req *script.Request, t script.Turn, withUsage bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	event := func(v object) {
		_, _ = fmt.Fprintf(w, "data: %s\n\n", serve.Text(v))
		serve.Flush(w)
	}
	chunk := func(delta object, reason any) {
		event(object{
			"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": time.Now().Unix(), "model": req.Model,
			"choices": []object{{"index": 0, "delta": delta, "finish_reason": reason}},
		})
	}
	_, _ = fmt.Fprint(w, ": keep-alive comment\n\n")
	chunk(object{"role": "assistant", "content": ""}, nil)
	for _, delta := range deltas(t) {
		if !serve.Pause(r, t.PieceDelay) {
			return
		}
		chunk(delta, nil)
	}
	if t.Malformed {
		_, _ = fmt.Fprint(w, "data: {\"choices\":[{\"delta\":\n\n")
		return
	}
	if t.MidStreamError != "" {
		event(object{"error": object{"message": t.MidStreamError, "type": "server_error", "code": nil}})
		return
	}
	if t.Cut {
		serve.Cut()
	}
	chunk(object{}, finish(t.Reason))
	if withUsage {
		event(object{
			"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "model": req.Model,
			"choices": []object{}, "usage": usage(t.Usage),
		})
	}
	_, _ = fmt.Fprint(w, "data: [DONE]\n\n")
}

// deltas cuts a turn into what a stream carries: text, then the tool calls,
// their arguments interleaved in pieces of a few bytes.
func deltas(t script.Turn) []object {
	var out []object
	for _, text := range t.Text {
		out = append(out, object{"content": text})
	}
	if t.Refusal != "" {
		for _, piece := range strings.SplitAfter(t.Refusal, " ") {
			out = append(out, object{"refusal": piece})
		}
	}
	rest := make([][]string, len(t.ToolCalls))
	for i, c := range t.ToolCalls {
		out = append(out, object{"tool_calls": []object{{
			"index": i, "id": c.ID, "type": "function", "function": object{"name": c.Name, "arguments": ""},
		}}})
		rest[i] = serve.Fragments(c.Arguments)
	}
	for more := true; more; {
		more = false
		for i := range rest {
			if len(rest[i]) > 0 {
				out = append(out, object{"tool_calls": []object{{"index": i, "function": object{"arguments": rest[i][0]}}}})
				rest[i], more = rest[i][1:], true
			}
		}
	}
	return out
}
