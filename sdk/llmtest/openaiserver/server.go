// Package openaiserver speaks the OpenAI protocol over HTTP, as a provider
// does: chat completions plain and streamed (SSE), parallel tool calls,
// json_schema, embeddings (answered out of order, as the protocol allows), the
// models list, error bodies, Retry-After, cut streams. What it says is scripted.
//
// It is for tests and demos; it needs no testing.T and no network beyond
// loopback.
package openaiserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

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
	cfg  Config
	http *http.Server
	addr string
	log  script.Log
}

const maxRequestBytes = 32 << 20

// Start listens and serves until Close.
func Start(cfg Config) (*Server, error) {
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	if cfg.Answer == nil {
		cfg.Answer = script.Say("ok")
	}
	if cfg.Dimensions == 0 {
		cfg.Dimensions = 64
	}
	if cfg.Models == nil {
		cfg.Models = []string{"gpt-4o-mini", "text-embedding-3-small"}
	}
	l, err := net.Listen("tcp", cfg.Address) //nolint:noctx // at once
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", cfg.Address, err)
	}
	s := &Server{cfg: cfg, addr: l.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.authorized(s.chat))
	mux.HandleFunc("POST /v1/embeddings", s.authorized(s.embeddings))
	mux.HandleFunc("GET /v1/models", s.authorized(s.models))
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(l) }()
	return s, nil
}

// URL is the base URL that clients are configured with, ending in /v1.
func (s *Server) URL() string { return "http://" + s.addr + "/v1" }

// Requests returns what the server was asked so far, oldest first.
func (s *Server) Requests() []script.Request { return s.log.All() }

// Close stops the server and drops what is open.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond) //nolint:forbidigo // cleanup without a caller
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop server: %w", err)
	}
	return s.http.Close()
}

func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.Key != "" && bearer(r) != s.cfg.Key {
			// The real service echoes a part of the key, so this one does too.
			writeError(w, http.StatusUnauthorized, "Incorrect API key provided: "+bearer(r)+".", "invalid_api_key", 0)
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
	writeJSON(w, http.StatusOK, list)
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
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		writeError(w, http.StatusBadRequest, "The body can't be read: "+err.Error(), "invalid_request_error", 0)
		return nil, false
	}
	return raw, true
}

func bearer(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // made of strings and numbers; a client that left is no error
}

func writeErrorParam(w http.ResponseWriter, status int, message, param string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{
		"message": message, "type": "invalid_request_error", "param": param, "code": "unsupported_parameter",
	}})
}

func writeError(w http.ResponseWriter, status int, message, code string, retryAfter time.Duration) {
	if retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((retryAfter+time.Second-1)/time.Second)))
	}
	writeJSON(w, status, map[string]any{"error": map[string]any{
		"message": message, "type": code, "param": nil, "code": code,
	}})
}
