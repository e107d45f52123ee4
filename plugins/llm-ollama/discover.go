package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// maxModels bounds how many installed models are looked at.
const maxModels = 100

// show is what the server says of a model.
type show struct {
	Capabilities []string       `json:"capabilities"`
	Info         map[string]any `json:"model_info"`
}

// number finds "<architecture>.<what>" among the model's figures.
func (s *show) number(what string) int {
	arch, _ := s.Info["general.architecture"].(string)
	n, _ := s.Info[arch+"."+what].(float64)
	return int(n)
}

// discover asks the server which models there are and what each can do. Where it
// can't be reached, the models that were configured are taken at their word: it
// may come up later.
func (p *provider) discover(ctx context.Context) ([]llm.Model, error) {
	var tags struct {
		Models []struct {
			Name   string `json:"name"`
			Digest string `json:"digest"`
		} `json:"models"`
	}
	wanted := slices.Concat(p.cfg.chatModels, p.cfg.embeddingModels)
	if err := p.wire.Ask(ctx, "GET", p.cfg.base.JoinPath("api", "tags").String(), nil, &tags); err != nil {
		if len(wanted) > 0 && llm.CodeOf(err) != llm.CodeUnauthenticated {
			return p.keep(p.assumed()), nil
		}
		return nil, reached(err, p.cfg.base.Host)
	}
	digests := map[string]string{}
	var installed []string
	for _, m := range tags.Models {
		digests[m.Name] = m.Digest
		installed = append(installed, m.Name)
	}
	if len(wanted) == 0 {
		wanted = installed[:min(len(installed), maxModels)]
	}
	var out []llm.Model
	for _, name := range slices.Compact(slices.Sorted(slices.Values(wanted))) {
		full := name
		if _, ok := digests[name]; !ok {
			full = name + ":latest"
		}
		if _, ok := digests[full]; !ok {
			fmt.Fprintf(os.Stderr, "llm-ollama: the server has no model %q: run `ollama pull %s`\n", name, name)
			continue
		}
		var s show
		if err := p.wire.Ask(ctx, "POST", p.cfg.base.JoinPath("api", "show").String(), map[string]string{"model": name}, &s); err != nil {
			return nil, reached(err, p.cfg.base.Host)
		}
		out = append(out, p.describe(name, digests[full], &s))
	}
	if len(out) == 0 {
		return nil, llm.Errorf(llm.CodeUnavailable, "the Ollama server on %s has none of the models: run `ollama pull` with one of %q", p.cfg.base.Host, wanted)
	}
	return p.keep(out), nil
}

// reached adds what to do to an error of the connection.
func reached(err error, host string) error {
	var e *llm.Error
	if errors.As(err, &e) && e.Code == llm.CodeUnavailable {
		return llm.Errorf(llm.CodeUnavailable, "ask the Ollama server on %s: %s; is it running, and OLLAMA_HOST right?", host, e.Message)
	}
	return err
}

// describe turns what the server says into capabilities. Servers before 0.6.4
// don't say; then all is tried.
func (p *provider) describe(name, digest string, s *show) llm.Model {
	has := func(what string) bool { return slices.Contains(s.Capabilities, what) || len(s.Capabilities) == 0 }
	m := llm.Model{ID: name, ContextTokens: s.number("context_length")}
	if has("completion") && (len(p.cfg.chatModels) == 0 || slices.Contains(p.cfg.chatModels, name)) {
		m.Capabilities = chat(has("tools"))
		if m.ContextTokens == 0 || m.ContextTokens > p.cfg.context {
			m.ContextTokens = p.cfg.context // what is asked for, see edit
		}
	}
	if has("embedding") && (len(p.cfg.embeddingModels) == 0 || slices.Contains(p.cfg.embeddingModels, name)) {
		m.Capabilities.Embed, m.Dimensions = true, s.number("embedding_length")
		// Vectors of another build of the model can't be compared.
		m.EmbeddingVersion = strings.TrimPrefix(digest, "sha256:")
		m.EmbeddingVersion = m.EmbeddingVersion[:min(len(m.EmbeddingVersion), 12)]
	}
	return m
}

func chat(tools bool) llm.Capabilities {
	return llm.Capabilities{Generate: true, Stream: true, Tools: tools, JSONSchema: true, JSONMode: true}
}

// assumed are the configured models, unseen.
func (p *provider) assumed() []llm.Model {
	var out []llm.Model
	for _, id := range p.cfg.chatModels {
		out = append(out, llm.Model{ID: id, Capabilities: chat(true), ContextTokens: p.cfg.context})
	}
	for _, id := range p.cfg.embeddingModels {
		if i := slices.IndexFunc(out, func(m llm.Model) bool { return m.ID == id }); i >= 0 {
			out[i].Capabilities.Embed = true
			continue
		}
		out = append(out, llm.Model{ID: id, Capabilities: llm.Capabilities{Embed: true}})
	}
	return out
}

func (p *provider) keep(models []llm.Model) []llm.Model {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.models, p.seen = models, time.Now()
	return models
}

const lookAgain = 10 * time.Second

// find returns a model by its id, looking again when it was not there a while ago.
func (p *provider) find(ctx context.Context, id string, can func(llm.Capabilities) bool) (llm.Model, error) {
	for range 2 {
		p.mu.Lock()
		models, fresh := p.models, time.Since(p.seen) < lookAgain
		p.mu.Unlock()
		for _, m := range models {
			if (m.ID == id || m.ID == id+":latest") && can(m.Capabilities) {
				return m, nil
			}
		}
		if fresh {
			break
		}
		if _, err := p.discover(ctx); err != nil {
			return llm.Model{}, err
		}
	}
	return llm.Model{}, llm.Errorf(llm.CodeInvalidRequest, "the server has no model %q for this: run `ollama pull %s`", id, id)
}
