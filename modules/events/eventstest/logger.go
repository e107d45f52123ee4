package eventstest

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
)

// Logger logs into a test, until that ends.
func Logger(t testing.TB) *slog.Logger {
	t.Helper()
	w := &writer{t: t}
	t.Cleanup(func() { w.ended.Store(true) })
	return slog.New(slog.NewTextHandler(w, nil))
}

type writer struct {
	t     testing.TB
	ended atomic.Bool
}

func (w *writer) Write(line []byte) (int, error) {
	if !w.ended.Load() {
		w.t.Log(strings.TrimSuffix(string(line), "\n"))
	}
	return len(line), nil
}
