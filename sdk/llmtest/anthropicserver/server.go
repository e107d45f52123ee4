// Package anthropicserver speaks Anthropic's Messages protocol over HTTP, as
// the provider does: server-sent events with pings, content blocks of text,
// thinking and tool use, structured outputs, refusals with their details, usage
// split by cache, typed errors with Retry-After, overload (529), cut streams. It
// is as strict about conversations as the real one. What it says is scripted.
//
// It is for tests and demos; it needs no testing.T and no network beyond
// loopback.
package anthropicserver

import (
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
	// Key that requests must carry in x-api-key; empty takes any.
	Key string
	// Answer decides what messages say. Defaults to script.Say("ok").
	Answer script.Answer
	// Refuse lists request features that this server's models don't know:
	// "json_schema", "tools", or a field by its name, such as "top_p".
	Refuse []string
	// IgnoreStream answers whole bodies even when a stream was asked for.
	IgnoreStream bool
	// Thinking, if set, is streamed as a thinking block before each answer.
	Thinking string
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
	s := &Server{cfg: cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/messages", s.messages)
	var err error
	s.HTTP, err = serve.Start(cfg.Address, mux)
	return s, err
}

// Requests returns what the server was asked so far, oldest first.
func (s *Server) Requests() []script.Request { return s.log.All() }

func (s *Server) messages(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("X-Api-Key")
	if s.cfg.Key != "" && key != s.cfg.Key {
		writeError(w, http.StatusUnauthorized, "invalid x-api-key "+key, 0)
		return
	}
	if r.Header.Get("Anthropic-Version") == "" {
		writeError(w, http.StatusBadRequest, "anthropic-version: header is required", 0)
		return
	}
	raw, err := serve.Body(w, r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error(), 0)
		return
	}
	req, stream, err := parse(raw)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error(), 0)
		return
	}
	req.Key, req.Header = key, r.Header
	s.log.Add(*req)
	for _, feature := range s.cfg.Refuse {
		field := map[string]string{"json_schema": "output_config"}[feature]
		if field == "" {
			field = feature
		}
		if serve.Uses(raw, field) {
			writeError(w, http.StatusBadRequest, field+": Extra inputs are not permitted", 0)
			return
		}
	}
	turn := serve.FillIn(s.cfg.Answer(req), req)
	if !serve.Pause(r, turn.FirstTokenDelay) {
		return
	}
	switch {
	case turn.Status != 0:
		writeError(w, turn.Status, turn.Message, turn.RetryAfter)
	case stream && !s.cfg.IgnoreStream:
		s.stream(w, r, req, turn)
	default:
		s.whole(w, req, turn)
	}
}

// kinds are the error types of the protocol by status.
var kinds = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
	413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 503: "api_error", 529: "overloaded_error",
}

func failure(kind, message string) serve.Object {
	return serve.Object{"type": "error", "error": serve.Object{"type": kind, "message": message}, "request_id": "req_scripted"}
}

func writeError(w http.ResponseWriter, status int, message string, retryAfter time.Duration) {
	kind := kinds[status]
	if kind == "" {
		kind = "api_error"
	}
	serve.RetryAfter(w, retryAfter)
	serve.JSON(w, status, failure(kind, message))
}

// writer writes server-sent events.
type writer struct{ to http.ResponseWriter }

func (w writer) event(name string, fields serve.Object) {
	fields["type"] = name
	_, _ = fmt.Fprintf(w.to, "event: %s\ndata: %s\n\n", name, serve.Text(fields))
	serve.Flush(w.to)
}

// join is a text put together.
func join(pieces []string) string { return strings.Join(pieces, "") }
