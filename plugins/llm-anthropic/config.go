package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

const anthropicBaseURL = "https://api.anthropic.com/v1"

// config is what the environment and the settings say.
type config struct {
	key         string
	baseURL     string
	models      []string
	idleTimeout time.Duration
	settings
}

// settings are plugins.settings.llm-anthropic of the tracker.
type settings struct {
	// IdleTimeout stands for the variable of a like name.
	IdleTimeout string `json:"idle_timeout"`
	// Headers are sent along with each request.
	Headers map[string]string `json:"headers"`
	// ContextTokens and MaxOutputTokens of models that this plugin does not know.
	ContextTokens   int `json:"context_tokens"`
	MaxOutputTokens int `json:"max_output_tokens"`
}

// parseConfig reads the environment. Its errors name the variable at fault and
// never hold the key.
func parseConfig(getenv func(string) string) (*config, error) {
	c := &config{
		key:         strings.TrimSpace(getenv("ANTHROPIC_API_KEY")),
		baseURL:     strings.TrimRight(strings.TrimSpace(getenv("ANTHROPIC_BASE_URL")), "/"),
		idleTimeout: wire.DefaultIdleTimeout,
	}
	if text := getenv("TRACKER_SETTINGS"); text != "" {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&c.settings); err != nil {
			return nil, fmt.Errorf("plugins.settings.llm-anthropic: %w", err)
		}
	}
	for _, id := range strings.Split(getenv("ANTHROPIC_MODEL"), ",") {
		if id = strings.TrimSpace(id); id != "" {
			c.models = append(c.models, id)
		}
	}
	if err := c.readURL(); err != nil {
		return nil, err
	}
	if c.baseURL == anthropicBaseURL {
		if c.key == "" {
			return nil, errors.New("set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL for a server of your own")
		}
		if len(c.models) == 0 {
			c.models = []string{"claude-haiku-4-5"}
		}
	}
	if len(c.models) == 0 {
		return nil, fmt.Errorf("set ANTHROPIC_MODEL to the models that %s serves", c.baseURL)
	}
	if v := cmp.Or(getenv("ANTHROPIC_IDLE_TIMEOUT"), c.IdleTimeout); v != "" {
		var err error
		if c.idleTimeout, err = time.ParseDuration(v); err != nil || c.idleTimeout <= 0 {
			return nil, fmt.Errorf("ANTHROPIC_IDLE_TIMEOUT is %q; give a duration such as 90s", v)
		}
	}
	return c, nil
}

// readURL completes the address and checks it.
func (c *config) readURL() error {
	if c.baseURL == "" {
		c.baseURL = anthropicBaseURL
	}
	if !strings.HasSuffix(c.baseURL, "/v1") { // the provider's own libraries add it
		c.baseURL += "/v1"
	}
	u, err := url.Parse(c.baseURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return errors.New("ANTHROPIC_BASE_URL must be an http or https URL without a password, such as http://127.0.0.1:8080")
	}
	return nil
}

// remote says whether texts leave this machine.
func (c *config) remote() bool {
	u, err := url.Parse(c.baseURL)
	if err != nil {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// secrets must never show: the key, and what the headers hold.
func (c *config) secrets() []string {
	out := []string{c.key}
	for _, v := range c.Headers {
		if len(v) >= 8 { // shorter ones would black out common words
			out = append(out, v)
		}
	}
	return out
}

// prepare completes the headers of a request.
func (c *config) prepare(req *http.Request) {
	if c.key == "" {
		req.Header.Del("X-Api-Key")
	}
	for k, v := range c.Headers {
		req.Header.Set(k, v)
	}
}

// known holds what Anthropic publishes of its models, by the prefix of their
// name; the longest prefix wins. schema says whether the model takes structured
// outputs.
var known = []struct {
	prefix          string
	context, output int
	schema          bool
}{
	{"claude-", 200_000, 64_000, true},
	{"claude-3-haiku", 200_000, 4096, false},
	{"claude-3-5", 200_000, 8192, false},
	{"claude-3-7-sonnet", 200_000, 64_000, false},
	{"claude-sonnet-4-2", 200_000, 64_000, false}, // claude-sonnet-4-20250514
	{"claude-sonnet-4-0", 200_000, 64_000, false},
	{"claude-opus-4-2", 200_000, 32_000, false},
	{"claude-opus-4-0", 200_000, 32_000, false},
	{"claude-opus-4-1", 200_000, 32_000, true},
}

// defaultOutput is asked for where nothing says what a model may answer: the
// protocol wants a number.
const defaultOutput = 4096

// describe says what the configured models can do.
func (c *config) describe() []llm.Model {
	out := make([]llm.Model, 0, len(c.models))
	for _, id := range c.models {
		m := llm.Model{
			ID: id, ContextTokens: c.ContextTokens, MaxOutputTokens: c.MaxOutputTokens,
			Capabilities: llm.Capabilities{Generate: true, Stream: true, Tools: true, JSONSchema: true},
		}
		longest := 0
		for _, k := range known {
			if strings.HasPrefix(id, k.prefix) && len(k.prefix) > longest {
				longest, m.ContextTokens, m.MaxOutputTokens, m.Capabilities.JSONSchema = len(k.prefix), k.context, k.output, k.schema
			}
		}
		out = append(out, m)
	}
	return out
}
