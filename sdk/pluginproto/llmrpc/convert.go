package llmrpc

import (
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	llmv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/llm/v1"
	"github.com/goals-tracker/tracker/sdk/llm"
)

const maxRetryAfter = 24 * time.Hour

func generateRequestToProto(r *llm.GenerateRequest) *llmv1.GenerateRequest {
	p := &llmv1.GenerateRequest{
		Model: r.Model, JsonSchema: r.JSONSchema, JsonSchemaName: r.JSONSchemaName,
		Temperature: r.Temperature, TopP: r.TopP, Seed: r.Seed, Stop: r.Stop, EndUser: r.EndUser,
		MaxTokens: uint32(min(max(int64(r.MaxTokens), 0), 1<<31)),
	}
	switch {
	case r.ToolChoice.Tool != "":
		p.ToolChoice = &llmv1.ToolChoice{Choice: &llmv1.ToolChoice_Tool{Tool: r.ToolChoice.Tool}}
	case r.ToolChoice.Mode != "":
		p.ToolChoice = &llmv1.ToolChoice{Choice: &llmv1.ToolChoice_Mode{Mode: r.ToolChoice.Mode}}
	}
	for _, m := range r.Messages {
		msg := &llmv1.ChatMessage{Role: llmv1.Role(m.Role), Text: m.Text, ToolCallId: m.ToolCallID}
		for _, c := range m.ToolCalls {
			msg.ToolCalls = append(msg.ToolCalls, &llmv1.ToolCall{Id: c.ID, Name: c.Name, Arguments: c.Arguments})
		}
		p.Messages = append(p.Messages, msg)
	}
	for _, t := range r.Tools {
		p.Tools = append(p.Tools, &llmv1.Tool{Name: t.Name, Description: t.Description, ParametersSchema: t.ParametersSchema})
	}
	return p
}

func chunkFromProto(p *llmv1.GenerateResponse) llm.Chunk {
	c := llm.Chunk{Text: strings.ToValidUTF8(p.GetTextDelta(), "�")}
	for _, call := range p.GetToolCalls() {
		c.ToolCalls = append(c.ToolCalls, llm.ToolCall{ID: call.GetId(), Name: call.GetName(), Arguments: call.GetArguments()})
	}
	return c
}

func endingFromProto(p *llmv1.GenerateResponse) (*llm.Ending, error) {
	reason := llm.FinishReason(p.GetFinishReason())
	if reason < llm.FinishStop || reason > llm.FinishContentFilter {
		return nil, llm.Errorf(llm.CodeInternal, "the plugin closed its answer with unknown finish reason %d", reason)
	}
	return &llm.Ending{Reason: reason, Usage: usageFromProto(p.GetUsage()), Model: p.GetModel(), Refusal: cleanMessage(p.GetRefusal())}, nil
}

func modelFromProto(m *llmv1.Model) llm.Model {
	c := m.GetCapabilities()
	return llm.Model{
		ID: m.GetId(),
		Capabilities: llm.Capabilities{
			Generate: c.GetGenerate(), Stream: c.GetStream(), Tools: c.GetTools(), JSONSchema: c.GetJsonSchema(),
			JSONMode: c.GetJsonMode(), Embed: c.GetEmbed(), Rerank: c.GetRerank(),
		},
		ContextTokens:    int(m.GetContextTokens()),
		MaxOutputTokens:  int(m.GetMaxOutputTokens()),
		Dimensions:       int(m.GetDimensions()),
		EmbeddingVersion: m.GetEmbeddingVersion(),
	}
}

func usageFromProto(u *llmv1.Usage) llm.Usage {
	return llm.Usage{
		InputTokens: int(u.GetInputTokens()), OutputTokens: int(u.GetOutputTokens()),
		CachedInputTokens: int(u.GetCachedInputTokens()),
	}
}

func retryAfter(st *status.Status) time.Duration {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return min(max(info.GetRetryDelay().AsDuration(), 0), maxRetryAfter)
		}
	}
	return 0
}
