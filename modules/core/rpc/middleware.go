package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

// RequestIDHeader carries the request's id in and out.
const RequestIDHeader = "X-Request-Id"

// record is what the access log learns of a request on its way in.
type record struct{ procedure, user string }

type recordKey struct{}

func noteProcedure(ctx context.Context, procedure string) {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		rec.procedure = procedure
	}
}

// observed gives each request its id and a line in the log, and turns a panic
// into an internal error. The query never gets into the log: it may hold a
// token.
func observed(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(RequestIDHeader)
		if !saneID(id) {
			id = uuid.NewString()
		}
		rec := &record{}
		ctx := context.WithValue(WithRequestID(r.Context(), id), recordKey{}, rec)
		r = r.WithContext(ctx)
		w.Header().Set(RequestIDHeader, id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		seen := &seenWriter{ResponseWriter: w}
		method, path, start := r.Method, r.URL.Path, time.Now()
		defer func() {
			failure := recovered(recover())
			if failure != nil {
				var crash *panicError
				errors.As(failure, &crash)
				log.ErrorContext(ctx, "a request panicked", "path", path, "request_id", id, "error", failure.Error(), "stack", string(crash.stack))
				if seen.status == 0 {
					writeProblem(seen, r, ErrInternal.New(id))
				}
			}
			if seen.status == 0 {
				seen.status = http.StatusOK // nothing was written; net/http says 200
			}
			log.LogAttrs(ctx, levelOf(path, seen.status), "request",
				slog.String("method", method), slog.String("path", path), slog.Int("status", seen.status),
				slog.Int64("bytes", seen.bytes), slog.Duration("took", time.Since(start)),
				slog.String("request_id", id), slog.String("procedure", rec.procedure), slog.String("user", rec.user))
		}()
		next.ServeHTTP(seen, r)
	})
}

// levelOf keeps probes out of the log as long as they are well.
func levelOf(path string, status int) slog.Level {
	switch {
	case status >= http.StatusInternalServerError:
		return slog.LevelWarn
	case path == "/healthz" || path == "/readyz" || path == "/metrics":
		return slog.LevelDebug
	default:
		return slog.LevelInfo
	}
}

// saneID reports whether a caller's request id can stand in logs and headers.
func saneID(id string) bool {
	return id != "" && len(id) <= 128 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") == ""
}

// noted tells the access log who it was.
func noted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec, ok := r.Context().Value(recordKey{}).(*record); ok {
			if actor, ok := auth.FromContext(r.Context()); ok {
				rec.user = actor.Name()
			}
		}
		next.ServeHTTP(w, r)
	})
}

// bounded refuses bodies over the limit, at once when their length is said.
func bounded(limit int64, refuse func(http.ResponseWriter, *http.Request, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			refuse(w, r, ErrTooLarge.New(limit))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// seenWriter remembers what was answered.
type seenWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *seenWriter) WriteHeader(status int) {
	if w.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *seenWriter) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(data)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher, which streams ask for by type.
func (w *seenWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap leads http.ResponseController, and with it the WebSocket, further in.
func (w *seenWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
