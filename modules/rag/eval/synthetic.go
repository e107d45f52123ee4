package eval

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
)

// Material is made-up courses for measuring speed: words as frequent as words
// are, each document about a topic of its course. The same each time.
type Material struct {
	random *rand.Rand
	common *rand.Zipf
	words  []string
}

const (
	vocabulary = 30_000
	// How a made-up document is built.
	sections, sectionWords = 10, 100
	topicWords             = 60
)

// NewMaterial makes it.
func NewMaterial() *Material {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same each time
	m := &Material{random: random, common: rand.NewZipf(random, 1.1, 60, vocabulary-1)}
	seen := map[string]bool{}
	for len(m.words) < vocabulary {
		var w strings.Builder
		for range 2 + random.IntN(3) {
			w.WriteByte("bcdfghjklmnpqrstvz"[random.IntN(18)])
			w.WriteByte("aeiou"[random.IntN(5)])
		}
		if !seen[w.String()] {
			seen[w.String()] = true
			m.words = append(m.words, w.String())
		}
	}
	return m
}

// topic is words that go together.
func (m *Material) topic() []string {
	t := make([]string, topicWords)
	for i := range t {
		t[i] = m.words[200+m.random.IntN(vocabulary-200)]
	}
	return t
}

func (m *Material) word(topic []string) string {
	if m.random.IntN(2) == 0 {
		// Some of a topic's words are said more often.
		return topic[min(m.random.IntN(topicWords), m.random.IntN(topicWords))]
	}
	return m.words[m.common.Uint64()]
}

// Course makes documents of about so many passages in all, and questions that
// they answer.
func (m *Material) Course(passages, questions int) (files []rag.File, asked []string) {
	for i := range max(1, passages/sections) {
		topic := m.topic()
		var text strings.Builder
		fmt.Fprintf(&text, "# %s %s\n", topic[0], topic[1])
		for range sections {
			fmt.Fprintf(&text, "\n## %s %s\n\n", m.word(topic), m.word(topic))
			for w := range sectionWords {
				text.WriteString(m.word(topic))
				text.WriteString([]string{" ", " ", " ", ", ", ".\n"}[w%5])
			}
			text.WriteByte('\n')
		}
		files = append(files, rag.File{Path: fmt.Sprintf("unit-%05d.md", i), Content: []byte(text.String())})
		if len(asked) < questions {
			words := make([]string, 3+m.random.IntN(5))
			for w := range words {
				words[w] = m.word(topic)
			}
			asked = append(asked, strings.Join(words, " "))
		}
	}
	return files, asked
}

// Made is a model of made-up vectors: texts are alike by the words that they
// share. As real models' vectors do, they vary along few directions, which is
// what an index of nearest neighbours lives on. Safe for concurrent use.
type Made struct {
	Dimensions int

	mu         sync.Mutex
	words      map[string][]float32
	directions [][]float32
}

// directions is along how many of them made-up vectors vary.
const directions = 24

// Embed implements rag.Models.
func (m *Made) Embed(_ context.Context, req llm.EmbedRequest) (*llm.Embeddings, error) {
	out := &llm.Embeddings{Space: llm.Space{Provider: "made-up", Model: "words", Dimensions: m.Dimensions, Version: "1"}}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.words == nil {
		m.words = map[string][]float32{}
	}
	for _, text := range req.Texts {
		sum := make([]float32, m.Dimensions)
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' }) {
			for i, x := range m.vector(word) {
				sum[i] += x
			}
		}
		var norm float64
		for _, x := range sum {
			norm += float64(x) * float64(x)
		}
		for i := range sum {
			sum[i] /= float32(max(math.Sqrt(norm), 1e-9))
		}
		out.Vectors = append(out.Vectors, sum)
	}
	return out, nil
}

func (m *Made) vector(word string) []float32 {
	if v := m.words[word]; v != nil {
		return v
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(word))
	random := rand.New(rand.NewPCG(h.Sum64(), seed)) //nolint:gosec // the same each time
	if m.directions == nil {
		fixed := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // the same each time
		m.directions = make([][]float32, directions)
		for d := range m.directions {
			m.directions[d] = make([]float32, m.Dimensions)
			for i := range m.directions[d] {
				m.directions[d][i] = float32(fixed.NormFloat64())
			}
		}
	}
	v := make([]float32, m.Dimensions)
	for _, direction := range m.directions {
		along := float32(random.NormFloat64())
		for i, x := range direction {
			v[i] += along * x
		}
	}
	m.words[word] = v
	return v
}

// Rerank implements rag.Models: it can't.
func (m *Made) Rerank(context.Context, llm.RerankRequest) (*llm.Ranking, error) {
	return nil, llm.ErrNoModel.New(string(llm.Rerank))
}

// Available implements rag.Models.
func (m *Made) Available(purpose llm.Purpose) bool { return purpose == llm.Embed }

// Models implements rag.Models.
func (m *Made) Models(context.Context) []llm.Model {
	return []llm.Model{{Source: llm.Source{Provider: "made-up", Model: "words"}, Embeds: true, Dimensions: m.Dimensions}}
}
