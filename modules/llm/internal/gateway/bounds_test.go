package gateway_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/internal/gateway"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
)

// desk is terms and answers in memory.
type desk struct {
	books
	terms   llm.Terms
	err     error
	caps    []llm.Caps
	answers map[string]llm.Answer
}

func (d *desk) Terms(context.Context, llm.Caller) (llm.Terms, error) { return d.terms, d.err }

func (d *desk) Reserve(ctx context.Context, e llm.Entry, caps llm.Caps) (uuid.UUID, error) {
	d.caps = append(d.caps, caps)
	if caps.Learner == 0 && e.CostMicros > 0 {
		return uuid.Nil, llm.ErrOverBudget.New("learner")
	}
	return d.books.Reserve(ctx, e, caps)
}

func (d *desk) Recall(_ context.Context, key []byte) (*llm.Answer, error) {
	a, ok := d.answers[string(key)]
	if !ok {
		return nil, d.err
	}
	return &a, d.err
}

func (d *desk) Remember(_ context.Context, _ string, key []byte, a *llm.Answer, _ time.Duration) error {
	if d.answers == nil {
		d.answers = map[string]llm.Answer{}
	}
	d.answers[string(key)] = *a
	return d.err
}

func open(t *testing.T, d *desk, edit func(*llm.Config), plugins ...*plugin) *gateway.Gateway {
	t.Helper()
	cfg := llm.DefaultConfig()
	if edit != nil {
		edit(&cfg)
	}
	var named []gateway.Named
	for i, p := range plugins {
		named = append(named, gateway.Named{Name: "llm-" + string(rune('a'+i)), Plugin: p})
	}
	g, err := gateway.New(cfg, gateway.Stores{Ledger: d, Terms: d, Memory: d}, slog.New(slog.DiscardHandler), named...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestWhenTheBudgetIsSpentAModelOnThisMachineAnswers(t *testing.T) {
	none := int64(0)
	far, farther, near := says(true, "far"), says(true, "farther"), says(false, "near")
	d := &desk{terms: llm.Terms{Learner: &none}}
	got, err := open(t, d, nil, far, farther, near).Generate(context.Background(), ask())
	if err != nil || got.Text != "near" || len(far.asked)+len(farther.asked) != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if len(d.caps) != 2 {
		t.Errorf("%d reservations: a second paid model is not worth a try", len(d.caps))
	}
}

func TestAPersonsOwnCapAndACoursesComeBeforeTheConfigured(t *testing.T) {
	seven, nine := int64(7_000_000), int64(9_000_000)
	d := &desk{terms: llm.Terms{Learner: &seven, Course: &nine}}
	if _, err := open(t, d, nil, says(true, "x")).Generate(context.Background(), ask()); err != nil {
		t.Fatal(err)
	}
	want := llm.Caps{Learner: seven, Course: nine, Team: llm.DefaultConfig().TeamDaily}
	if len(d.caps) != 1 || d.caps[0] != want {
		t.Errorf("reserved under %+v, want %+v", d.caps, want)
	}
}

func TestWhoChoseLocalOnlyReachesNoRemoteModel(t *testing.T) {
	for name, d := range map[string]*desk{
		"chosen":                        {terms: llm.Terms{LocalOnly: true}},
		"the choice can't be found out": {err: errors.New("the database is away")},
	} {
		far, near := says(true, "far"), says(false, "near")
		far.embed = func(*sdk.EmbedRequest) (*sdk.Embeddings, error) {
			return nil, errors.New("a text left this machine")
		}
		far.rerank = func(*sdk.RerankRequest) (*sdk.Ranking, error) { return nil, errors.New("a text left this machine") }
		far.desc.Models[1].Capabilities.Rerank = true
		g := open(t, d, nil, far, near)
		if got, err := g.Generate(context.Background(), ask()); err != nil || got.Text != "near" || len(far.asked) != 0 {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		near.desc.Models = near.desc.Models[:1]
		g = open(t, d, nil, far, near)
		if _, err := g.Embed(context.Background(), llm.EmbedRequest{Texts: []string{"x"}}); !llm.ErrNoModel.Is(err) {
			t.Errorf("%s: embedding got %v", name, err)
		}
		space := llm.Space{Provider: "llm-a", Model: "embed", Dimensions: 2, Version: "1"}
		if _, err := g.Embed(context.Background(), llm.EmbedRequest{Texts: []string{"x"}, Space: &space}); !llm.ErrNoModel.Is(err) {
			t.Errorf("%s: embedding in a space got %v", name, err)
		}
		if _, err := g.Rerank(context.Background(), llm.RerankRequest{Query: "q", Passages: []string{"x"}}); !llm.ErrNoModel.Is(err) {
			t.Errorf("%s: ranking got %v", name, err)
		}
	}
}

func TestACourseMayHaveRoutesOfItsOwn(t *testing.T) {
	g := open(t, &desk{}, func(cfg *llm.Config) {
		cfg.Routes = map[string][]string{"plan": {"llm-a/chat"}}
		cfg.Courses = map[string]llm.CourseConfig{"go-1": {Routes: map[string][]string{"plan": {"llm-b/chat"}}}}
	}, says(true, "a"), says(true, "b"))
	for course, want := range map[string]string{"go-1": "b", "py-1": "a", "": "a"} {
		req := ask()
		req.CourseID = course
		if got, err := g.Generate(context.Background(), req); err != nil || got.Text != want {
			t.Errorf("course %q: got %+v, %v", course, got, err)
		}
	}
}

func TestTheSameRequestOfTheSamePersonIsPaidOnce(t *testing.T) {
	p := says(true, "first", "second", "third", "fourth")
	d := &desk{}
	g := open(t, d, nil, p)
	text := func(edit func(*llm.Request)) string {
		t.Helper()
		req, streamed := ask(), ""
		req.Stream = func(p llm.Piece) { streamed += p.Text }
		edit(&req)
		got, err := g.Generate(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		if streamed != got.Text || got.Remembered != (got.Usage.CostMicros == 0) {
			t.Errorf("streamed %q of %+v", streamed, got)
		}
		return got.Text
	}
	same := func(*llm.Request) {}
	for _, c := range []struct {
		what, want string
		edit       func(*llm.Request)
	}{
		{"the first", "first", same},
		{"the same again", "first", func(r *llm.Request) { r.RunID = "another run" }},
		{"another person's", "second", func(r *llm.Request) { r.UserID = "u2" }},
		{"one that wants a new answer", "third", func(r *llm.Request) { r.Fresh = true }},
		{"the same once more", "third", same},
		{"another text", "fourth", func(r *llm.Request) { r.Messages[0].Text = "plan that" }},
	} {
		if got := text(c.edit); got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

func TestAnswersThatAreNotWholeAreNotKept(t *testing.T) {
	p := says(true, "never mind")
	p.generate = func(context.Context, *sdk.GenerateRequest, func(sdk.Chunk) error) (*sdk.Ending, error) {
		return &sdk.Ending{Reason: sdk.FinishRefusal, Refusal: "no"}, nil
	}
	d := &desk{}
	g := open(t, d, nil, p)
	for range 2 {
		if _, err := g.Generate(context.Background(), ask()); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.asked) != 2 || len(d.answers) != 0 {
		t.Errorf("asked %d times, kept %d", len(p.asked), len(d.answers))
	}
}

func TestPassagesAreScoredInTheirOrder(t *testing.T) {
	bad, good := says(false, ""), says(false, "")
	for _, p := range []*plugin{bad, good} {
		p.desc.Models = []sdk.Model{{ID: "cross", Capabilities: sdk.Capabilities{Rerank: true}}}
	}
	bad.rerank = func(*sdk.RerankRequest) (*sdk.Ranking, error) { return &sdk.Ranking{Scores: []float64{1}}, nil }
	good.rerank = func(r *sdk.RerankRequest) (*sdk.Ranking, error) {
		out := &sdk.Ranking{}
		for _, p := range r.Passages {
			out.Scores = append(out.Scores, float64(strings.Count(p, r.Query)))
		}
		return out, nil
	}
	g := open(t, &desk{}, nil, bad, good)
	got, err := g.Rerank(context.Background(), llm.RerankRequest{Query: "for", Passages: []string{"while", "for and for", "for"}})
	if err != nil || len(got.Scores) != 3 || got.Scores[1] != 2 || got.Provider != "llm-b" {
		t.Fatalf("got %+v, %v: too few scores must let the next model try", got, err)
	}
	for _, req := range []llm.RerankRequest{{Query: " ", Passages: []string{"x"}}, {Query: "x"}, {Query: "x", Passages: make([]string, llm.MaxReranked+1)}} {
		if _, err := g.Rerank(context.Background(), req); !llm.ErrBadRequest.Is(err) {
			t.Errorf("%d passages: got %v", len(req.Passages), err)
		}
	}
}
