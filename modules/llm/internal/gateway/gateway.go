// Package gateway answers the module's Service over the plugins that there are.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/goals-tracker/tracker/modules/llm"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/pluginproto/llmrpc"
)

// Plugin reaches models; core/pluginhost's LLMPlugin is one. Every error is an
// *sdk.Error, but those of emit, which come back as they are.
type Plugin interface {
	Describe(ctx context.Context) (*llmrpc.Description, error)
	Generate(ctx context.Context, req *sdk.GenerateRequest, emit func(sdk.Chunk) error) (*sdk.Ending, error)
	Embed(ctx context.Context, req *sdk.EmbedRequest) (*sdk.Embeddings, error)
	Rerank(ctx context.Context, req *sdk.RerankRequest) (*sdk.Ranking, error)
}

// Gateway implements llm.Service. Safe for concurrent use.
type Gateway struct {
	cfg llm.Config
	Stores
	log       *slog.Logger
	providers []*provider // in the order of their names
	schemas   schemaCache
}

var _ llm.Service = (*Gateway)(nil)

// Named is a plugin and its name.
type Named struct {
	Name   string
	Plugin Plugin
}

// Stores are where a gateway keeps its books.
type Stores struct {
	Ledger llm.Ledger
	// Terms may be nil: then the configuration alone holds.
	Terms llm.TermsSource
	// Memory may be nil: then no answer is given twice.
	Memory llm.Memory
}

// New makes a gateway over plugins, which are asked in the given order where no
// routes are configured.
func New(cfg llm.Config, stores Stores, log *slog.Logger, plugins ...Named) (*Gateway, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	g := &Gateway{cfg: cfg, Stores: stores, log: log}
	for _, p := range plugins {
		g.providers = append(g.providers, newProvider(p, cfg))
	}
	return g, nil
}

const (
	describeWait = 10 * time.Second
	// A description is asked for again after these times: models come and go.
	describedFor    = 10 * time.Minute
	notDescribedFor = 5 * time.Second
)

// provider is a plugin with its breaker and what it said of itself.
type provider struct {
	Named
	breaker *gobreaker.CircuitBreaker[struct{}]

	mu    sync.Mutex
	desc  *llmrpc.Description
	err   error
	until time.Time
}

func newProvider(p Named, cfg llm.Config) *provider {
	return &provider{Named: p, breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: p.Name, MaxRequests: 1, Timeout: cfg.BreakerPause,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= cfg.BreakerFailures },
		// What the request, the caller or this server did says nothing of the provider.
		IsExcluded: func(err error) bool {
			var ours notProviderError
			return errors.As(err, &ours) || slices.Contains(innocent, sdk.CodeOf(err))
		},
	})}
}

var innocent = []sdk.Code{sdk.CodeInvalidRequest, sdk.CodeUnsupported, sdk.CodeCanceled}

// notProviderError marks errors that are not the provider's fault.
type notProviderError struct{ error }

func (e notProviderError) Unwrap() error { return e.error }

// describe returns what the plugin says of itself, from memory if it is fresh.
func (p *provider) describe(ctx context.Context) (*llmrpc.Description, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().Before(p.until) {
		return p.desc, p.err
	}
	ctx, cancel := context.WithTimeout(ctx, describeWait)
	defer cancel()
	d, err := p.Plugin.Describe(ctx)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, err // the caller left: nothing was learned
	}
	p.desc, p.err, p.until = d, err, time.Now().Add(describedFor)
	if err != nil {
		p.until = time.Now().Add(notDescribedFor)
	}
	return d, err
}

// call runs fn behind the breaker.
func (p *provider) call(fn func() error) error {
	_, err := p.breaker.Execute(func() (struct{}, error) { return struct{}{}, fn() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return sdk.Errorf(sdk.CodeUnavailable, "%s failed several times and is left alone for a moment", p.Name)
	}
	return err
}

// Available implements llm.Service.
func (g *Gateway) Available(purpose llm.Purpose) bool {
	for _, r := range g.routes(context.Background(), purpose, llm.Caller{}) { //nolint:forbidigo // bounded by describe
		if r.provider.breaker.State() != gobreaker.StateOpen {
			return true
		}
	}
	return false
}

// Models implements llm.Service.
func (g *Gateway) Models(ctx context.Context) []llm.Model {
	var out []llm.Model
	for _, p := range g.providers {
		d, err := p.describe(ctx)
		if err != nil {
			continue
		}
		for _, m := range d.Models {
			out = append(out, llm.Model{
				Source:    llm.Source{Provider: p.Name, Model: m.ID, Remote: d.Remote},
				Generates: m.Capabilities.Generate, Embeds: m.Capabilities.Embed, Reranks: m.Capabilities.Rerank, Tools: m.Capabilities.Tools,
				ContextTokens: m.ContextTokens, MaxOutputTokens: m.MaxOutputTokens, Dimensions: m.Dimensions,
			})
		}
	}
	return out
}
