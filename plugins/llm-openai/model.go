package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"
)

// wishes is what langchaingo's options can't say, handed to [model] through
// their metadata under wishesKey (keys of this prefix never reach the provider).
type wishes struct {
	set    map[string]any
	drop   []string
	rename map[string]string
}

const (
	wishesKey    = "openai:wishes"
	maxTokensKey = "max_completion_tokens"
)

// infoAnswer is the key of GenerationInfo under which [model] adds its answer.
const infoAnswer = "Answer"

// model is langchaingo's chat model on OpenAI's protocol, mended.
type model struct {
	inner *openai.LLM
}

var _ llms.Model = (*model)(nil)

func newModel(c *config, d *doer) (*model, error) {
	inner, err := newClient(c, d)
	if err != nil {
		return nil, err
	}
	return &model{inner: inner}, nil
}

func newClient(c *config, d *doer, more ...openai.Option) (*openai.LLM, error) {
	key := c.key
	if key == "" {
		key = "none" // the client refuses to start without one; doer takes it off again
	}
	inner, err := openai.New(append([]openai.Option{
		openai.WithToken(key), openai.WithBaseURL(c.baseURL), openai.WithOrganization(c.organization),
		openai.WithAPIType(openai.APITypeOpenAI), openai.WithHTTPClient(d),
	}, more...)...)
	if err != nil {
		return nil, fmt.Errorf("make OpenAI client: %w", err)
	}
	return inner, nil
}

// GenerateContent implements llms.Model. Errors are of type llm.Error (sdk).
func (m *model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var opts llms.CallOptions
	for _, o := range options {
		o(&opts)
	}
	ex := &exchange{}
	if w, ok := opts.Metadata[wishesKey].(*wishes); ok {
		ex.set, ex.drop, ex.rename = w.set, w.drop, w.rename
	}
	var stopped error
	callback := opts.StreamingFunc
	// Always streamed: one path to mend, and a silent provider is noticed.
	options = append(slices.Clone(options), llms.WithStreamingFunc(func(ctx context.Context, piece []byte) error {
		if len(piece) == 0 || callback == nil {
			return nil
		}
		stopped = callback(ctx, piece)
		return stopped
	}))
	res, err := m.inner.GenerateContent(withExchange(ctx, ex), messages, options...)
	if stopped != nil {
		return nil, stopped
	}
	got, failed := ex.result(ctx)
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	choice := res.Choices[0]
	choice.StopReason, choice.ToolCalls, choice.FuncCall = got.finish, nil, nil
	for _, c := range got.toolCalls {
		choice.ToolCalls = append(choice.ToolCalls, llms.ToolCall{
			ID: c.ID, Type: "function", FunctionCall: &llms.FunctionCall{Name: c.Name, Arguments: c.Arguments},
		})
	}
	choice.GenerationInfo[infoAnswer] = got
	return res, nil
}

// Call implements llms.Model.
func (m *model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, options...)
}

const embedBatch = 256

// embedder is langchaingo's embedder on OpenAI's protocol, mended: texts keep
// their line breaks, the caller's slice is not touched.
type embedder struct {
	inner *openai.LLM
}

var _ embeddings.Embedder = (*embedder)(nil)

func newEmbedder(c *config, d *doer, id string) (*embedder, error) {
	inner, err := newClient(c, d, openai.WithEmbeddingModel(id))
	if err != nil {
		return nil, err
	}
	return &embedder{inner: inner}, nil
}

// EmbedDocuments implements embeddings.Embedder.
func (e *embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	vectors, _, err := e.embed(ctx, texts)
	return vectors, err
}

// EmbedQuery implements embeddings.Embedder.
func (e *embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	vectors, _, err := e.embed(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return vectors[0], nil
}

// embed also says what the provider billed.
func (e *embedder) embed(ctx context.Context, texts []string) ([][]float32, answer, error) {
	var total answer
	var vectors [][]float32
	for batch := range slices.Chunk(slices.Clone(texts), embedBatch) {
		for i, t := range batch {
			if t == "" {
				batch[i] = " " // the provider refuses a text without a character
			}
		}
		ex := &exchange{}
		got, err := e.inner.CreateEmbedding(withExchange(ctx, ex), batch)
		said, failed := ex.result(ctx)
		if failed != nil {
			return nil, total, failed // typed, where the client's own is a text
		}
		if err != nil {
			return nil, total, err
		}
		vectors = append(vectors, got...)
		total.model = said.model
		total.usage.InputTokens += said.usage.InputTokens
	}
	return vectors, total, nil
}
