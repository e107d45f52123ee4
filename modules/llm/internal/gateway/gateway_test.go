package gateway_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/internal/gateway"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/pluginproto/llmrpc"
)

// plugin answers by functions.
type plugin struct {
	desc     llmrpc.Description
	generate func(context.Context, *sdk.GenerateRequest, func(sdk.Chunk) error) (*sdk.Ending, error)
	embed    func(*sdk.EmbedRequest) (*sdk.Embeddings, error)
	rerank   func(*sdk.RerankRequest) (*sdk.Ranking, error)
	mu       sync.Mutex
	asked    []*sdk.GenerateRequest
}

func (p *plugin) Describe(context.Context) (*llmrpc.Description, error) { return &p.desc, nil }

func (p *plugin) Generate(ctx context.Context, r *sdk.GenerateRequest, emit func(sdk.Chunk) error) (*sdk.Ending, error) {
	p.mu.Lock()
	p.asked = append(p.asked, r)
	p.mu.Unlock()
	return p.generate(ctx, r, emit)
}

func (p *plugin) Embed(_ context.Context, r *sdk.EmbedRequest) (*sdk.Embeddings, error) {
	return p.embed(r)
}

func (p *plugin) Rerank(_ context.Context, r *sdk.RerankRequest) (*sdk.Ranking, error) {
	return p.rerank(r)
}

// says makes a plugin of one remote model that gives the answers in order.
func says(remote bool, answers ...string) *plugin {
	p := &plugin{desc: llmrpc.Description{Remote: remote, Models: []sdk.Model{
		{ID: "chat", Capabilities: sdk.Capabilities{Generate: true}},
		{ID: "embed", Dimensions: 2, EmbeddingVersion: "1", Capabilities: sdk.Capabilities{Embed: true}},
	}}}
	p.generate = func(_ context.Context, _ *sdk.GenerateRequest, emit func(sdk.Chunk) error) (*sdk.Ending, error) {
		for _, piece := range strings.SplitAfter(answers[min(len(p.asked), len(answers))-1], " ") {
			if err := emit(sdk.Chunk{Text: piece}); err != nil {
				return nil, err
			}
		}
		return &sdk.Ending{Reason: sdk.FinishStop, Usage: sdk.Usage{InputTokens: 100, OutputTokens: 10}}, nil
	}
	return p
}

// fails makes a plugin that answers with an error.
func fails(err error) *plugin {
	p := says(true, "")
	p.generate = func(context.Context, *sdk.GenerateRequest, func(sdk.Chunk) error) (*sdk.Ending, error) {
		return nil, err
	}
	return p
}

// books is a ledger in memory.
type books struct {
	mu   sync.Mutex
	rows map[uuid.UUID]llm.Entry
	open map[uuid.UUID]bool
	full bool
}

func (b *books) Reserve(_ context.Context, e llm.Entry, _ llm.Caps) (uuid.UUID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full {
		return uuid.Nil, llm.ErrOverBudget.New("learner")
	}
	if b.rows == nil {
		b.rows, b.open = map[uuid.UUID]llm.Entry{}, map[uuid.UUID]bool{}
	}
	id := uuid.New()
	b.rows[id], b.open[id] = e, true
	return id, nil
}

func (b *books) Settle(ctx context.Context, id uuid.UUID, e llm.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows[id] = e
	delete(b.open, id)
	return ctx.Err()
}

func (b *books) Release(ctx context.Context, id uuid.UUID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.rows, id)
	delete(b.open, id)
	return ctx.Err()
}

func setup(t *testing.T, edit func(*llm.Config), plugins ...*plugin) (*gateway.Gateway, *books) {
	t.Helper()
	cfg := llm.DefaultConfig()
	if edit != nil {
		edit(&cfg)
	}
	b := &books{}
	named := make([]gateway.Named, 0, len(plugins))
	for i, p := range plugins {
		named = append(named, gateway.Named{Name: "llm-" + string(rune('a'+i)), Plugin: p})
	}
	g, err := gateway.New(cfg, gateway.Stores{Ledger: b}, slog.New(slog.DiscardHandler), named...)
	if err != nil {
		t.Fatal(err)
	}
	return g, b
}

func ask() llm.Request {
	return llm.Request{Purpose: llm.Plan, Caller: llm.Caller{UserID: "u1", RunID: "r1"}, Messages: []llm.Message{{Role: llm.User, Text: "plan it"}}}
}

const boolSchema = `{"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"],"additionalProperties":false}`

func TestWithoutAPluginNothingIsAvailable(t *testing.T) {
	g, _ := setup(t, nil)
	_, err := g.Generate(context.Background(), ask())
	if !llm.ErrNoModel.Is(err) || g.Available(llm.Plan) || len(g.Models(context.Background())) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerIsStreamedAndBooked(t *testing.T) {
	g, b := setup(t, nil, says(true, "one two three"))
	req := ask()
	var pieces []string
	req.Stream = func(p llm.Piece) { pieces = append(pieces, p.Text) }
	got, err := g.Generate(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != "one two three" || len(pieces) != 3 || got.Finish != llm.Stopped || got.Provider != "llm-a" || !got.Remote {
		t.Errorf("got %+v, pieces %q", got, pieces)
	}
	row := b.rows[got.Usage.LedgerIDs[0]]
	if row.UserID != "u1" || row.RunID != "r1" || row.InputTokens != 100 || row.CostMicros != got.Usage.CostMicros || got.Usage.CostMicros == 0 || len(b.open) > 0 {
		t.Errorf("booked %+v, open %d, usage %+v", row, len(b.open), got.Usage)
	}
}

func TestTheNextRouteAnswersWhenOneCannot(t *testing.T) {
	g, b := setup(t, nil, fails(sdk.Errorf(sdk.CodeUnavailable, "down")), says(false, "local"))
	got, err := g.Generate(context.Background(), ask())
	if err != nil || got.Provider != "llm-b" || got.Usage.CostMicros != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if len(b.rows) != 1 || len(b.open) != 0 {
		t.Errorf("%d rows, %d open: a call that took nothing must be released", len(b.rows), len(b.open))
	}
}

func TestRoutesAreAskedAsConfigured(t *testing.T) {
	a, c := says(true, "a"), says(true, "c")
	c.desc.Models = append(c.desc.Models, sdk.Model{ID: "big", Capabilities: sdk.Capabilities{Generate: true}})
	g, _ := setup(t, func(cfg *llm.Config) {
		cfg.Routes = map[string][]string{"plan": {"llm-gone/x", "llm-b/unknown", "llm-b/embed", "llm-b/big", "llm-a/chat"}, "hint": {"llm-gone/x"}}
	}, a, c)
	got, err := g.Generate(context.Background(), ask())
	if err != nil || got.Provider != "llm-b" || got.Model != "big" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if g.Available(llm.Hint) || !g.Available(llm.Review) {
		t.Error("a purpose with routes that lead nowhere must not be available; one without routes takes what there is")
	}
}

func TestLocalOnlyKeepsTextsHere(t *testing.T) {
	far, near := says(true, "far"), says(false, "near")
	g, _ := setup(t, nil, far, near)
	req := ask()
	req.LocalOnly = true
	if got, err := g.Generate(context.Background(), req); err != nil || got.Text != "near" || len(far.asked) != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestAnAnswerThatMissesTheSchemaIsRepairedOnce(t *testing.T) {
	p := says(true, `{"ok":"yes"}`, "```json\n{\"ok\": true}\n```")
	g, b := setup(t, nil, p)
	req := ask()
	req.Schema = boolSchema
	restarts := 0
	req.Stream = func(p llm.Piece) {
		if p.Restart {
			restarts++
		}
	}
	got, err := g.Generate(context.Background(), req)
	if err != nil || string(got.JSON) != `{"ok":true}` || !got.Repaired || restarts != 1 {
		t.Fatalf("got %+v, %v, %d restarts", got, err, restarts)
	}
	if len(b.rows) != 2 || got.Usage.InputTokens != 200 || len(got.Usage.LedgerIDs) != 2 {
		t.Errorf("both calls must be booked: %d rows, %+v", len(b.rows), got.Usage)
	}
	last := p.asked[1].Messages
	if len(last) != 3 || !strings.Contains(last[2].Text, "/ok") {
		t.Errorf("the repair must say what is wrong: %q", last[len(last)-1].Text)
	}
	g, _ = setup(t, nil, says(true, "no", "still no"))
	if _, err = g.Generate(context.Background(), req); !llm.ErrBadAnswer.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestSchemasReadNothingFromOutside(t *testing.T) {
	g, _ := setup(t, nil, says(true, "{}"))
	for _, s := range []string{`{"$ref":"file:///etc/passwd"}`, `{"$ref":"http://127.0.0.1/x"}`, `{"type":5}`, `nonsense`} {
		req := ask()
		req.Schema = s
		if _, err := g.Generate(context.Background(), req); !llm.ErrBadRequest.Is(err) {
			t.Errorf("%s: got %v", s, err)
		}
	}
}

func TestASpentBudgetSendsNothing(t *testing.T) {
	p := says(true, "x")
	g, b := setup(t, nil, p, says(true, "y"))
	b.full = true
	for range 10 {
		if _, err := g.Generate(context.Background(), ask()); !llm.ErrOverBudget.Is(err) {
			t.Fatalf("got %v", err)
		}
	}
	if len(p.asked) != 0 || !g.Available(llm.Plan) {
		t.Error("something was sent, or the breaker blamed the provider")
	}
}

func TestAProviderThatFailsIsLeftAlone(t *testing.T) {
	p := fails(&sdk.Error{Code: sdk.CodeRateLimited, Message: "slow down", RetryAfter: 9 * time.Second})
	g, _ := setup(t, func(c *llm.Config) { c.BreakerFailures, c.BreakerPause = 3, 200*time.Millisecond }, p)
	var err error
	for range 6 {
		_, err = g.Generate(context.Background(), ask())
	}
	if !llm.ErrUnavailable.Is(err) || len(p.asked) != 3 || g.Available(llm.Plan) {
		t.Fatalf("got %v after %d calls", err, len(p.asked))
	}
	time.Sleep(250 * time.Millisecond)
	_, err = g.Generate(context.Background(), ask())
	var e *errs.Error
	if !errors.As(err, &e) || e.RetryAfter != 9*time.Second || len(p.asked) != 4 {
		t.Errorf("got %v after %d calls", err, len(p.asked))
	}
}

func TestRequestsThatCannotWorkDoNotBlameTheProvider(t *testing.T) {
	g, _ := setup(t, func(c *llm.Config) { c.BreakerFailures = 2 }, fails(sdk.Errorf(sdk.CodeInvalidRequest, "too long")))
	for range 5 {
		if _, err := g.Generate(context.Background(), ask()); !llm.ErrBadRequest.Is(err) {
			t.Fatalf("got %v", err)
		}
	}
	if !g.Available(llm.Plan) {
		t.Error("the breaker opened")
	}
}

func TestACallHasADeadlineAndACallerMayLeave(t *testing.T) {
	p := says(true, "")
	p.generate = func(ctx context.Context, _ *sdk.GenerateRequest, emit func(sdk.Chunk) error) (*sdk.Ending, error) {
		_ = emit(sdk.Chunk{Text: "half "})
		<-ctx.Done()
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, sdk.Errorf(sdk.CodeCanceled, "gone")
		}
		return nil, sdk.Errorf(sdk.CodeDeadline, "late")
	}
	g, b := setup(t, func(c *llm.Config) { c.Timeout, c.BreakerFailures = 100*time.Millisecond, 2 }, p)
	if _, err := g.Generate(context.Background(), ask()); !llm.ErrUnavailable.Is(err) {
		t.Fatalf("got %v", err)
	}
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		if _, err := g.Generate(ctx, ask()); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		cancel()
	}
	if !g.Available(llm.Plan) {
		t.Error("callers that left opened the breaker")
	}
	if len(b.rows) != 4 || len(b.open) != 0 {
		t.Errorf("%d rows, %d open: what was cut midway is billed", len(b.rows), len(b.open))
	}
}

func TestWhoLeavesBeforeTheFirstWordStillPaysForWhatTheProviderRead(t *testing.T) {
	p := says(true, "")
	p.generate = func(ctx context.Context, _ *sdk.GenerateRequest, _ func(sdk.Chunk) error) (*sdk.Ending, error) {
		<-ctx.Done()
		return nil, sdk.Errorf(sdk.CodeCanceled, "the caller gave up")
	}
	g, b := setup(t, nil, p)
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(10*time.Millisecond, cancel)
		if _, err := g.Generate(ctx, ask()); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	p.generate = func(_ context.Context, _ *sdk.GenerateRequest, emit func(sdk.Chunk) error) (*sdk.Ending, error) {
		_ = emit(sdk.Chunk{ToolCalls: []sdk.ToolCall{{ID: "1", Name: "look", Arguments: strings.Repeat("x", 1000)}}})
		return nil, sdk.Errorf(sdk.CodeUnavailable, "the answer was cut off")
	}
	if _, err := g.Generate(context.Background(), ask()); !llm.ErrUnavailable.Is(err) {
		t.Fatalf("got %v", err)
	}
	p.generate = func(context.Context, *sdk.GenerateRequest, func(sdk.Chunk) error) (*sdk.Ending, error) {
		return nil, sdk.Errorf(sdk.CodeInterrupted, "the answer was cut off before its first word")
	}
	if _, err := g.Generate(context.Background(), ask()); !llm.ErrUnavailable.Is(err) {
		t.Fatalf("got %v", err)
	}
	if len(b.rows) != 5 || len(b.open) != 0 {
		t.Fatalf("%d rows, %d open", len(b.rows), len(b.open))
	}
	cut := 0
	for _, row := range b.rows {
		if row.InputTokens == 0 || row.CostMicros == 0 {
			t.Errorf("it is free: %+v", row)
		}
		if row.OutputTokens >= 500 {
			cut++
		}
	}
	if cut != 1 {
		t.Errorf("%d calls are billed for what was made", cut)
	}
	// What the provider refused at once costs nothing.
	refuses, books := setup(t, nil, fails(sdk.Errorf(sdk.CodeUnavailable, "HTTP 503")))
	if _, err := refuses.Generate(context.Background(), ask()); !llm.ErrUnavailable.Is(err) || len(books.rows) != 0 {
		t.Errorf("got %v and %d rows", err, len(books.rows))
	}
}

func TestVectorsOfDifferentSpacesAreNeverMixed(t *testing.T) {
	a, c := says(true, ""), says(true, "")
	a.embed = func(*sdk.EmbedRequest) (*sdk.Embeddings, error) { return nil, sdk.Errorf(sdk.CodeUnavailable, "down") }
	c.embed = func(r *sdk.EmbedRequest) (*sdk.Embeddings, error) {
		return &sdk.Embeddings{Vectors: slices.Repeat([][]float32{{1, 2}}, len(r.Texts))}, nil
	}
	g, _ := setup(t, nil, a, c)
	if _, err := g.Embed(context.Background(), llm.EmbedRequest{Texts: []string{"x"}}); !llm.ErrUnavailable.Is(err) {
		t.Errorf("got %v", err)
	}
	space := llm.Space{Provider: "llm-b", Model: "embed", Dimensions: 2, Version: "1"}
	got, err := g.Embed(context.Background(), llm.EmbedRequest{Texts: slices.Repeat([]string{"x"}, 600), Space: &space})
	if err != nil || len(got.Vectors) != 600 || got.Space != space || len(got.Usage.LedgerIDs) != 3 {
		t.Fatalf("got %d vectors, %v", len(got.Vectors), err)
	}
	space.Version = "2"
	if _, err = g.Embed(context.Background(), llm.EmbedRequest{Texts: []string{"x"}, Space: &space}); !llm.ErrNoModel.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestConfigurationErrorsNameTheKey(t *testing.T) {
	cfg := llm.DefaultConfig()
	cfg.Routes = map[string][]string{"plna": {"a/b"}, "plan": {"justname"}}
	cfg.Timeout = 0
	err := cfg.Validate()
	for _, want := range []string{"llm.routes.plna", "justname", "timeout"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if dear := cfg.Price("llm-openai", "brand-new"); dear.Output < cfg.Price("llm-openai", "gpt-4o").Output {
		t.Error("a model without a price must cost what the dearest does")
	}
}
