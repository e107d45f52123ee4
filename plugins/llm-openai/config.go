package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

const openAIBaseURL = "https://api.openai.com/v1"

// config is what the environment and the settings say.
type config struct {
	key             string
	baseURL         string
	organization    string
	chatModels      []string
	embeddingModels []string
	dimensions      int
	idleTimeout     time.Duration
	settings
}

// settings are plugins.settings.llm-openai of the tracker: what rarely differs
// from a server of the protocol to the next.
type settings struct {
	// APIVersion makes it Azure: deployments in the path, the key in "api-key".
	APIVersion string `json:"api_version"`
	// Headers are sent along with each request.
	Headers map[string]string `json:"headers"`
	// ContextTokens and MaxOutputTokens of models that this plugin does not know.
	ContextTokens   int `json:"context_tokens"`
	MaxOutputTokens int `json:"max_output_tokens"`
	// Organization, Dimensions (of the vectors of models that this plugin does not
	// know) and IdleTimeout stand for the variables of like names.
	Organization string `json:"organization"`
	Dimensions   int    `json:"dimensions"`
	IdleTimeout  string `json:"idle_timeout"`
	// Lacks names what the server's models can't do: "tools", "json_schema",
	// "json_mode". What is not named is tried, and left out once it was refused.
	Lacks []string `json:"lacks"`
}

var lackable = []string{"tools", "json_schema", "json_mode"}

// parseConfig reads the environment. Its errors name the variable at fault and
// never hold the key.
func parseConfig(getenv func(string) string) (*config, error) {
	c := &config{
		key:             strings.TrimSpace(getenv("OPENAI_API_KEY")),
		baseURL:         strings.TrimRight(strings.TrimSpace(getenv("OPENAI_BASE_URL")), "/"),
		organization:    getenv("OPENAI_ORGANIZATION"),
		chatModels:      list(getenv("OPENAI_MODEL")),
		embeddingModels: list(getenv("OPENAI_EMBEDDING_MODEL")),
		idleTimeout:     wire.DefaultIdleTimeout,
	}
	if err := c.readSettings(getenv); err != nil {
		return nil, err
	}
	if c.baseURL == "" {
		c.baseURL = openAIBaseURL
	}
	u, err := url.Parse(c.baseURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return nil, errors.New("OPENAI_BASE_URL must be an http or https URL without a password, such as http://127.0.0.1:8080/v1")
	}
	if c.isOpenAI() {
		if c.key == "" {
			return nil, errors.New("set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own")
		}
		if c.azure() {
			return nil, errors.New("OPENAI_API_VERSION is for Azure: set OPENAI_BASE_URL to your resource, such as https://name.openai.azure.com")
		}
		if len(c.chatModels) == 0 {
			c.chatModels = []string{"gpt-4o-mini"}
		}
		if len(c.embeddingModels) == 0 {
			c.embeddingModels = []string{"text-embedding-3-small"}
		}
	}
	if len(c.chatModels)+len(c.embeddingModels) == 0 {
		return nil, fmt.Errorf("set OPENAI_MODEL or OPENAI_EMBEDDING_MODEL to the models that %s serves", c.baseURL)
	}
	if err := c.numbers(getenv); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *config) readSettings(getenv func(string) string) error {
	if text := getenv("TRACKER_SETTINGS"); text != "" {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&c.settings); err != nil {
			return fmt.Errorf("plugins.settings.llm-openai: %w", err)
		}
	}
	if v := getenv("OPENAI_API_VERSION"); v != "" {
		c.APIVersion = v
	}
	if c.organization == "" {
		c.organization = c.Organization
	}
	for _, l := range c.Lacks {
		if !slices.Contains(lackable, l) {
			return fmt.Errorf("plugins.settings.llm-openai: lacks has %q; it takes %q", l, lackable)
		}
	}
	return nil
}

// numbers reads what isn't text.
func (c *config) numbers(getenv func(string) string) (err error) {
	c.dimensions = c.Dimensions
	if v := getenv("OPENAI_EMBEDDING_DIMENSIONS"); v != "" {
		if c.dimensions, err = strconv.Atoi(v); err != nil || c.dimensions < 1 || c.dimensions > 16384 {
			return fmt.Errorf("OPENAI_EMBEDDING_DIMENSIONS is %q; give a number from 1 to 16384", v)
		}
	}
	if v := cmp.Or(getenv("OPENAI_IDLE_TIMEOUT"), c.IdleTimeout); v != "" {
		if c.idleTimeout, err = time.ParseDuration(v); err != nil || c.idleTimeout <= 0 {
			return fmt.Errorf("OPENAI_IDLE_TIMEOUT is %q; give a duration such as 90s", v)
		}
	}
	return nil
}

func (c *config) isOpenAI() bool { return c.baseURL == openAIBaseURL }

func (c *config) azure() bool { return c.APIVersion != "" }

// remote says whether texts leave this machine.
func (c *config) remote() bool {
	u, err := url.Parse(c.baseURL)
	if err != nil {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

func list(s string) []string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// known holds what OpenAI publishes of its models, by the prefix of their name;
// the longest prefix wins.
var known = []struct {
	prefix                      string
	context, output, dimensions int
}{
	{"gpt-4o", 128_000, 16_384, 0},
	{"gpt-4.1", 1_047_576, 32_768, 0},
	{"gpt-5", 400_000, 128_000, 0},
	{"o3", 200_000, 100_000, 0},
	{"o4-mini", 200_000, 100_000, 0},
	{"text-embedding-3-small", 8192, 0, 1536},
	{"text-embedding-3-large", 8192, 0, 3072},
	{"text-embedding-ada-002", 8192, 0, 1536},
}

// models describes the configured models. Servers differ in what they can do;
// a missing feature is found out at the first call and worked around, so all
// that is not named as lacking is announced here.
func (c *config) models() []llm.Model {
	out := make([]llm.Model, 0, len(c.chatModels)+len(c.embeddingModels))
	has := func(feature string) bool { return !slices.Contains(c.Lacks, feature) }
	for _, id := range c.chatModels {
		m := llm.Model{ID: id, Capabilities: llm.Capabilities{
			Generate: true, Stream: true, Tools: has("tools"), JSONSchema: has("json_schema"), JSONMode: has("json_mode"),
		}}
		m.ContextTokens, m.MaxOutputTokens, _ = lookUp(id)
		if m.ContextTokens == 0 {
			m.ContextTokens, m.MaxOutputTokens = c.ContextTokens, c.MaxOutputTokens
		}
		out = append(out, m)
	}
	for _, id := range c.embeddingModels {
		i := slices.IndexFunc(out, func(m llm.Model) bool { return m.ID == id })
		if i < 0 {
			i, out = len(out), append(out, llm.Model{ID: id})
			out[i].ContextTokens, _, _ = lookUp(id)
		}
		out[i].Capabilities.Embed, out[i].EmbeddingVersion = true, "1"
		if _, _, out[i].Dimensions = lookUp(id); out[i].Dimensions == 0 {
			out[i].Dimensions = c.dimensions
		}
	}
	return out
}

func lookUp(id string) (context, output, dimensions int) {
	longest := 0
	for _, k := range known {
		if strings.HasPrefix(id, k.prefix) && len(k.prefix) > longest {
			longest, context, output, dimensions = len(k.prefix), k.context, k.output, k.dimensions
		}
	}
	return context, output, dimensions
}
