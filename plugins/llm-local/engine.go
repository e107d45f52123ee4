//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/goals-tracker/tracker/plugins/llm-local/internal/tokenize"
	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// engine computes on the models that there are; each is loaded when it is first
// asked for, and stays.
type engine struct {
	set settings
	// slots bound how many texts are computed at a time. Queries have one of
	// their own: somebody waits for them while a course is being indexed.
	passages, queries chan struct{}

	mu     sync.Mutex
	loaded map[string]*loadedModel
}

func newEngine(set settings) *engine {
	return &engine{
		set: set, passages: make(chan struct{}, set.Threads), queries: make(chan struct{}, set.Threads),
		loaded: map[string]*loadedModel{},
	}
}

// loadedModel is a model in memory, or being brought there.
type loadedModel struct {
	*localmodel.Model
	tokens *tokenize.Tokenizer
	net    *network

	once sync.Once
	err  error
}

// model returns the model of a name, loaded.
func (e *engine) model(name string) (*loadedModel, error) {
	found, runtime, _ := e.found()
	i := slices.IndexFunc(found, func(m *localmodel.Model) bool { return m.Name == name })
	if i < 0 {
		return nil, llm.Errorf(llm.CodeInvalidRequest, "there is no model %q here: run `tracker model pull %s`", name, name)
	}
	// A model that was pulled anew is another one.
	key := found[i].Dir + " " + found[i].Version + " " + found[i].Files[localmodel.ModelFile]
	e.mu.Lock()
	m := e.loaded[key]
	if m == nil {
		m = &loadedModel{Model: found[i]}
		e.loaded[key] = m
	}
	e.mu.Unlock()
	m.once.Do(func() { m.err = m.load(runtime) })
	if m.err != nil {
		e.mu.Lock()
		if e.loaded[key] == m {
			delete(e.loaded, key) // the next call tries again
		}
		e.mu.Unlock()
		return nil, llm.Errorf(llm.CodeUnavailable, "%v", m.err)
	}
	return m, nil
}

func (m *loadedModel) load(runtime *localmodel.Model) error {
	if runtime == nil {
		return errNoRuntime
	}
	if err := m.Verify(); err != nil {
		return err
	}
	if err := onnx.load(runtime); err != nil {
		return err
	}
	f, err := os.Open(m.Path(localmodel.TokenizerFile))
	if err != nil {
		return fmt.Errorf("load model %s: %w", m.Name, err)
	}
	defer func() { _ = f.Close() }()
	if m.tokens, err = tokenize.Read(f); err != nil {
		return fmt.Errorf("load model %s: %w", m.Name, err)
	}
	m.net, err = loadNetwork(m.Model)
	return err
}

var errNoRuntime = errors.New("the library that runs models is not here: run `tracker model pull`")

// found lists the models that can be used, and the library; what is wrong with
// others is in the error.
func (e *engine) found() (models []*localmodel.Model, runtime *localmodel.Model, err error) {
	all, err := localmodel.List(e.set.Dirs...)
	for _, m := range all {
		if m.Kind == localmodel.KindRuntime {
			runtime = m
		} else {
			models = append(models, m)
		}
	}
	return models, runtime, err
}

// Embed implements the plugin's Spec.
func (e *engine) Embed(ctx context.Context, req *llm.EmbedRequest) (*llm.Embeddings, error) {
	m, err := e.model(req.Model)
	if err != nil {
		return nil, err
	}
	slots, prefix := e.passages, m.PassagePrefix
	if req.Kind == llm.EmbedQuery {
		slots, prefix = e.queries, m.QueryPrefix
	}
	out := &llm.Embeddings{Vectors: make([][]float32, len(req.Texts)), Model: m.Name}
	var tokens atomic.Int64
	err = each(ctx, slots, len(req.Texts), func(i int) error {
		ids := m.tokens.Encode(prefix+req.Texts[i], m.MaxTokens)
		tokens.Add(int64(len(ids)))
		v, err := m.embed(ids)
		out.Vectors[i] = v
		return err
	})
	if err != nil {
		return nil, err
	}
	out.Usage.InputTokens = int(tokens.Load())
	return out, nil
}

// embed makes one vector, of length 1, of the tokens of a text.
func (m *loadedModel) embed(ids []int64) ([]float32, error) {
	sums := make([]float64, m.Dimensions)
	var bad error
	err := m.net.run(ids, func(shape []int64, values []float32) {
		if len(shape) != 3 || shape[1] != int64(len(ids)) || shape[2] != int64(m.Dimensions) {
			bad = fmt.Errorf("it made an output of shape %v, %d × %d was expected", shape, len(ids), m.Dimensions)
			return
		}
		if m.Pooling == "cls" {
			values = values[:m.Dimensions]
		}
		for i, v := range values {
			sums[i%m.Dimensions] += float64(v)
		}
	})
	if err = errors.Join(err, bad); err != nil {
		return nil, llm.Errorf(llm.CodeInternal, "run model %s: %v", m.Name, err)
	}
	var square float64
	for _, v := range sums {
		square += v * v
	}
	if square == 0 || math.IsNaN(square) || math.IsInf(square, 0) {
		return nil, llm.Errorf(llm.CodeInternal, "model %s made no vector of a text of %d tokens", m.Name, len(ids))
	}
	out := make([]float32, m.Dimensions)
	for i, v := range sums {
		out[i] = float32(v / math.Sqrt(square))
	}
	return out, nil
}

// each calls fn for 0 to n-1, as many at a time as there are slots, and returns
// the first error; after it, or the end of ctx, no more are begun.
func each(ctx context.Context, slots chan struct{}, n int, fn func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for i := range n {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			wg.Wait()
			return context.Cause(ctx)
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := fn(i); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
