// Package ollamaserver speaks Ollama's own protocol over HTTP: /api/chat as
// lines of JSON, with tools, thinking and format (JSON or a schema), /api/embed
// in batches, /api/tags and /api/show with each model's capabilities, errors as
// Ollama words them, cut streams. What it says is scripted.
//
// It is for tests and demos; it needs no testing.T and no network beyond
// loopback.
package ollamaserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/llmtest/internal/serve"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// Model is one that the server has.
type Model struct {
	Name string
	// Capabilities as the server names them: "completion", "tools", "embedding",
	// "thinking", "vision".
	Capabilities []string
	// ContextTokens and Dimensions are told by /api/show.
	ContextTokens, Dimensions int
}

// Config says how the server behaves. Every field is Optional.
type Config struct {
	// Address to listen on. Defaults to a free port of 127.0.0.1.
	Address string
	// Key that requests must carry as a bearer; empty takes any. Ollama itself
	// has none, proxies before it do.
	Key string
	// Answer decides what chats say. Defaults to script.Say("ok").
	Answer script.Answer
	// EmbedAnswer may replace an embedding answer by an error (a turn with
	// Status), by a cut body or by a delay. Defaults to none.
	EmbedAnswer script.Answer
	// Dimensions of the vectors. Defaults to 64.
	Dimensions int
	// Refuse lists request features that the server does not know: "json_schema"
	// (as before Ollama 0.5), "json_object", "tools".
	Refuse []string
	// Models that the server has. Defaults to llama3.2 and nomic-embed-text.
	Models []Model
	// Thinking, if set, comes before each answer.
	Thinking string
}

// Server is a running server.
type Server struct {
	*serve.HTTP
	cfg Config
	log script.Log
}

// object is a piece of JSON that the server writes.
type object = serve.Object

// Start listens and serves until Close.
func Start(cfg Config) (*Server, error) {
	if cfg.Answer == nil {
		cfg.Answer = script.Say("ok")
	}
	if cfg.Dimensions == 0 {
		cfg.Dimensions = 64
	}
	if cfg.Models == nil {
		cfg.Models = []Model{
			{Name: "llama3.2:latest", Capabilities: []string{"completion", "tools"}, ContextTokens: 131072, Dimensions: 3072},
			{Name: "nomic-embed-text:latest", Capabilities: []string{"embedding"}, ContextTokens: 2048, Dimensions: cfg.Dimensions},
		}
	}
	s := &Server{cfg: cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/chat", s.authorized(s.chat))
	mux.HandleFunc("POST /api/embed", s.authorized(s.embed))
	mux.HandleFunc("GET /api/tags", s.authorized(s.tags))
	mux.HandleFunc("POST /api/show", s.authorized(s.show))
	var err error
	s.HTTP, err = serve.Start(cfg.Address, mux)
	return s, err
}

// Requests returns what the server was asked so far, oldest first.
func (s *Server) Requests() []script.Request { return s.log.All() }

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.Key != "" && bearer(r) != s.cfg.Key {
			writeError(w, http.StatusUnauthorized, "unauthorized: "+bearer(r))
			return
		}
		next(w, r)
	}
}

func writeError(w http.ResponseWriter, status int, message string) {
	serve.JSON(w, status, object{"error": message})
}

// model finds one by its name, with or without the tag "latest".
func (s *Server) model(name string) *Model {
	i := slices.IndexFunc(s.cfg.Models, func(m Model) bool { return m.Name == name || m.Name == name+":latest" })
	if i < 0 {
		return nil
	}
	return &s.cfg.Models[i]
}

func (s *Server) tags(w http.ResponseWriter, _ *http.Request) {
	models := make([]object, 0, len(s.cfg.Models))
	for _, m := range s.cfg.Models {
		models = append(models, object{"name": m.Name, "model": m.Name, "digest": "sha256:" + m.Name, "details": object{"family": "llama"}})
	}
	serve.JSON(w, http.StatusOK, object{"models": models})
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	var b struct {
		Model string `json:"model"`
	}
	raw, err := serve.Body(w, r)
	if err != nil || json.Unmarshal(raw, &b) != nil {
		writeError(w, http.StatusBadRequest, "missing request body")
		return
	}
	m := s.model(b.Model)
	if m == nil {
		writeError(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", b.Model))
		return
	}
	serve.JSON(w, http.StatusOK, object{
		"details": object{"family": "llama"}, "capabilities": m.Capabilities,
		"model_info": object{
			"general.architecture": "llama", "llama.context_length": m.ContextTokens, "llama.embedding_length": m.Dimensions,
		},
	})
}
