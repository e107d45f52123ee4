package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/llmrpc"
)

// How long a call of an LLM plugin may take before its process is replaced.
// Callers set shorter deadlines, which the plugin itself keeps.
const (
	generateTimeout = 15 * time.Minute
	embedTimeout    = 5 * time.Minute
)

// LLM is the kind of plugins that reach language models.
var LLM = Kind[*llmrpc.Client]{
	Name: pluginproto.KindLLM,
	Versions: map[int]func(grpc.ClientConnInterface, string) *llmrpc.Client{
		1: func(conn grpc.ClientConnInterface, _ string) *llmrpc.Client { return llmrpc.New(conn) },
	},
	Describe: func(ctx context.Context, client *llmrpc.Client) (Description, error) {
		d, err := client.Describe(ctx, "")
		if err != nil {
			return Description{}, err
		}
		seen := map[string]bool{}
		for _, m := range d.Models {
			if m.ID == "" || len(m.ID) > 200 || seen[m.ID] {
				return Description{}, fmt.Errorf("it lists the model %.200q, which has no name of its own", m.ID)
			}
			seen[m.ID] = true
		}
		return Description{Name: d.Name, Version: d.Version, Detail: d}, nil
	},
}

// LLMPlugin calls one LLM plugin. It stays good over crashes and restarts.
// Every error is an *llm.Error.
type LLMPlugin struct{ h *Handle[*llmrpc.Client] }

// LLM returns the LLM plugin of that name, without starting it.
func (h *Host) LLM(name string) (*LLMPlugin, error) {
	handle, err := Get(h, LLM, name)
	if err != nil {
		return nil, err
	}
	return &LLMPlugin{handle}, nil
}

// Describe starts the plugin if it does not run, and returns what it said.
func (p *LLMPlugin) Describe(ctx context.Context) (*llmrpc.Description, error) {
	d, err := p.h.Description(ctx)
	if err != nil {
		return nil, llmError(err)
	}
	return d.Detail.(*llmrpc.Description), nil //nolint:forcetypeassert // LLM.Describe made it
}

// Generate asks for an answer; see llmrpc.Client.Generate. An error of emit is
// returned as it is.
func (p *LLMPlugin) Generate(ctx context.Context, req *llm.GenerateRequest, emit func(llm.Chunk) error) (end *llm.Ending, err error) {
	var stopped error
	err = p.h.Do(ctx, "Generate", generateTimeout, func(ctx context.Context, c *llmrpc.Client) (err error) {
		end, err = c.Generate(ctx, req, func(piece llm.Chunk) error {
			if emit != nil {
				stopped = emit(piece)
			}
			return stopped
		})
		return err
	})
	if stopped != nil {
		return nil, stopped
	}
	return end, llmError(err)
}

// Embed asks for one vector a text.
func (p *LLMPlugin) Embed(ctx context.Context, req *llm.EmbedRequest) (out *llm.Embeddings, err error) {
	err = p.h.Do(ctx, "Embed", embedTimeout, func(ctx context.Context, c *llmrpc.Client) (err error) {
		out, err = c.Embed(ctx, req)
		return err
	})
	return out, llmError(err)
}

// Rerank asks for one score a passage.
func (p *LLMPlugin) Rerank(ctx context.Context, req *llm.RerankRequest) (out *llm.Ranking, err error) {
	err = p.h.Do(ctx, "Rerank", embedTimeout, func(ctx context.Context, c *llmrpc.Client) (err error) {
		out, err = c.Rerank(ctx, req)
		return err
	})
	return out, llmError(err)
}

// llmError keeps the plugin's own typed error, and types the host's.
func llmError(err error) error {
	var typed *llm.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &typed):
		return typed
	case errors.Is(err, context.Canceled):
		return llm.Errorf(llm.CodeCanceled, "%v", err)
	case errors.Is(err, ErrDeadline) || errors.Is(err, context.DeadlineExceeded):
		return llm.Errorf(llm.CodeDeadline, "%v", err)
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrQuarantined), errors.Is(err, ErrClosed):
		return llm.Errorf(llm.CodeUnavailable, "%v", err)
	default:
		return llm.Errorf(llm.CodeInternal, "%v", err)
	}
}
