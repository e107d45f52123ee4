package anthropicserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

type body struct {
	Model     string          `json:"model"`
	MaxTokens int             `json:"max_tokens"`
	System    json.RawMessage `json:"system"`
	Messages  []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		InputSchema json.RawMessage `json:"input_schema"`
	} `json:"tools"`
	ToolChoice struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tool_choice"`
	OutputConfig struct {
		Format struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"output_config"`
	Metadata struct {
		UserID string `json:"user_id"`
	} `json:"metadata"`
	Temperature *float64 `json:"temperature"`
	TopP        *float64 `json:"top_p"`
	Stream      bool     `json:"stream"`
}

// part is one content block of a request.
type part struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
}

// parse reads a request as strictly as the real service does.
func parse(raw []byte) (*script.Request, bool, error) {
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, false, err
	}
	switch {
	case b.Model == "":
		return nil, false, errors.New("model: Field required")
	case b.MaxTokens < 1:
		return nil, false, errors.New("max_tokens: Field required")
	case len(b.Messages) == 0:
		return nil, false, errors.New("messages: at least one message is required")
	}
	req := &script.Request{
		Model: b.Model, Temperature: b.Temperature, TopP: b.TopP, MaxTokens: b.MaxTokens, EndUser: b.Metadata.UserID,
		JSONSchema: string(b.OutputConfig.Format.Schema), Body: raw,
	}
	if system, err := parts(b.System); err != nil {
		return nil, false, fmt.Errorf("system: %w", err)
	} else if len(system) > 0 {
		req.Messages = append(req.Messages, llm.Message{Role: llm.RoleSystem, Text: texts(system)})
	}
	if err := conversation(req, &b); err != nil {
		return nil, false, err
	}
	for i, t := range b.Tools {
		if t.Name == "" || !strings.Contains(string(t.InputSchema), `"object"`) {
			return nil, false, fmt.Errorf("tools.%d.input_schema.type: Field required", i)
		}
		req.Tools = append(req.Tools, llm.Tool{Name: t.Name, Description: t.Description, ParametersSchema: string(t.InputSchema)})
	}
	switch c := b.ToolChoice; c.Type {
	case "any":
		req.ToolChoice = "required"
	case "tool":
		req.ToolChoice = c.Name
	case "", "auto", "none":
		req.ToolChoice = c.Type
	default:
		return nil, false, fmt.Errorf("tool_choice.type: %q is not one of auto, any, tool, none", c.Type)
	}
	if req.ToolChoice != "" && req.ToolChoice != "none" && len(b.Tools) == 0 {
		return nil, false, errors.New("tool_choice: may only be specified while providing tools")
	}
	return req, b.Stream, nil
}

// conversation reads the turns. Each call of a tool must be answered in the
// very next turn of the user.
func conversation(req *script.Request, b *body) error {
	open := map[string]bool{}
	for i, m := range b.Messages {
		content, err := parts(m.Content)
		if err != nil {
			return fmt.Errorf("messages.%d.content: %w", i, err)
		}
		for j, p := range content {
			if p.Type == "text" && strings.TrimSpace(p.Text) == "" {
				return fmt.Errorf("messages.%d.content.%d: text content blocks must contain non-whitespace text", i, j)
			}
		}
		switch m.Role {
		case "assistant":
			msg := llm.Message{Role: llm.RoleAssistant, Text: texts(content)}
			for _, p := range content {
				if p.Type == "tool_use" {
					open[p.ID] = true
					msg.ToolCalls = append(msg.ToolCalls, llm.ToolCall{ID: p.ID, Name: p.Name, Arguments: string(p.Input)})
				}
			}
			req.Messages = append(req.Messages, msg)
			continue
		case "user":
		default:
			return fmt.Errorf("messages.%d.role: Input should be 'user' or 'assistant'", i)
		}
		for _, p := range content {
			if p.Type != "tool_result" {
				continue
			}
			if !open[p.ToolUseID] {
				return fmt.Errorf("messages.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s", i, p.ToolUseID)
			}
			delete(open, p.ToolUseID)
			result, err := parts(p.Content)
			if err != nil {
				return fmt.Errorf("messages.%d: %w", i, err)
			}
			req.Messages = append(req.Messages, llm.Message{Role: llm.RoleTool, ToolCallID: p.ToolUseID, Text: texts(result)})
		}
		if len(open) > 0 {
			return fmt.Errorf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after", i-1)
		}
		if text := texts(content); text != "" {
			req.Messages = append(req.Messages, llm.Message{Role: llm.RoleUser, Text: text})
		}
	}
	return nil
}

// parts reads content: nothing, a string, or blocks.
func parts(raw json.RawMessage) ([]part, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []part{{Type: "text", Text: text}}, nil
	}
	var out []part
	err := json.Unmarshal(raw, &out)
	return out, err
}

func texts(content []part) string {
	var b strings.Builder
	for _, p := range content {
		if p.Type == "text" {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}
