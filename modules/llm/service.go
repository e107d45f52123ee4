package llm

import "context"

// Service is what other modules call. Any part of the server may call it for
// anyone: it checks budgets, not rights.
type Service interface {
	// Generate asks the models of the purpose's routes in order, until one
	// answers. It fails with ErrNoModel, ErrOverBudget (nothing was sent),
	// ErrUnavailable (with RetryAfter where the provider gave one), ErrBadAnswer
	// (does not fit the schema after one repair) or ErrBadRequest; and with the
	// context's error when the caller gave up. A refusal of the model is an
	// Answer. The call's own deadline holds even when ctx has none.
	Generate(ctx context.Context, req Request) (*Answer, error)
	// Embed asks the first model of the embed routes, or the one of req.Space;
	// it never mixes spaces. Errors as in Generate.
	Embed(ctx context.Context, req EmbedRequest) (*Embeddings, error)
	// Rerank asks the first model of the rerank routes, and the next when it
	// can't answer. Errors as in Generate.
	Rerank(ctx context.Context, req RerankRequest) (*Ranking, error)
	// Available says whether a call for the purpose has a chance now: a model is
	// configured, its plugin runs, its breaker is closed. It may wait for a
	// plugin to start, ten seconds at most.
	Available(purpose Purpose) bool
	// Models lists what can be used now, in the order of the plugins' names.
	Models(ctx context.Context) []Model
}
