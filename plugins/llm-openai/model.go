package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
)

// editKey is the key of langchaingo's metadata under which [model] takes what
// the options can't say: a func(map[string]any) error on the request's fields.
const editKey = "openai:edit"

// infoAnswer is the key of GenerationInfo under which [model] adds its answer.
const infoAnswer = "Answer"

// model is langchaingo's chat model on OpenAI's protocol, mended.
type model struct {
	inner *openai.LLM
}

var _ llms.Model = (*model)(nil)

func newModel(c *config, d *wire.Client) (*model, error) {
	inner, err := newClient(c, d)
	if err != nil {
		return nil, err
	}
	return &model{inner: inner}, nil
}

func newClient(c *config, d *wire.Client, more ...openai.Option) (*openai.LLM, error) {
	key := c.key
	if key == "" {
		key = "none" // the client refuses to start without one; it is taken off again
	}
	options := []openai.Option{
		openai.WithToken(key), openai.WithBaseURL(c.baseURL), openai.WithOrganization(c.organization),
		openai.WithAPIType(openai.APITypeOpenAI), openai.WithHTTPClient(d),
	}
	if c.azure() {
		// The client asks for both models, and uses that of the call.
		options = append(options, openai.WithAPIType(openai.APITypeAzure), openai.WithAPIVersion(c.APIVersion),
			openai.WithModel("none"), openai.WithEmbeddingModel("none"))
	}
	inner, err := openai.New(append(options, more...)...)
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
	ex := &wire.Exchange{}
	ex.Edit, _ = opts.Metadata[editKey].(func(map[string]any) error)
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
	res, err := m.inner.GenerateContent(wire.With(ctx, ex), messages, options...)
	if stopped != nil {
		return nil, stopped
	}
	got, failed := ex.Result(ctx)
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	choice := res.Choices[0]
	choice.StopReason, choice.ToolCalls, choice.FuncCall = got.Ending().Reason.String(), nil, nil
	for _, c := range got.ToolCalls {
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
// their line breaks, the caller's slice is not touched, vectors stand in the
// order of the texts.
type embedder struct {
	inner *openai.LLM
}

var _ embeddings.Embedder = (*embedder)(nil)

func newEmbedder(c *config, d *wire.Client, id string) (*embedder, error) {
	inner, err := newClient(c, d, openai.WithEmbeddingModel(id))
	if err != nil {
		return nil, err
	}
	return &embedder{inner: inner}, nil
}

// EmbedDocuments implements embeddings.Embedder.
func (e *embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	got, err := e.embed(ctx, texts)
	return got.Vectors, err
}

// EmbedQuery implements embeddings.Embedder.
func (e *embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	got, err := e.embed(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return got.Vectors[0], nil
}

// embed also says what the provider billed.
func (e *embedder) embed(ctx context.Context, texts []string) (wire.Answer, error) {
	var total wire.Answer
	for batch := range slices.Chunk(slices.Clone(texts), embedBatch) {
		for i, t := range batch {
			if t == "" {
				batch[i] = " " // the provider refuses a text without a character
			}
		}
		ex := &wire.Exchange{}
		vectors, err := e.inner.CreateEmbedding(wire.With(ctx, ex), batch)
		said, failed := ex.Result(ctx)
		if failed != nil {
			return wire.Answer{}, failed // typed, where the client's own is a text
		}
		if err != nil {
			return wire.Answer{}, err
		}
		total.Vectors = append(total.Vectors, vectors...)
		total.Model = said.Model
		total.Usage.InputTokens += said.Usage.InputTokens
	}
	return total, nil
}
