package rpc

import (
	"net/http"
	"time"
)

// patient ends a stream whose client does not take what it is sent: a write may
// last so long and no longer.
func patient(limit time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &patientWriter{ResponseWriter: w, clock: http.NewResponseController(w), limit: limit}
		// What comes next on this connection has all the time it needs.
		defer func() { _ = p.clock.SetWriteDeadline(time.Time{}) }()
		next.ServeHTTP(p, r)
	})
}

type patientWriter struct {
	http.ResponseWriter
	clock *http.ResponseController
	limit time.Duration
}

// Write implements http.ResponseWriter.
func (w *patientWriter) Write(data []byte) (int, error) {
	w.start()
	return w.ResponseWriter.Write(data)
}

// Flush implements http.Flusher.
func (w *patientWriter) Flush() {
	w.start()
	_ = w.clock.Flush()
}

// Unwrap leads http.ResponseController further in.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// start begins to wait; where there is no connection, in process, nobody stalls.
func (w *patientWriter) start() { _ = w.clock.SetWriteDeadline(time.Now().Add(w.limit)) }
