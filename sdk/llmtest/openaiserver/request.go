package openaiserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/internal/serve"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

type chatBody struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []struct {
		Role       string          `json:"role"`
		Content    json.RawMessage `json:"content"`
		ToolCallID string          `json:"tool_call_id"`
		ToolCalls  []struct {
			ID       string `json:"id"`
			Function struct {
				Name      string `json:"name"`
				Arguments string `json:"arguments"`
			} `json:"function"`
		} `json:"tool_calls"`
	} `json:"messages"`
	Tools []struct {
		Function struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Parameters  json.RawMessage `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`
	ToolChoice     json.RawMessage `json:"tool_choice"`
	ResponseFormat struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	Temperature         *float64 `json:"temperature"`
	TopP                *float64 `json:"top_p"`
	MaxTokens           int      `json:"max_tokens"`
	MaxCompletionTokens int      `json:"max_completion_tokens"`
	User                string   `json:"user"`
}

var roles = map[string]llm.Role{
	"system": llm.RoleSystem, "developer": llm.RoleSystem, "user": llm.RoleUser,
	"assistant": llm.RoleAssistant, "tool": llm.RoleTool,
}

// parseChat reads a chat request as strictly as the real service does.
func parseChat(raw []byte) (*script.Request, bool, error) {
	var b chatBody
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, false, err
	}
	if b.Model == "" || len(b.Messages) == 0 {
		return nil, false, errors.New("you must provide a model and messages")
	}
	req := &script.Request{
		Model: b.Model, Temperature: b.Temperature, TopP: b.TopP, EndUser: b.User,
		MaxTokens: max(b.MaxTokens, b.MaxCompletionTokens), Body: raw,
	}
	open := map[string]bool{}
	for i, m := range b.Messages {
		role, ok := roles[m.Role]
		if !ok {
			return nil, false, fmt.Errorf("messages[%d]: invalid role %q", i, m.Role)
		}
		text, err := contentText(m.Content)
		if err != nil {
			return nil, false, fmt.Errorf("messages[%d].content: %w", i, err)
		}
		msg := llm.Message{Role: role, Text: text, ToolCallID: m.ToolCallID}
		for _, c := range m.ToolCalls {
			open[c.ID] = true
			msg.ToolCalls = append(msg.ToolCalls, llm.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
		}
		if role == llm.RoleTool && !open[m.ToolCallID] {
			return nil, false, fmt.Errorf("messages[%d]: tool_call_id %q answers no call before it", i, m.ToolCallID)
		}
		req.Messages = append(req.Messages, msg)
	}
	for _, t := range b.Tools {
		req.Tools = append(req.Tools, llm.Tool{Name: t.Function.Name, Description: t.Function.Description, ParametersSchema: string(t.Function.Parameters)})
	}
	var err error
	if req.ToolChoice, err = toolChoice(b.ToolChoice); err != nil {
		return nil, false, err
	}
	switch b.ResponseFormat.Type {
	case "json_schema":
		if b.ResponseFormat.JSONSchema.Name == "" || len(b.ResponseFormat.JSONSchema.Schema) == 0 {
			return nil, false, errors.New("missing required parameter: 'response_format.json_schema'")
		}
		req.JSONSchema = string(b.ResponseFormat.JSONSchema.Schema)
	case "json_object":
		req.JSONMode = true
		if !bytes.Contains(bytes.ToLower(raw), []byte("json")) {
			return nil, false, errors.New("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'")
		}
	}
	return req, b.Stream, nil
}

// contentText reads a message's content: null, a string, or text parts.
func contentText(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String(), nil
}

func toolChoice(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var mode string
	if json.Unmarshal(raw, &mode) == nil {
		return mode, nil
	}
	var named struct {
		Type     string `json:"type"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if err := json.Unmarshal(raw, &named); err != nil || named.Type != "function" || named.Function.Name == "" {
		return "", errors.New("invalid value for 'tool_choice'")
	}
	return named.Function.Name, nil
}

func (s *Server) embeddings(w http.ResponseWriter, r *http.Request) {
	raw, ok := readBody(w, r)
	if !ok {
		return
	}
	var b struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	var texts []string
	if err := json.Unmarshal(raw, &b); err != nil || b.Model == "" {
		writeError(w, http.StatusBadRequest, "you must provide a model parameter", "invalid_request_error", 0)
		return
	}
	if json.Unmarshal(b.Input, &texts) != nil {
		texts = []string{""}
		if json.Unmarshal(b.Input, &texts[0]) != nil {
			writeError(w, http.StatusBadRequest, "'input' must be a string or a list of strings", "invalid_request_error", 0)
			return
		}
	}
	req := script.Request{Model: b.Model, Texts: texts, Key: s.key(r), Header: r.Header, Body: raw}
	if deployment := r.PathValue("deployment"); deployment != "" {
		req.Model = deployment
	}
	s.log.Add(req)
	if s.cfg.EmbedAnswer != nil {
		turn := s.cfg.EmbedAnswer(&req)
		if !serve.Pause(r, turn.FirstTokenDelay) {
			return
		}
		if turn.Status != 0 {
			writeError(w, turn.Status, turn.Message, http.StatusText(turn.Status), turn.RetryAfter)
			return
		}
		if turn.Cut {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"object":"list","data":[{"object":"embedding","index":0,`))
			serve.Flush(w)
			serve.Cut()
		}
	}
	data, tokens := make([]object, 0, len(texts)), 0
	// Backwards: the protocol orders by index, not by place.
	for i := len(texts) - 1; i >= 0; i-- {
		data = append(data, object{"object": "embedding", "index": i, "embedding": script.Vector(texts[i], s.cfg.Dimensions)})
		tokens += len(strings.Fields(texts[i]))
	}
	serve.JSON(w, http.StatusOK, object{
		"object": "list", "data": data, "model": b.Model,
		"usage": object{"prompt_tokens": tokens, "total_tokens": tokens},
	})
}
