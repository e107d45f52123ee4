package gateway

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/llm"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
)

var roles = map[llm.Role]sdk.Role{
	llm.System: sdk.RoleSystem, llm.User: sdk.RoleUser, llm.Assistant: sdk.RoleAssistant, llm.ToolResult: sdk.RoleTool,
}

// Generate implements llm.Service.
func (g *Gateway) Generate(ctx context.Context, req llm.Request) (*llm.Answer, error) {
	ask, err := g.toPlugin(req)
	if err != nil {
		return nil, err
	}
	var fits *schema
	if req.Schema != "" {
		if fits, err = g.schemas.get(req.Schema); err != nil {
			return nil, llm.ErrBadRequest.New(errs.Say("its schema can't be used", "su esquema no sirve")).Because(err)
		}
	}
	routes := g.routes(ctx, req.Purpose, req.Caller)
	if len(routes) == 0 {
		return nil, llm.ErrNoModel.New(string(req.Purpose))
	}
	out := &out{to: req.Stream}
	key := g.keyOf(req, ask, routes)
	if answer := g.recall(ctx, key, req); answer != nil {
		out.begin()
		out.piece(answer.Text)
		return answer, nil
	}
	var usage llm.Usage
	for _, r := range routes {
		if !r.affordable(err) {
			continue
		}
		var answer *llm.Answer
		if answer, err = g.tryRoute(ctx, r, req, ask, fits, out, &usage); err == nil {
			answer.Usage = usage
			g.remember(ctx, key, req, answer)
			return answer, nil
		}
		g.log.WarnContext(ctx, "model call failed", "purpose", req.Purpose, "provider", r.provider.Name, "model", r.model.ID, "error", err)
		if final(ctx, err) {
			break
		}
	}
	return nil, toCaller(ctx, err)
}

// tryRoute asks one model, and once more when its answer does not fit the schema.
func (g *Gateway) tryRoute(ctx context.Context, r route, req llm.Request, ask *sdk.GenerateRequest, fits *schema, out *out, usage *llm.Usage) (*llm.Answer, error) {
	answer, err := g.once(ctx, r, req, ask, out, usage)
	if err != nil || fits == nil || answer.Finish == llm.Refused || answer.Finish == llm.ContentFilter || len(answer.ToolCalls) > 0 {
		return answer, err
	}
	value, wrong := fits.read(answer.Text)
	if wrong == nil {
		answer.JSON = value
		return answer, nil
	}
	if answer.Finish == llm.CutByLength {
		return nil, badAnswerError{llm.ErrBadAnswer.New().Because(wrong)} // a repair would be cut as well
	}
	repair := *ask
	repair.Messages = append(append([]sdk.Message(nil), ask.Messages...),
		sdk.Message{Role: sdk.RoleAssistant, Text: clip(answer.Text)},
		sdk.Message{Role: sdk.RoleUser, Text: "That answer does not fit the JSON Schema:\n" + clip(wrong.Error()) +
			"\nGive the whole corrected JSON value and nothing else."})
	if answer, err = g.once(ctx, r, req, &repair, out, usage); err != nil {
		return nil, err
	}
	if value, wrong = fits.read(answer.Text); wrong != nil {
		return nil, badAnswerError{llm.ErrBadAnswer.New().Because(wrong)}
	}
	answer.JSON, answer.Repaired = value, true
	return answer, nil
}

// badAnswerError lets the next route try, and reaches the caller as it is.
type badAnswerError struct{ error }

func (e badAnswerError) Unwrap() error { return e.error }

// once makes one call of a provider.
func (g *Gateway) once(ctx context.Context, r route, req llm.Request, ask *sdk.GenerateRequest, out *out, usage *llm.Usage) (*llm.Answer, error) {
	this := *ask
	this.Model = r.model.ID
	if r.model.MaxOutputTokens > 0 {
		this.MaxTokens = min(this.MaxTokens, r.model.MaxOutputTokens)
	}
	estimate := sdk.Usage{InputTokens: inputTokens(&this), OutputTokens: this.MaxTokens}
	answer := &llm.Answer{Source: r.source()}
	out.begin()
	err := r.provider.call(func() error {
		return g.paid(ctx, r, req.Caller, req.Purpose, estimate, usage, func() (sdk.Usage, error) {
			ctx, cancel := context.WithTimeout(ctx, g.cfg.Timeout)
			defer cancel()
			var text strings.Builder
			end, err := r.provider.Plugin.Generate(ctx, &this, func(c sdk.Chunk) error {
				text.WriteString(c.Text)
				out.piece(c.Text)
				for _, call := range c.ToolCalls {
					answer.ToolCalls = append(answer.ToolCalls, llm.ToolCall(call))
				}
				return nil
			})
			answer.Text = text.String()
			if err != nil {
				made := text.Len()
				for _, call := range answer.ToolCalls {
					made += len(call.Name) + len(call.Arguments)
				}
				if made == 0 {
					return sdk.Usage{}, err
				}
				// Cut midway: the provider bills what it had made.
				return sdk.Usage{InputTokens: estimate.InputTokens, OutputTokens: tokens(made)}, err
			}
			answer.Finish, answer.Refusal = llm.Finish(end.Reason.String()), end.Refusal
			if end.Usage == (sdk.Usage{}) { // a provider that does not count
				return sdk.Usage{InputTokens: estimate.InputTokens, OutputTokens: tokens(text.Len())}, nil
			}
			return end.Usage, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// out passes pieces to the caller, and says when what came is void.
type out struct {
	to    func(llm.Piece)
	dirty bool
}

func (o *out) begin() {
	if o.to != nil && o.dirty {
		o.to(llm.Piece{Restart: true})
	}
	o.dirty = false
}

func (o *out) piece(text string) {
	if o.to != nil && text != "" {
		o.to(llm.Piece{Text: text})
		o.dirty = true
	}
}

func (g *Gateway) toPlugin(req llm.Request) (*sdk.GenerateRequest, error) {
	if len(req.Messages) == 0 || req.Purpose == llm.Embed {
		return nil, llm.ErrBadRequest.New(errs.Say("it has no messages, or is for embedding", "no tiene mensajes o pide representar textos"))
	}
	ask := &sdk.GenerateRequest{
		JSONSchema: req.Schema, JSONSchemaName: req.SchemaName, Temperature: req.Temperature, MaxTokens: g.cfg.MaxTokens,
	}
	if req.MaxTokens > 0 {
		ask.MaxTokens = min(req.MaxTokens, g.cfg.MaxTokens)
	}
	for _, m := range req.Messages {
		msg := sdk.Message{Role: roles[m.Role], Text: strings.ToValidUTF8(m.Text, "\uFFFD"), ToolCallID: m.ToolCallID}
		if msg.Role == 0 {
			return nil, llm.ErrBadRequest.New(errs.Say("it has a message of role %s", "tiene un mensaje con el rol %s", m.Role))
		}
		for _, c := range m.ToolCalls {
			msg.ToolCalls = append(msg.ToolCalls, sdk.ToolCall(c))
		}
		ask.Messages = append(ask.Messages, msg)
	}
	for _, t := range req.Tools {
		if t.Parameters != "" && !json.Valid([]byte(t.Parameters)) {
			return nil, llm.ErrBadRequest.New(errs.Say("the parameters of tool %s are not JSON", "los parámetros de la herramienta %s no son JSON", t.Name))
		}
		ask.Tools = append(ask.Tools, sdk.Tool{Name: t.Name, Description: t.Description, ParametersSchema: t.Parameters})
	}
	switch req.ToolChoice {
	case "", "auto", "none", "required":
		ask.ToolChoice.Mode = req.ToolChoice
	default:
		ask.ToolChoice.Tool = req.ToolChoice
	}
	return ask, nil
}

// inputTokens estimates from above: no common tokenizer makes more than a token
// of two bytes of prose, code or Spanish.
func inputTokens(r *sdk.GenerateRequest) int {
	n := len(r.JSONSchema)
	for _, m := range r.Messages {
		n += len(m.Text) + 16
		for _, c := range m.ToolCalls {
			n += len(c.Arguments) + len(c.Name) + 16
		}
	}
	for _, t := range r.Tools {
		n += len(t.Description) + len(t.ParametersSchema) + 32
	}
	return n/2 + 16
}

func tokens(bytes int) int { return bytes/2 + 1 }

const maxQuoted = 16 << 10

// clip bounds what a repair quotes.
func clip(s string) string {
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + " […]"
	}
	return s
}
