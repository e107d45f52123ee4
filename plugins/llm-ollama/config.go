package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	defaultPort        = "11434"
	defaultContext     = 8192
	defaultIdleTimeout = 5 * time.Minute
)

// config is what the environment and the settings say.
type config struct {
	base            *url.URL
	key             string
	chatModels      []string
	embeddingModels []string
	context         int
	idleTimeout     time.Duration
	settings
}

// settings are plugins.settings.llm-ollama of the tracker.
type settings struct {
	// IdleTimeout stands for the variable of a like name.
	IdleTimeout string `json:"idle_timeout"`
	// Headers are sent along with each request.
	Headers map[string]string `json:"headers"`
	// KeepAlive is how long the server keeps a model loaded, such as "30m".
	KeepAlive string `json:"keep_alive"`
}

// parseConfig reads the environment. Its errors name the variable at fault and
// never hold the key.
func parseConfig(getenv func(string) string) (*config, error) {
	c := &config{
		key: strings.TrimSpace(getenv("OLLAMA_API_KEY")), chatModels: list(getenv("OLLAMA_MODEL")),
		embeddingModels: list(getenv("OLLAMA_EMBEDDING_MODEL")), context: defaultContext, idleTimeout: defaultIdleTimeout,
	}
	if text := getenv("TRACKER_SETTINGS"); text != "" {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&c.settings); err != nil {
			return nil, fmt.Errorf("plugins.settings.llm-ollama: %w", err)
		}
	}
	var err error
	if c.base, err = host(getenv("OLLAMA_HOST")); err != nil {
		return nil, err
	}
	if v := getenv("OLLAMA_NUM_CTX"); v != "" {
		if c.context, err = strconv.Atoi(v); err != nil || c.context < 512 || c.context > 1<<22 {
			return nil, fmt.Errorf("OLLAMA_NUM_CTX is %q; give a number of tokens from 512", v)
		}
	}
	if v := cmp.Or(getenv("OLLAMA_IDLE_TIMEOUT"), c.IdleTimeout); v != "" {
		if c.idleTimeout, err = time.ParseDuration(v); err != nil || c.idleTimeout <= 0 {
			return nil, fmt.Errorf("OLLAMA_IDLE_TIMEOUT is %q; give a duration such as 5m", v)
		}
	}
	return c, nil
}

// host reads OLLAMA_HOST as Ollama's own programs do: scheme and port may be
// left out, and an address to listen on everywhere is reached on loopback.
func host(s string) (*url.URL, error) {
	wrong := errors.New("OLLAMA_HOST must be a host, host:port or an http(s) URL without a password, such as 127.0.0.1:11434")
	s = strings.TrimSpace(s)
	if s == "" {
		s = "127.0.0.1"
	}
	port := defaultPort
	switch {
	case strings.HasPrefix(s, "https://"):
		port = "443"
	case strings.HasPrefix(s, "http://"):
		port = "80"
	case strings.Contains(s, "://"):
		return nil, wrong
	case net.ParseIP(s) != nil && strings.Contains(s, ":"):
		s = "http://[" + s + "]"
	default:
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" {
		return nil, wrong
	}
	name := u.Hostname()
	if ip := net.ParseIP(name); ip != nil && ip.IsUnspecified() {
		name = "127.0.0.1"
	}
	if p := u.Port(); p != "" {
		port = p
	}
	u.Host = net.JoinHostPort(name, port)
	return u, nil
}

// remote says whether texts leave this machine.
func (c *config) remote() bool {
	ip := net.ParseIP(c.base.Hostname())
	return c.base.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
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
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	for k, v := range c.Headers {
		req.Header.Set(k, v)
	}
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
