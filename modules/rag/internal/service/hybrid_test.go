package service_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/embed"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
)

// senses is a model that knows what words mean: those of one line mean the
// same. Its vectors have a dimension a line, and one for all else.
var senses = []string{
	"vehicle car automobile truck",
	"feline cat kitten penguinless",
	"list array sequence",
}

type model struct {
	mu sync.Mutex
	// space names the model that is configured; "" for none.
	version string
	// slow makes questions take too long; broken makes them fail.
	slow, broken bool
	asked        int
	// poison is a word that the model can't take.
	poison string
	// scores, if set, ranks passages.
	scores func(passage string) float64
}

func (m *model) set(change func(*model)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

func (m *model) space() llm.Space {
	return llm.Space{Provider: "fake", Model: "senses", Dimensions: len(senses) + 1, Version: m.version}
}

func (m *model) Embed(ctx context.Context, req llm.EmbedRequest) (*llm.Embeddings, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.version == "" || req.Space != nil && *req.Space != m.space() {
		return nil, llm.ErrNoModel.New(string(llm.Embed))
	}
	if req.Query && m.slow {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if m.broken {
		return nil, llm.ErrUnavailable.New()
	}
	out := &llm.Embeddings{Space: m.space()}
	for _, text := range req.Texts {
		if m.poison != "" && strings.Contains(text, m.poison) {
			return nil, llm.ErrBadRequest.New("it is poison")
		}
		v := make([]float32, len(senses)+1)
		v[len(senses)] = 0.1
		for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 'a' || r > 'z' }) {
			for i, line := range senses {
				for _, known := range strings.Fields(line) {
					if word == known {
						v[i]++
					}
				}
			}
		}
		out.Vectors = append(out.Vectors, v)
	}
	return out, nil
}

func (m *model) Rerank(_ context.Context, req llm.RerankRequest) (*llm.Ranking, error) {
	out := &llm.Ranking{}
	for _, p := range req.Passages {
		out.Scores = append(out.Scores, m.scores(p))
	}
	return out, nil
}

func (m *model) Available(purpose llm.Purpose) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if purpose == llm.Rerank {
		return m.scores != nil
	}
	return m.version != ""
}

func (m *model) Models(context.Context) []llm.Model {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []llm.Model{{Source: llm.Source{Provider: "fake", Model: "senses" + m.version}, Embeds: true}}
}

type hybrid struct {
	*bundle
	model  *model
	filler *embed.Filler
	clock  time.Time
}

func setupHybrid(t *testing.T) *hybrid {
	t.Helper()
	db := postgrestest.DB(t)
	m := &model{version: "1"}
	cfg := rag.DefaultConfig()
	cfg.EmbedDeadline = 5 * time.Second // a busy machine changes no ranking
	h := &hybrid{model: m, clock: time.Now()}
	h.bundle = &bundle{service.New(db, nil, cfg, time.Now).WithModels(m), t, db}
	h.filler = embed.New(db, m, cfg, slog.New(slog.DiscardHandler), func() time.Time { return h.clock })
	return h
}

func (h *hybrid) fill() {
	h.t.Helper()
	if err := h.filler.Work(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// ask searches as a replica that just started: it remembers nothing.
func (h *hybrid) ask(who auth.Actor, q rag.Query) rag.Result {
	h.t.Helper()
	cfg := rag.DefaultConfig()
	cfg.EmbedDeadline = 5 * time.Second
	if h.model.slow {
		cfg.EmbedDeadline = time.Millisecond
	}
	found, err := service.New(h.db, nil, cfg, time.Now).WithModels(h.model).Search(h.t.Context(), who, q)
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

func (h *hybrid) material() {
	h.t.Helper()
	h.ingest(tess, "c1", false,
		"cars.md", "# Driving\n\nAn automobile needs fuel.\n",
		"cats.md", "# Pets\n\nA kitten sleeps long.\n",
		"words.md", "# Words\n\nA vehicle, as the dictionary has it, carries people.\n")
	h.ingest(actor("tom", auth.Teacher, "c2"), "c2", false, "secret.md", "# Secret\n\nThe truck of another course.\n")
}

func first(found rag.Result) string {
	if len(found.Passages) == 0 {
		return ""
	}
	return found.Passages[0].Path
}

func TestAPassageIsFoundByItsMeaning(t *testing.T) {
	h := setupHybrid(t)
	h.material()
	if got := h.ask(ada, rag.Query{Text: "car", CourseID: "c1"}); len(got.Passages) != 0 || got.Method != "bm25" || got.Fallback != rag.Building {
		t.Errorf("before there are vectors: got %+v", got)
	}
	h.fill()
	for _, q := range []rag.Query{
		{Text: "car", CourseID: "c1"}, {Text: "car", Scope: rag.ScopeGlobal}, {Text: "car", CourseID: "c1", By: rag.ByMeaning},
	} {
		got := h.ask(ada, q)
		if first(got) != "cars.md" && first(got) != "words.md" || got.Fallback != "" || got.Method == "bm25" {
			t.Errorf("%+v: got %+v", q, got)
		}
		for _, p := range got.Passages {
			if p.CourseID != "c1" {
				t.Errorf("%+v: a learner of c1 is shown %s", q, p.Path)
			}
		}
	}
	// Where words and meaning agree, the passage comes first.
	if got := h.ask(ada, rag.Query{Text: "vehicle", CourseID: "c1"}); first(got) != "words.md" || got.Method != "hybrid" {
		t.Errorf("got %+v", got)
	}
	if got := h.ask(ada, rag.Query{Text: "car", CourseID: "c1", By: rag.ByWords}); len(got.Passages) != 0 || got.Method != "bm25" || got.Fallback != "" {
		t.Errorf("by words alone: got %+v", got)
	}
}

func TestASearchWithoutAVectorGoesByWordsAndSaysWhy(t *testing.T) {
	h := setupHybrid(t)
	h.material()
	h.fill()
	for why, change := range map[rag.Fallback]func(*model){
		rag.TooSlow:        func(m *model) { m.slow = true },
		rag.EmbedderFailed: func(m *model) { m.broken = true },
		rag.NoEmbedder:     func(m *model) { m.version = "" },
	} {
		h.model.set(func(m *model) { m.slow, m.broken, m.version = false, false, "1" })
		h.model.set(change)
		got := h.ask(ada, rag.Query{Text: "automobile", CourseID: "c1"})
		if got.Fallback != why || got.Method != "bm25" || first(got) != "cars.md" {
			t.Errorf("want %s, got %+v", why, got)
		}
	}
	alone := setup(t, nil)
	alone.ingest(tess, "c1", false, "a.md", "# A\n\nText.\n")
	if got, err := alone.Search(t.Context(), ada, rag.Query{Text: "text", CourseID: "c1"}); err != nil || got.Fallback != rag.NoEmbedder || len(got.Passages) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheSameQuestionIsEmbeddedOnce(t *testing.T) {
	h := setupHybrid(t)
	h.material()
	h.fill()
	before := h.model.asked
	for range 3 {
		if _, err := h.Search(t.Context(), ada, rag.Query{Text: "car", CourseID: "c1"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.model.asked - before; got != 1 {
		t.Errorf("three searches asked the model %d times", got)
	}
}

func TestAnotherModelsSpaceIsFilledBesideAndThenTakesOver(t *testing.T) {
	h := setupHybrid(t)
	h.material()
	h.fill()
	h.model.set(func(m *model) { m.version, m.broken = "2", true })
	if err := h.filler.Work(t.Context()); err == nil {
		t.Error("a model that fails is no error")
	}
	h.model.set(func(m *model) { m.broken = false })
	h.clock = h.clock.Add(time.Hour / 2)
	states := func() map[string]rag.SpaceState {
		index, err := h.Index(t.Context(), robot)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]rag.SpaceState{}
		for _, s := range index.Spaces {
			got[s.Version] = s.State
			if s.State == rag.SpaceActive && (s.Embedded != index.Passages || s.Missing != 0 || index.Passages != 4) {
				t.Errorf("a space is active that is not full: %+v of %d", s, index.Passages)
			}
		}
		return got
	}
	h.fill()
	if got := states(); got["1"] != rag.SpaceRetired || got["2"] != rag.SpaceActive {
		t.Errorf("got %v", got)
	}
	if got := h.ask(ada, rag.Query{Text: "car", CourseID: "c1"}); got.Method != "hybrid" {
		t.Errorf("got %+v", got)
	}
	h.clock = h.clock.Add(2 * time.Hour)
	h.fill()
	if got := states(); len(got) != 1 {
		t.Errorf("the old space is still there: %v", got)
	}
	// Back to the first model: its space is made anew.
	h.model.set(func(m *model) { m.version = "1" })
	h.clock = h.clock.Add(time.Hour / 2)
	h.fill()
	if got := states(); got["1"] != rag.SpaceActive || got["2"] != rag.SpaceRetired {
		t.Errorf("got %v", got)
	}
}

func TestOnlyWhatChangedIsEmbeddedAgain(t *testing.T) {
	h := setupHybrid(t)
	h.material()
	h.fill()
	before := h.model.asked
	h.fill()
	if h.model.asked != before {
		t.Error("passages that have their vectors are embedded again")
	}
	h.ingest(tess, "c1", false, "cats.md", "# Pets\n\nA truck is no pet.\n")
	h.fill()
	if got := h.ask(ada, rag.Query{Text: "truck", CourseID: "c1"}); first(got) != "cats.md" {
		t.Errorf("got %+v", got)
	}
	if got := h.ask(ada, rag.Query{Text: "cat", CourseID: "c1", By: rag.ByMeaning}); first(got) == "cats.md" && len(got.Passages) == 1 {
		t.Errorf("the old vector is still found: %+v", got)
	}
}

func TestAPassageThatTheModelCantTakeIsPassedOver(t *testing.T) {
	h := setupHybrid(t)
	h.model.poison = "kitten"
	h.material()
	h.fill()
	index, err := h.Index(t.Context(), root)
	if err != nil || len(index.Spaces) != 1 || index.Spaces[0].Refused != 1 || index.Spaces[0].Embedded != 3 || index.Spaces[0].State != rag.SpaceActive {
		t.Errorf("got %+v, %v", index, err)
	}
	if got := h.ask(ada, rag.Query{Text: "kitten", CourseID: "c1"}); first(got) != "cats.md" {
		t.Errorf("its words find it no more: %+v", got)
	}
	for _, who := range []auth.Actor{ada, tess} {
		if _, err := h.Index(t.Context(), who); !rag.ErrForAdmins.Is(err) {
			t.Errorf("%s reads the state of the index: %v", who.UserID, err)
		}
	}
}

func TestAWorkerThatDiedIsFollowedByAnother(t *testing.T) {
	h := setupHybrid(t)
	h.material()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.filler.Work(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	h.fill()
	h.ingest(tess, "c1", false, "new.md", "# New\n\nA car.\n")
	// Another replica holds the lease, and dies.
	if _, err := h.db.SystemPool().Exec(t.Context(), `UPDATE rag.spaces SET worker = gen_random_uuid(), leased_till = $1`, h.clock.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	missing := func() int64 {
		index, err := h.Index(t.Context(), robot)
		if err != nil {
			t.Fatal(err)
		}
		return index.Spaces[0].Missing
	}
	if h.fill(); missing() != 1 {
		t.Error("two replicas fill one space")
	}
	h.clock = h.clock.Add(2 * time.Minute)
	if h.fill(); missing() != 0 {
		t.Error("nobody took over")
	}
}

func TestAModelMayRankWhatWasFound(t *testing.T) {
	h := setupHybrid(t)
	h.material()
	h.fill()
	h.model.scores = func(p string) float64 { return float64(strings.Count(p, "fuel")) }
	got := h.ask(ada, rag.Query{Text: "vehicle", CourseID: "c1"})
	if first(got) != "cars.md" || !got.Reranked {
		t.Errorf("got %+v", got)
	}
	for i := 1; i < len(got.Passages); i++ {
		if got.Passages[i].Score > got.Passages[i-1].Score {
			t.Errorf("the scores don't fall: %v", got.Passages)
		}
	}
}

func TestWhatSaysTheSameMakesRoomAndTextIsBounded(t *testing.T) {
	b := setup(t, nil)
	b.ingest(tess, "c1", false,
		"a.txt", "Loops repeat steps until a condition fails, and a counter counts them.\n",
		"b.txt", "Loops repeat steps until a condition fails, and a counter counts each.\n",
		"c.txt", "Loops go over files.\n")
	paths := func(q rag.Query) string {
		q.CourseID = "c1"
		found, err := b.Search(t.Context(), ada, q)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, p := range found.Passages {
			all = append(all, p.Path)
		}
		return strings.Join(all, " ")
	}
	none, much := 0.0, 0.9
	const text = "loops repeat steps condition counter"
	if got := paths(rag.Query{Text: text, Diversity: &none}); got != "a.txt b.txt c.txt" {
		t.Errorf("without diversity: %s", got)
	}
	if got := paths(rag.Query{Text: text, Diversity: &much}); got != "a.txt c.txt b.txt" {
		t.Errorf("with diversity: %s", got)
	}
	if got := paths(rag.Query{Text: text, Diversity: &none, MaxTokens: 25}); got != "a.txt c.txt" {
		t.Errorf("within 25 tokens: %s", got)
	}
	for _, q := range []rag.Query{{Text: "x", By: "magic"}, {Text: "x", Diversity: new(float64(2))}, {Text: "x", MaxTokens: -1}} {
		if _, err := b.Search(t.Context(), ada, q); !rag.ErrBadQuery.Is(err) {
			t.Errorf("%+v: got %v", q, err)
		}
	}
}
