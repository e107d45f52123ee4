// Package openaiserver speaks the OpenAI protocol over HTTP, as a provider
// does: chat completions plain and streamed (SSE), parallel tool calls,
// json_schema, embeddings (answered out of order, as the protocol allows), the
// models list, error bodies, Retry-After, cut streams; also Azure's addresses and
// its key header. What it says is scripted.
//
// It is for tests and demos; it needs no testing.T and no network beyond
// loopback.
package openaiserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/llmtest/internal/serve"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// Config says how the server behaves. Every field is Optional.
type Config struct {
	// Address to listen on. Defaults to a free port of 127.0.0.1.
	Address string
	// Key that requests must carry; empty takes any.
	Key string
	// Answer decides what chat completions say. Defaults to script.Say("ok").
	Answer script.Answer
	// EmbedAnswer may replace an embedding answer by an error (a turn with
	// Status), by a cut body or by a delay. Defaults to none.
	EmbedAnswer script.Answer
	// Dimensions of the vectors. Defaults to 64.
	Dimensions int
	// APIVersion makes it speak as Azure does, and demands this version: the
	// deployment in the path, the key in the header "api-key".
	APIVersion string
	// Refuse lists request features that this server does not know and answers
	// with 400 to, as smaller servers do: "json_schema", "json_object", "tools",
	// "stream_options", "max_completion_tokens".
	Refuse []string
	// IgnoreStream answers whole bodies even when a stream was asked for.
	IgnoreStream bool
	// Models are listed by /v1/models. Defaults to gpt-4o-mini and
	// text-embedding-3-small.
	Models []string
}

// Server is a running server.
type Server struct {
	*serve.HTTP
	cfg Config
	log script.Log
}

// Start listens and serves until Close.
func Start(cfg Config) (*Server, error) {
	if cfg.Answer == nil {
		cfg.Answer = script.Say("ok")
	}
	if cfg.Dimensions == 0 {
		cfg.Dimensions = 64
	}
	if cfg.Models == nil {
		cfg.Models = []string{"gpt-4o-mini", "text-embedding-3-small"}
	}
	s := &Server{cfg: cfg}
	mux := http.NewServeMux()
	if cfg.APIVersion != "" {
		mux.HandleFunc("POST /openai/deployments/{deployment}/chat/completions", s.authorized(s.chat))
		mux.HandleFunc("POST /openai/deployments/{deployment}/embeddings", s.authorized(s.embeddings))
	} else {
		mux.HandleFunc("POST /v1/chat/completions", s.authorized(s.chat))
		mux.HandleFunc("POST /v1/embeddings", s.authorized(s.embeddings))
		mux.HandleFunc("GET /v1/models", s.authorized(s.models))
	}
	var err error
	s.HTTP, err = serve.Start(cfg.Address, mux)
	return s, err
}

// URL is the base URL that clients are configured with: it ends in /v1, except
// for Azure's.
func (s *Server) URL() string {
	if s.cfg.APIVersion != "" {
		return s.HTTP.URL()
	}
	return s.HTTP.URL() + "/v1"
}

// Requests returns what the server was asked so far, oldest first.
func (s *Server) Requests() []script.Request { return s.log.All() }

func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.Key != "" && s.key(r) != s.cfg.Key {
			// The real service echoes a part of the key, so this one does too.
			writeError(w, http.StatusUnauthorized, "Incorrect API key provided: "+s.key(r)+".", "invalid_api_key", 0)
			return
		}
		if v := s.cfg.APIVersion; v != "" && r.URL.Query().Get("api-version") != v {
			writeError(w, http.StatusNotFound, "Resource not found", "404", 0)
			return
		}
		next(w, r)
	}
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	type model struct {
		ID     string `json:"id"`
		Object string `json:"object"`
	}
	list := struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}{Object: "list"}
	for _, id := range s.cfg.Models {
		list.Data = append(list.Data, model{ID: id, Object: "model"})
	}
	serve.JSON(w, http.StatusOK, list)
}

// refuses answers with 400 and says true when the request uses something that
// this server was told not to know.
func (s *Server) refuses(w http.ResponseWriter, body map[string]json.RawMessage) bool {
	format := string(body["response_format"])
	for _, feature := range s.cfg.Refuse {
		_, uses := body[feature]
		param := feature
		if feature == "json_schema" || feature == "json_object" {
			uses, param = strings.Contains(format, `"`+feature+`"`), "response_format"
		}
		if uses {
			writeErrorParam(w, http.StatusBadRequest, fmt.Sprintf("Unsupported parameter: '%s' (%s) is not supported with this model.", param, feature), param)
			return true
		}
	}
	return false
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	raw, err := serve.Body(w, r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error(), "invalid_request_error", 0)
		return nil, false
	}
	return raw, true
}

// key is what the request presents: Azure has a header of its own.
func (s *Server) key(r *http.Request) string {
	if s.cfg.APIVersion != "" {
		return r.Header.Get("Api-Key")
	}
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func writeErrorParam(w http.ResponseWriter, status int, message, param string) {
	serve.JSON(w, status, map[string]any{"error": map[string]any{
		"message": message, "type": "invalid_request_error", "param": param, "code": "unsupported_parameter",
	}})
}

func writeError(w http.ResponseWriter, status int, message, code string, retryAfter time.Duration) {
	serve.RetryAfter(w, retryAfter)
	serve.JSON(w, status, map[string]any{"error": map[string]any{
		"message": message, "type": code, "param": nil, "code": code,
	}})
}
