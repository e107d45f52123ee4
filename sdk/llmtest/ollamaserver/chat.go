package ollamaserver

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

type toolCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

type chatBody struct {
	Model    string `json:"model"`
	Stream   *bool  `json:"stream"`
	Messages []struct {
		Role       string     `json:"role"`
		Content    string     `json:"content"`
		ToolCalls  []toolCall `json:"tool_calls"`
		ToolName   string     `json:"tool_name"`
		ToolCallID string     `json:"tool_call_id"`
	} `json:"messages"`
	Tools []struct {
		Function struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Parameters  json.RawMessage `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`
	Format  json.RawMessage `json:"format"`
	Options struct {
		Temperature *float64 `json:"temperature"`
		TopP        *float64 `json:"top_p"`
		NumPredict  int      `json:"num_predict"`
	} `json:"options"`
}

var roles = map[string]llm.Role{
	"system": llm.RoleSystem, "user": llm.RoleUser, "assistant": llm.RoleAssistant, "tool": llm.RoleTool,
}

// parse reads a chat request as strictly as Ollama does.
func parse(raw []byte) (*script.Request, bool, error) {
	var b chatBody
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, false, err
	}
	req := &script.Request{
		Model: b.Model, Temperature: b.Options.Temperature, TopP: b.Options.TopP, MaxTokens: b.Options.NumPredict, Body: raw,
	}
	for _, m := range b.Messages {
		role, ok := roles[m.Role]
		if !ok {
			return nil, false, fmt.Errorf("invalid role: %s, role must be one of [system, user, assistant, tool]", m.Role)
		}
		msg := llm.Message{Role: role, Text: m.Content, ToolCallID: m.ToolCallID}
		for _, c := range m.ToolCalls {
			var arguments map[string]any
			if err := json.Unmarshal(c.Function.Arguments, &arguments); err != nil {
				return nil, false, fmt.Errorf("json: cannot unmarshal into Go struct field ToolCallFunction.arguments: %w", err)
			}
			msg.ToolCalls = append(msg.ToolCalls, llm.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: string(c.Function.Arguments)})
		}
		if role == llm.RoleTool && m.ToolName == "" {
			return nil, false, fmt.Errorf("a tool's message names no tool")
		}
		req.Messages = append(req.Messages, msg)
	}
	for _, t := range b.Tools {
		req.Tools = append(req.Tools, llm.Tool{Name: t.Function.Name, Description: t.Function.Description, ParametersSchema: string(t.Function.Parameters)})
	}
	switch format := string(b.Format); {
	case format == "" || format == "null" || format == `""`:
	case format == `"json"`:
		req.JSONMode = true
	case strings.HasPrefix(format, "{"):
		req.JSONSchema = format
	default:
		return nil, false, fmt.Errorf("invalid format: %s; expected \"json\" or a valid JSON Schema object", format)
	}
	return req, b.Stream == nil || *b.Stream, nil
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	raw, err := serve.Body(w, r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	req, stream, err := parse(raw)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	m := s.model(req.Model)
	if m == nil {
		writeError(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", req.Model))
		return
	}
	req.Key, req.Header = bearer(r), r.Header
	s.log.Add(*req)
	if why := s.refuses(req, m); why != "" {
		writeError(w, http.StatusBadRequest, why)
		return
	}
	turn := serve.FillIn(s.cfg.Answer(req), req)
	if !serve.Pause(r, turn.FirstTokenDelay) {
		return
	}
	if turn.Status != 0 {
		serve.RetryAfter(w, turn.RetryAfter)
		writeError(w, turn.Status, turn.Message)
		return
	}
	s.answer(w, r, req, turn, stream)
}

// refuses says why a request is not for this server or model.
func (s *Server) refuses(req *script.Request, m *Model) string {
	has := func(c string) bool { return strings.Contains(" "+strings.Join(m.Capabilities, " ")+" ", " "+c+" ") }
	refused := " " + strings.Join(s.cfg.Refuse, " ") + " "
	switch {
	case len(req.Tools) > 0 && (!has("tools") || strings.Contains(refused, " tools ")):
		return fmt.Sprintf("registry.ollama.ai/library/%s does not support tools", m.Name)
	case !has("completion"):
		return fmt.Sprintf("%q does not support chat", m.Name)
	case req.JSONSchema != "" && strings.Contains(refused, " json_schema "):
		return "json: cannot unmarshal object into Go struct field ChatRequest.format of type string"
	case req.JSONMode && strings.Contains(refused, " json_object "):
		return "format is not supported"
	}
	return ""
}

// answer writes lines; without a stream, one line.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, req *script.Request, t script.Turn, stream bool) {
	if stream {
		w.Header().Set("Content-Type", "application/x-ndjson")
	} else {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(http.StatusOK)
	line := func(fields object) {
		fields["model"], fields["created_at"] = req.Model, time.Now().UTC().Format(time.RFC3339Nano)
		_, _ = fmt.Fprintln(w, serve.Text(fields))
		serve.Flush(w)
	}
	calls := make([]object, 0, len(t.ToolCalls))
	for i, c := range t.ToolCalls {
		calls = append(calls, object{"id": c.ID, "function": object{"index": i, "name": c.Name, "arguments": json.RawMessage(c.Arguments)}})
	}
	if !stream {
		message := object{"role": "assistant", "content": strings.Join(t.Text, "") + t.Refusal}
		if len(calls) > 0 {
			message["tool_calls"] = calls
		}
		line(ending(t, message))
		return
	}
	part := func(key string, v any) {
		message := object{"role": "assistant", "content": ""}
		message[key] = v
		line(object{"message": message, "done": false})
	}
	for _, piece := range serve.Fragments(s.cfg.Thinking) {
		part("thinking", piece)
	}
	for i, text := range append(t.Text[:len(t.Text):len(t.Text)], t.Refusal) {
		if text == "" && i == len(t.Text) {
			break
		}
		if !serve.Pause(r, t.PieceDelay) {
			return
		}
		part("content", text)
	}
	for _, c := range calls { // one line each, as models that call in parallel do
		part("tool_calls", []object{c})
	}
	switch {
	case t.Cut:
		serve.Cut()
	case t.Malformed:
		_, _ = fmt.Fprintln(w, `{"message":{"role":"assistant","content":`)
	case t.MidStreamError != "":
		_, _ = fmt.Fprintln(w, serve.Text(object{"error": t.MidStreamError}))
	default:
		line(ending(t, object{"role": "assistant", "content": ""}))
	}
}

func ending(t script.Turn, message object) object {
	why := "stop"
	if t.Reason == llm.FinishLength {
		why = "length"
	}
	return object{
		"message": message, "done": true, "done_reason": why, "total_duration": 1, "load_duration": 1,
		"prompt_eval_count": t.Usage.InputTokens, "eval_count": t.Usage.OutputTokens,
	}
}
