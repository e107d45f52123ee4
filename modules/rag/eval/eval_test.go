package eval_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmtest"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/eval"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
)

type noAcademy struct{}

func (noAcademy) Courses(context.Context, string) ([]academy.Membership, error) {
	return nil, academy.ErrNotConfigured.New()
}

func set(corpus, queries, qrels string) fstest.MapFS {
	return fstest.MapFS{"corpus.jsonl": {Data: []byte(corpus)}, "queries.jsonl": {Data: []byte(queries)}, "qrels.tsv": {Data: []byte(qrels)}}
}

const (
	corpus = `{"_id": "a/1", "title": "Lists", "text": "A list keeps many values in order."}
{"_id": "b", "title": "", "text": "def sort_list(values):\n    return sorted(values)"}
{"_id": "c", "title": "Loops", "text": "A loop repeats. Loops go over a list."}
`
	queries = `{"_id": "q1", "text": "lists"}
{"_id": "q2", "text": "what repeats?"}
{"_id": "q3", "text": "aardvark"}
{"_id": "q4", "text": "has no label"}
`
)

func TestTheFiguresAreThoseOfTheDefinitions(t *testing.T) {
	loaded, err := eval.Load(set(corpus, queries, "query-id\tcorpus-id\tscore\nq1\tc\t1\nq1\tb\t0\nq2\tc\t2\nq2\tb\t1\nq3\ta/1\t1\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := eval.Run(t.Context(), service.New(postgrestest.DB(t), noAcademy{}, rag.DefaultConfig(), time.Now), "eval-test", loaded, nil)
	if err != nil {
		t.Fatal(err)
	}
	// q1: "Lists" in a heading comes first, the labelled one is among the others.
	// q2: the better one of two comes first and alone. q3: nothing is found.
	if got.Queries != 3 || got.Documents != 3 || got.Method != "bm25" || got.P50 <= 0 || got.P95 < got.P50 {
		t.Errorf("got %+v", got)
	}
	q2 := 2 / (2 + 1/math.Log2(3))
	if math.Abs(got.PerQuery["q2"]-q2) > 1e-9 || got.PerQuery["q3"] != 0 || got.PerQuery["q1"] <= 0 || got.PerQuery["q1"] >= 1 {
		t.Errorf("got %v, want q2 %f", got.PerQuery, q2)
	}
	if want := (got.PerQuery["q1"] + q2) / 3; math.Abs(got.NDCG-want) > 1e-9 {
		t.Errorf("the mean is %f, want %f", got.NDCG, want)
	}
	if want := (1 + 0.5) / 3; math.Abs(got.Recall-want) > 1e-9 {
		t.Errorf("recall is %f, want %f", got.Recall, want)
	}
}

func TestASetThatIsBrokenSaysWhere(t *testing.T) {
	for want, fsys := range map[string]fstest.MapFS{
		"corpus.jsonl line 2": set(corpus[:strings.Index(corpus, "\n")+1]+"{", queries, ""),
		"qrels line 1":        set(corpus, queries, "q1 c 1\n"),
		"qrels line 2":        set(corpus, queries, "query\tdocument\tscore\nq1\tc\tmany\n"),
		"no documents":        set("", queries, "q1\tc\t1\n"),
		"file does not exist": {},
	} {
		if _, err := eval.Load(fsys); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestLabelsOfWhatIsntThereAreReportedAndStillCount(t *testing.T) {
	loaded, err := eval.Load(set(corpus, queries, "q2\t0\tc\t1\r\nq2\t0\tgone\t1\r\n\nq9\t0\tc\t1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Unknown) != 2 || loaded.Unlabelled != 3 || len(loaded.Queries) != 1 || len(loaded.Relevant["q2"]) != 2 {
		t.Errorf("got %+v", loaded)
	}
	for name, bad := range map[string]fstest.MapFS{
		"two documents": set(corpus+corpus, queries, "q1\tc\t1\n"),
		"two queries":   set(corpus, queries+queries, "q1\tc\t1\n"),
		"line 1":        set(`{"_id": [1], "text": "x"}`, queries, "q1\tc\t1\n"),
	} {
		if _, err := eval.Load(bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if numbers, err := eval.Load(set(`{"_id": 7, "text": "x"}`, `{"_id": 1, "text": "x"}`, "1\t7\t1\n")); err != nil || len(numbers.Unknown) != 0 {
		t.Errorf("ids that are numbers: got %+v, %v", numbers, err)
	}
}

func TestTheBootstrapTellsChanceFromGain(t *testing.T) {
	result := func(score func(i int) float64) eval.Result {
		r := eval.Result{PerQuery: map[string]float64{}}
		for i := range 200 {
			r.PerQuery[fmt.Sprint(i)] = score(i)
		}
		return r
	}
	base := result(func(i int) float64 { return float64(i%5) / 10 })
	for name, c := range map[string]struct {
		run         eval.Result
		from, to, d float64
	}{
		"the same":       {base, 0.9, 1, 0},
		"surely better":  {result(func(i int) float64 { return float64(i%5)/10 + 0.1 }), 0, 0.001, 0.1},
		"surely worse":   {result(func(i int) float64 { return float64(i%5)/10 - 0.1 }), 0.999, 1, -0.1},
		"up and down":    {result(func(i int) float64 { return float64(i%5)/10 + []float64{0.1, -0.1}[i%2] }), 0.3, 0.7, 0},
		"better by luck": {result(func(i int) float64 { return float64(i%5)/10 + map[bool]float64{true: 0.4}[i == 3] }), 0.2, 0.5, 0.002},
	} {
		got := eval.Compare(c.run, base)
		if got.P < c.from || got.P > c.to || math.Abs(got.Delta-c.d) > 1e-9 || got.Better+got.Worse+got.Equal != 200 || got.Resamples < 10_000 {
			t.Errorf("%s: got %+v", name, got)
		}
		if math.Abs(got.Relative-got.Delta/0.2) > 1e-9 || got.Low > got.Delta+1e-9 || got.High < got.Delta-1e-9 {
			t.Errorf("%s: got %+v", name, got)
		}
		if again := eval.Compare(c.run, base); again != got {
			t.Errorf("%s: another time it is %+v", name, again)
		}
	}
}

func TestVectorsAreMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	counted := &counting{Fake: llmtest.Fake{Dimensions: 8}}
	ask := func(texts ...string) [][]float32 {
		t.Helper()
		r := eval.Remember(counted, dir)
		probe, err := r.Embed(t.Context(), llm.EmbedRequest{Texts: []string{"probe"}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Embed(t.Context(), llm.EmbedRequest{Texts: texts, Space: &probe.Space})
		if err != nil || got.Space != probe.Space {
			t.Fatalf("got %+v, %v", got, err)
		}
		return got.Vectors
	}
	first := ask("one", "two")
	if counted.texts != 3 {
		t.Errorf("the model saw %d texts", counted.texts)
	}
	// A file whose last record was cut off goes on at the last whole one.
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[0], 2*(32+8*4)-5); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := ask("three", "two", "one"); !reflect.DeepEqual(got[1], first[1]) || !reflect.DeepEqual(got[2], first[0]) {
			t.Errorf("got %v, want %v", got, first)
		}
	}
	if counted.texts != 3+2+2+0 { // each time a probe; then "three" and "two"
		t.Errorf("the model saw %d texts", counted.texts)
	}
}

type counting struct {
	llmtest.Fake
	texts int
}

func (c *counting) Embed(ctx context.Context, req llm.EmbedRequest) (*llm.Embeddings, error) {
	c.texts += len(req.Texts)
	return c.Fake.Embed(ctx, req)
}
