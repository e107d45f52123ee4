//go:build cgo

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// preferred are the models that are taken where nobody names one, best first;
// README.md has the figures. Others follow by name.
var preferred = []string{"multilingual-e5-small", "bge-small-en-v1.5-q", "all-minilm-l6-v2-q"}

func newSpec(set settings) *llm.Spec {
	e := newEngine(set)
	var said sayOnce
	return &llm.Spec{
		Name: "llm-local", Version: "1.0.0",
		Discover: func(context.Context) ([]llm.Model, error) {
			models, problem := e.offered()
			said.say(problem)
			return models, nil
		},
		Embed: e.Embed,
	}
}

// offered lists what can be asked for, the preferred ones first. Without the
// library or models there is nothing, and problem says so.
func (e *engine) offered() (models []llm.Model, problem string) {
	found, runtime, err := e.found()
	switch {
	case runtime == nil:
		found, problem = nil, errNoRuntime.Error()
	case len(found) == 0:
		problem = "no models are here: run `tracker model pull`"
	}
	if err != nil {
		problem = err.Error()
	}
	rank := func(m *localmodel.Model) int {
		if m.Name == e.set.Model {
			return -1
		}
		if i := slices.Index(preferred, m.Name); i >= 0 {
			return i
		}
		return len(preferred)
	}
	slices.SortStableFunc(found, func(a, b *localmodel.Model) int { return rank(a) - rank(b) })
	for _, m := range found {
		models = append(models, llm.Model{
			ID: m.Name, Capabilities: llm.Capabilities{Embed: true},
			ContextTokens: m.MaxTokens, Dimensions: m.Dimensions, EmbeddingVersion: m.Version,
		})
	}
	if want := e.set.Model; want != "" && !slices.ContainsFunc(models, func(m llm.Model) bool { return m.ID == want }) && problem == "" {
		problem = fmt.Sprintf("the model %q of the settings is not here: run `tracker model pull %s`", want, want)
	}
	return models, problem
}

// sayOnce writes a problem to the log, until it changes.
type sayOnce struct {
	mu   sync.Mutex
	last string
}

func (s *sayOnce) say(problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if problem != s.last && problem != "" {
		fmt.Fprintln(os.Stderr, problem)
	}
	s.last = problem
}
