package eval_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
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
