package llmtest_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest"
)

// plugin is a spec of one model that can do everything, by the functions given.
func plugin(edit func(*llm.Spec)) *llm.Spec {
	s := &llm.Spec{
		Name: "llm-test", Version: "1.2.3",
		Models: []llm.Model{{ID: "m", ContextTokens: 8, Dimensions: 2, EmbeddingVersion: "v1", Capabilities: llm.Capabilities{Generate: true, Stream: true, Embed: true, Rerank: true}}},
		Generate: func(_ context.Context, r *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
			return &llm.Ending{Reason: llm.FinishStop, Model: r.Model}, emit(llm.Chunk{Text: r.Messages[len(r.Messages)-1].Text})
		},
		Embed: func(_ context.Context, r *llm.EmbedRequest) (*llm.Embeddings, error) {
			return &llm.Embeddings{Vectors: make([][]float32, len(r.Texts))}, nil
		},
		Rerank: func(_ context.Context, r *llm.RerankRequest) (*llm.Ranking, error) {
			return &llm.Ranking{Scores: make([]float64, len(r.Passages))}, nil
		},
	}
	if edit != nil {
		edit(s)
	}
	return s
}

func hello() *llm.GenerateRequest {
	return &llm.GenerateRequest{Model: "m", Messages: []llm.Message{{Role: llm.RoleUser, Text: "¡hola!"}}}
}

func TestEveryFieldOfARequestArrives(t *testing.T) {
	var got llm.GenerateRequest
	c := llmtest.Connect(t, plugin(func(s *llm.Spec) {
		s.Generate = func(_ context.Context, r *llm.GenerateRequest, _ func(llm.Chunk) error) (*llm.Ending, error) {
			got = *r
			return &llm.Ending{Reason: llm.FinishStop}, nil
		}
	}))
	warm, most, seed := 0.0, 0.5, int64(0)
	want := &llm.GenerateRequest{
		Model: "m", JSONSchema: `{}`, Temperature: &warm, TopP: &most, Seed: &seed, MaxTokens: 9, Stop: []string{"."}, EndUser: "e",
		Tools: []llm.Tool{{Name: "f", Description: "d", ParametersSchema: `{"type":"object"}`}}, ToolChoice: llm.ToolChoice{Tool: "f"},
		Messages: []llm.Message{{Role: llm.RoleAssistant, ToolCalls: []llm.ToolCall{{ID: "1", Name: "f", Arguments: "{}"}}}, {Role: llm.RoleTool, ToolCallID: "1", Text: "r"}},
	}
	if _, err := c.Generate(context.Background(), want, nil); err != nil {
		t.Fatal(err)
	}
	if got.JSONSchemaName != "answer" || *got.Temperature != 0 || *got.TopP != 0.5 || *got.Seed != 0 || got.MaxTokens != 9 || got.Stop[0] != "." ||
		got.EndUser != "e" || got.Tools[0] != want.Tools[0] || got.ToolChoice != want.ToolChoice ||
		got.Messages[0].ToolCalls[0] != want.Messages[0].ToolCalls[0] || got.Messages[1].ToolCallID != "1" {
		t.Errorf("got %+v", got)
	}
}

func TestTypedErrorsCrossTheProtocol(t *testing.T) {
	for _, want := range []*llm.Error{
		{Code: llm.CodeInternal, Message: "a"}, {Code: llm.CodeRateLimited, Message: "b", RetryAfter: 1500 * time.Millisecond},
		{Code: llm.CodeUnauthenticated, Message: "c"}, {Code: llm.CodeInvalidRequest, Message: "d"}, {Code: llm.CodeUnavailable, Message: "e", RetryAfter: time.Second},
		{Code: llm.CodeUnsupported, Message: "f"}, {Code: llm.CodeDeadline, Message: "g"}, {Code: llm.CodeCanceled, Message: "h"},
		{Code: llm.CodeInterrupted, Message: "i"},
	} {
		c := llmtest.Connect(t, plugin(func(s *llm.Spec) {
			s.Embed = func(context.Context, *llm.EmbedRequest) (*llm.Embeddings, error) { return nil, want }
		}))
		_, err := c.Embed(context.Background(), &llm.EmbedRequest{Model: "m", Texts: []string{"x"}})
		var got *llm.Error
		if !errors.As(err, &got) || *got != *want {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestWhatAHostilePluginAnswersIsBounded(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	for name, edit := range map[string]func(*llm.Spec){
		"an endless answer": func(s *llm.Spec) {
			s.Generate = func(_ context.Context, _ *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
				for {
					if err := emit(llm.Chunk{Text: big}); err != nil {
						return nil, err
					}
				}
			}
		},
		"endless tool calls": func(s *llm.Spec) {
			s.Generate = func(_ context.Context, _ *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
				for {
					if err := emit(llm.Chunk{ToolCalls: []llm.ToolCall{{ID: "1", Name: "f"}}}); err != nil {
						return nil, err
					}
				}
			}
		},
		"a piece larger than a message": func(s *llm.Spec) {
			s.Generate = func(_ context.Context, _ *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
				return nil, emit(llm.Chunk{Text: strings.Repeat(big, 33)})
			}
		},
		"no finish reason": func(s *llm.Spec) {
			s.Generate = func(context.Context, *llm.GenerateRequest, func(llm.Chunk) error) (*llm.Ending, error) {
				return &llm.Ending{}, nil
			}
		},
		"a panic": func(s *llm.Spec) {
			s.Generate = func(context.Context, *llm.GenerateRequest, func(llm.Chunk) error) (*llm.Ending, error) { panic("boom") }
		},
	} {
		c := llmtest.Connect(t, plugin(edit))
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		if _, err := c.Generate(ctx, hello(), nil); llm.CodeOf(err) != llm.CodeInternal || ctx.Err() != nil {
			t.Errorf("%s: got %v", name, err)
		}
		cancel()
	}
}

func TestVectorsAndScoresAreChecked(t *testing.T) {
	for name, vectors := range map[string][][]float32{
		"too few": {{1}}, "empty": {{}, {}}, "of two lengths": {{1}, {1, 2}}, "no numbers": {{1}, {float32(math.NaN())}},
	} {
		c := llmtest.Connect(t, plugin(func(s *llm.Spec) {
			s.Embed = func(context.Context, *llm.EmbedRequest) (*llm.Embeddings, error) {
				return &llm.Embeddings{Vectors: vectors}, nil
			}
			s.Rerank = func(context.Context, *llm.RerankRequest) (*llm.Ranking, error) {
				return &llm.Ranking{Scores: []float64{math.Inf(1), 0}}, nil
			}
		}))
		if _, err := c.Embed(context.Background(), &llm.EmbedRequest{Model: "m", Texts: []string{"a", "b"}}); llm.CodeOf(err) != llm.CodeInternal || err == nil {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := c.Rerank(context.Background(), &llm.RerankRequest{Model: "m", Passages: []string{"a", "b"}}); err == nil {
			t.Error("an infinite score was taken")
		}
	}
	c := llmtest.Connect(t, plugin(nil))
	if _, err := c.Embed(context.Background(), &llm.EmbedRequest{Model: "m", Texts: make([]string, llm.MaxTexts+1)}); llm.CodeOf(err) != llm.CodeInvalidRequest {
		t.Errorf("too many texts: got %v", err)
	}
	got, err := c.Rerank(context.Background(), &llm.RerankRequest{Model: "m", Query: "q", Passages: []string{"a", "b"}})
	if err != nil || len(got.Scores) != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDiscoveredModelsAreDescribedAndWhatIsMissingIsUnsupported(t *testing.T) {
	c := llmtest.Connect(t, plugin(func(s *llm.Spec) {
		s.Remote, s.Rerank, s.Models = true, nil, nil
		s.Discover = func(context.Context) ([]llm.Model, error) {
			return []llm.Model{{ID: "found", Capabilities: llm.Capabilities{Generate: true, Tools: true}, MaxOutputTokens: 7}}, nil
		}
	}))
	d, err := c.Describe(context.Background(), "test")
	if err != nil || d.Name != "llm-test" || !d.Remote || len(d.Models) != 1 || d.Models[0].ID != "found" || d.Models[0].MaxOutputTokens != 7 {
		t.Errorf("got %+v, %v", d, err)
	}
	if _, err := c.Rerank(context.Background(), &llm.RerankRequest{Model: "m", Passages: []string{"a"}}); llm.CodeOf(err) != llm.CodeUnsupported {
		t.Errorf("got %v", err)
	}
}
