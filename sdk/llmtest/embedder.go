package llmtest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// Embedder is a plugin under test that computes vectors by itself: there is no
// server behind it to be scripted, as [Provider] wants one.
type Embedder struct {
	// Spec is Required.
	Spec *llm.Spec
	// Model is Required: one that embeds.
	Model string
	// Near and Far are Required: the first is closer in meaning to Query than the
	// second.
	Query, Near, Far string
}

// TestEmbedder holds a plugin to what the protocol says of embeddings.
func TestEmbedder(t *testing.T, e Embedder) {
	t.Helper()
	if err := llm.ValidateSpec(e.Spec); err != nil {
		t.Fatalf("the spec is not valid: %v", err)
	}
	c := Connect(t, e.Spec)
	for _, test := range []struct {
		name string
		run  func(*testing.T, Embedder, *Client)
	}{
		{"what the model says of itself holds for its vectors", describesItsVectors},
		{"meaning decides what is near", meaningDecides},
		{"a text has one vector, whatever it is sent along with", sameInCompany},
		{"many texts, empty and long ones come back in their order", manyTexts},
		{"another model is an invalid request", otherModel},
		{"a caller that stops listening stops the call", stops},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, e, c) })
	}
}

func (e Embedder) embed(t *testing.T, c *Client, kind llm.EmbedKind, texts ...string) [][]float32 {
	t.Helper()
	given := slices.Clone(texts)
	got, err := c.Embed(within(t, time.Minute), &llm.EmbedRequest{Model: e.Model, Texts: texts, Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Vectors) != len(texts) || got.Usage.InputTokens == 0 || got.Model == "" || !slices.Equal(given, texts) {
		t.Fatalf("%d vectors for %d texts, usage %+v, model %q", len(got.Vectors), len(texts), got.Usage, got.Model)
	}
	return got.Vectors
}

func describesItsVectors(t *testing.T, e Embedder, c *Client) {
	t.Helper()
	d, err := c.Describe(within(t, 10*time.Second), "test")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(d.Models, func(m llm.Model) bool { return m.ID == e.Model })
	if i < 0 || !d.Models[i].Capabilities.Embed || d.Models[i].EmbeddingVersion == "" {
		t.Fatalf("the plugin describes %+v", d.Models)
	}
	for _, v := range e.embed(t, c, llm.EmbedPassage, e.Near, e.Far) {
		if len(v) != d.Models[i].Dimensions {
			t.Errorf("a vector has %d dimensions, the model says %d", len(v), d.Models[i].Dimensions)
		}
		for _, x := range v {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				t.Fatalf("a vector holds %v", x)
			}
		}
	}
}

// likeness is the cosine of two vectors.
func likeness(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab, aa, bb = ab+float64(a[i])*float64(b[i]), aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

func meaningDecides(t *testing.T, e Embedder, c *Client) {
	t.Helper()
	query := e.embed(t, c, llm.EmbedQuery, e.Query)[0]
	passages := e.embed(t, c, llm.EmbedPassage, e.Near, e.Far)
	if near, far := likeness(query, passages[0]), likeness(query, passages[1]); near <= far {
		t.Errorf("%q is as near to %q (%.3f) as to %q (%.3f)", e.Query, e.Far, far, e.Near, near)
	}
}

func sameInCompany(t *testing.T, e Embedder, c *Client) {
	t.Helper()
	alone := e.embed(t, c, llm.EmbedPassage, e.Near)[0]
	together := e.embed(t, c, llm.EmbedPassage, strings.Repeat(e.Far+" ", 50), e.Near, "x")[1]
	if cos := likeness(alone, together); cos < 0.9999 {
		t.Errorf("the cosine of a passage alone and in company is %.5f", cos)
	}
}

func manyTexts(t *testing.T, e Embedder, c *Client) {
	t.Helper()
	texts := make([]string, 60)
	for i := range texts {
		texts[i] = fmt.Sprintf("%s %d", e.Near, i)
	}
	texts[1], texts[2] = "", strings.Repeat("palabra word ", 5000)
	got := e.embed(t, c, llm.EmbedPassage, texts...)
	for _, i := range []int{0, 3, 59} {
		if cos := likeness(got[i], e.embed(t, c, llm.EmbedPassage, texts[i])[0]); cos < 0.9999 {
			t.Errorf("vector %d is not that of its text: cosine %.4f", i, cos)
		}
	}
}

func otherModel(t *testing.T, _ Embedder, c *Client) {
	t.Helper()
	_, err := c.Embed(within(t, 10*time.Second), &llm.EmbedRequest{Model: "no-such-model", Texts: []string{"x"}})
	_ = wantCode(t, err, llm.CodeInvalidRequest)
}

func stops(t *testing.T, e Embedder, c *Client) {
	t.Helper()
	texts := make([]string, llm.MaxTexts)
	for i := range texts {
		texts[i] = strings.Repeat(e.Near+" ", 20)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := c.Embed(ctx, &llm.EmbedRequest{Model: e.Model, Texts: texts})
	_ = wantCode(t, err, llm.CodeDeadline)
}
