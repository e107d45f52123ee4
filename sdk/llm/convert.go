package llm

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	llmv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/llm/v1"
)

var grpcCodes = map[Code]codes.Code{
	CodeInternal:        codes.Internal,
	CodeRateLimited:     codes.ResourceExhausted,
	CodeUnauthenticated: codes.Unauthenticated,
	CodeInvalidRequest:  codes.InvalidArgument,
	CodeUnavailable:     codes.Unavailable,
	CodeUnsupported:     codes.Unimplemented,
	CodeDeadline:        codes.DeadlineExceeded,
	CodeCanceled:        codes.Canceled,
	CodeInterrupted:     codes.Aborted,
}

// toStatus turns what a plugin's function returned into a gRPC status; the
// client's side of it is in sdk/pluginproto/llmrpc.
func toStatus(err error) error {
	var e *Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.DeadlineExceeded):
		e = Errorf(CodeDeadline, "the call's time ran out")
	case errors.Is(err, context.Canceled):
		e = Errorf(CodeCanceled, "the caller gave up")
	default:
		if s, ok := status.FromError(err); ok {
			return s.Err() // emit's own error: the stream is gone
		}
		e = Errorf(CodeInternal, "%v", err)
	}
	st := status.New(grpcCodes[e.Code], e.Message)
	if e.RetryAfter > 0 {
		if with, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)}); err == nil {
			st = with
		}
	}
	return st.Err()
}

func modelToProto(m Model) *llmv1.Model {
	c := m.Capabilities
	return &llmv1.Model{
		Id: m.ID,
		Capabilities: &llmv1.Capabilities{
			Generate: c.Generate, Stream: c.Stream, Tools: c.Tools, JsonSchema: c.JSONSchema,
			JsonMode: c.JSONMode, Embed: c.Embed, Rerank: c.Rerank,
		},
		ContextTokens:    count(m.ContextTokens),
		MaxOutputTokens:  count(m.MaxOutputTokens),
		Dimensions:       count(m.Dimensions),
		EmbeddingVersion: m.EmbeddingVersion,
	}
}

func generateRequestFromProto(p *llmv1.GenerateRequest) (*GenerateRequest, error) {
	if len(p.GetMessages()) == 0 {
		return nil, Errorf(CodeInvalidRequest, "the request has no messages")
	}
	r := &GenerateRequest{
		Model:          p.GetModel(),
		ToolChoice:     ToolChoice{Mode: p.GetToolChoice().GetMode(), Tool: p.GetToolChoice().GetTool()},
		JSONSchema:     p.GetJsonSchema(),
		JSONSchemaName: p.GetJsonSchemaName(),
		Temperature:    p.Temperature,
		TopP:           p.TopP,
		Seed:           p.Seed,
		MaxTokens:      int(p.GetMaxTokens()),
		Stop:           p.GetStop(),
		EndUser:        p.GetEndUser(),
	}
	if r.JSONSchema != "" && r.JSONSchemaName == "" {
		r.JSONSchemaName = "answer"
	}
	for i, m := range p.GetMessages() {
		if m.GetRole() < llmv1.Role_ROLE_SYSTEM || m.GetRole() > llmv1.Role_ROLE_TOOL {
			return nil, Errorf(CodeInvalidRequest, "message %d has no role this plugin knows", i)
		}
		msg := Message{Role: Role(m.GetRole()), Text: m.GetText(), ToolCallID: m.GetToolCallId()}
		for _, c := range m.GetToolCalls() {
			msg.ToolCalls = append(msg.ToolCalls, ToolCall{ID: c.GetId(), Name: c.GetName(), Arguments: c.GetArguments()})
		}
		r.Messages = append(r.Messages, msg)
	}
	for _, t := range p.GetTools() {
		r.Tools = append(r.Tools, Tool{Name: t.GetName(), Description: t.GetDescription(), ParametersSchema: t.GetParametersSchema()})
	}
	return r, nil
}

func toolCallsToProto(calls []ToolCall) []*llmv1.ToolCall {
	out := make([]*llmv1.ToolCall, 0, len(calls))
	for _, c := range calls {
		out = append(out, &llmv1.ToolCall{Id: c.ID, Name: c.Name, Arguments: c.Arguments})
	}
	return out
}

func usageToProto(u Usage) *llmv1.Usage {
	return &llmv1.Usage{
		InputTokens:       count(u.InputTokens),
		OutputTokens:      count(u.OutputTokens),
		CachedInputTokens: count(u.CachedInputTokens),
	}
}

// count keeps an int within uint32: a provider's nonsense must not wrap around.
func count(n int) uint32 {
	return uint32(min(max(int64(n), 0), 1<<32-1))
}
