// Package serve is what the scripted providers have in common: listening on
// loopback, reading requests, waiting, and completing what a script leaves out.
package serve

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

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// Object is a piece of JSON that a server writes.
type Object = map[string]any

// HTTP is a running server.
type HTTP struct {
	http *http.Server
	addr string
}

// Start serves handler on address, by default a free port of 127.0.0.1.
func Start(address string, handler http.Handler) (*HTTP, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address) //nolint:noctx // at once
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	s := &HTTP{addr: l.Addr().String(), http: &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}}
	go func() { _ = s.http.Serve(l) }()
	return s, nil
}

// URL is the server's address, without a path.
func (s *HTTP) URL() string { return "http://" + s.addr }

// Close stops the server and drops what is open.
func (s *HTTP) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond) //nolint:forbidigo // cleanup without a caller
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop server: %w", err)
	}
	return s.http.Close()
}

const maxRequestBytes = 32 << 20

// Body reads a request's body.
func Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		return nil, fmt.Errorf("the body can't be read: %w", err)
	}
	return raw, nil
}

// JSON answers with a JSON value.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // made of strings and numbers; a client that left is no error
}

// RetryAfter sets the header, when there is something to wait for.
func RetryAfter(w http.ResponseWriter, d time.Duration) {
	if d > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((d+time.Second-1)/time.Second)))
	}
}

// Text renders a value as one line of JSON.
func Text(v any) string {
	b, _ := json.Marshal(v) //nolint:errchkjson // made of strings and numbers
	return string(b)
}

// Cut drops the connection in the middle of an answer.
func Cut() { panic(http.ErrAbortHandler) }

// Flush sends what was written.
func Flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// Pause waits for d or until the client goes away, and says which.
func Pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}

// FillIn completes what the script left out.
func FillIn(t script.Turn, req *script.Request) script.Turn {
	if t.Reason == 0 {
		switch {
		case t.Refusal != "":
			t.Reason = llm.FinishRefusal
		case len(t.ToolCalls) > 0:
			t.Reason = llm.FinishToolCalls
		default:
			t.Reason = llm.FinishStop
		}
	}
	if t.Usage == (llm.Usage{}) {
		for _, m := range req.Messages {
			t.Usage.InputTokens += len(strings.Fields(m.Text)) + 3
		}
		t.Usage.OutputTokens = len(strings.Fields(strings.Join(t.Text, "")+t.Refusal)) + 5*len(t.ToolCalls)
	}
	return t
}

// Fragments cuts a text into pieces of five characters.
func Fragments(text string) []string {
	var out []string
	for runes := []rune(text); len(runes) > 0; {
		n := min(5, len(runes))
		out, runes = append(out, string(runes[:n])), runes[n:]
	}
	return out
}

// Uses says whether a request's JSON has a field.
func Uses(raw []byte, field string) bool {
	var fields map[string]json.RawMessage
	return json.Unmarshal(raw, &fields) == nil && fields[field] != nil
}
