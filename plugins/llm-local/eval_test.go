//go:build cgo

package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// TestEvalEncodersByPlainCosine prints what each model is worth by itself: no
// words, no fusion, no reranking. TRACKER_EVAL_SETS names folders of sets in the
// BEIR layout, TRACKER_EVAL_MODELS other models than the default.
func TestEvalEncodersByPlainCosine(t *testing.T) {
	if os.Getenv("TRACKER_EVAL") == "" {
		t.Skip("an evaluation: scripts/eval runs it")
	}
	names := strings.Fields(cmp.Or(os.Getenv("TRACKER_EVAL_MODELS"), preferred[0]))
	e := newEngine(needs(t, names...))
	folders := filepath.SplitList(cmp.Or(os.Getenv("TRACKER_EVAL_SETS"), "../../../shared/eval:../../modules/rag/eval/testdata"))
	fmt.Printf("%-14s %-24s %8s %10s %12s %10s\n", "set", "model", "nDCG@10", "recall@10", "docs/s/core", "query p50")
	ran := 0
	for _, folder := range folders {
		sets, _ := filepath.Glob(filepath.Join(folder, "*", "corpus.jsonl"))
		for _, set := range sets {
			dir := filepath.Dir(set)
			for _, model := range names {
				f := measure(t, e, model, dir)
				fmt.Printf("%-14s %-24s %8.4f %10.4f %12.1f %10s\n", filepath.Base(dir), model, f.ndcg, f.recall, f.speed, f.latency.Round(100*time.Microsecond))
				ran++
				if f.ndcg < 0.15 {
					t.Errorf("%s on %s: nDCG@10 is %.4f: the model is fed wrongly", model, dir, f.ndcg)
				}
			}
		}
	}
	if ran == 0 {
		t.Fatalf("no sets are in %q", folders)
	}
}

type figures struct {
	ndcg, recall, speed float64
	latency             time.Duration
}

type line struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

func measure(t *testing.T, e *engine, model, dir string) (f figures) {
	t.Helper()
	corpus, queries, labels := readLines(t, dir, "corpus.jsonl"), readLines(t, dir, "queries.jsonl"), readLabels(t, dir)
	texts := make([]string, len(corpus))
	for i, d := range corpus {
		texts[i] = strings.TrimSpace(d.Title + "\n" + d.Text)
	}
	embed := func(kind llm.EmbedKind, texts ...string) [][]float32 {
		got, err := e.Embed(t.Context(), &llm.EmbedRequest{Model: model, Kind: kind, Texts: texts})
		if err != nil {
			t.Fatal(err)
		}
		return got.Vectors
	}
	embed(llm.EmbedQuery, "it is loaded now")
	before := cpu()
	passages := embed(llm.EmbedPassage, texts...)
	f.speed = float64(len(texts)) / (cpu() - before).Seconds()
	var times []time.Duration
	asked := 0.0
	for _, q := range queries {
		relevant := labels[q.ID]
		if len(relevant) == 0 {
			continue
		}
		start := time.Now()
		v := embed(llm.EmbedQuery, q.Text)[0]
		times = append(times, time.Since(start))
		type hit struct {
			id    string
			score float32
		}
		hits := make([]hit, len(passages))
		for i, p := range passages {
			hits[i].id = corpus[i].ID
			for j := range v {
				hits[i].score += v[j] * p[j]
			}
		}
		slices.SortFunc(hits, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
		var gain, ideal, found float64
		grades := make([]float64, 0, len(relevant))
		for _, g := range relevant {
			grades = append(grades, g)
		}
		slices.SortFunc(grades, func(a, b float64) int { return cmp.Compare(b, a) })
		for i := range min(10, len(hits)) {
			if g := relevant[hits[i].id]; g > 0 {
				gain += g / math.Log2(float64(i)+2)
				found++
			}
			if i < len(grades) {
				ideal += grades[i] / math.Log2(float64(i)+2)
			}
		}
		f.ndcg += gain / ideal
		f.recall += found / float64(len(relevant))
		asked++
	}
	slices.Sort(times)
	f.ndcg, f.recall, f.latency = f.ndcg/asked, f.recall/asked, times[len(times)/2]
	return f
}

// cpu is the processor time of this process: other programs don't count.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func readLines(t *testing.T, dir, name string) (out []line) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(raw)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func readLabels(t *testing.T, dir string) map[string]map[string]float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "qrels.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	out := map[string]map[string]float64{}
	for s := bufio.NewScanner(f); s.Scan(); {
		var query, document string
		var score float64
		if n, _ := fmt.Sscan(s.Text(), &query, &document, &score); n != 3 || score <= 0 {
			continue
		}
		if out[query] == nil {
			out[query] = map[string]float64{}
		}
		out[query][document] = score
	}
	return out
}
