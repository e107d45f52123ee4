package conform

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// T is what a check reports to; *testing.T is one.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(f func())
	TempDir() string
}

// Check is one thing that a plugin owes its host.
type Check struct {
	// Name finishes the sentence "The plugin …".
	Name string
	// Fix says what an author does when the check fails.
	Fix string
	// Run checks. It ends early when nothing more can be said.
	Run func(t T)
}

// Result is what came of a check outside of Go's tests.
type Result struct {
	Check
	// Problems are why it failed; none when it passed.
	Problems []string
	// Notes are worth knowing all the same.
	Notes []string
	Took  time.Duration
}

// OK says that the check passed.
func (r *Result) OK() bool { return len(r.Problems) == 0 }

// Record runs a check outside of Go's tests.
func Record(ctx context.Context, c Check) Result {
	began := time.Now()
	rec := &recorder{ctx: ctx}
	done := make(chan struct{})
	// Fatalf ends the goroutine, as it does in tests.
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				rec.Errorf("the check panicked: %v", p)
			}
		}()
		c.Run(rec)
	}()
	<-done
	rec.cleanUp()
	return Result{Check: c, Problems: rec.problems, Notes: rec.notes, Took: time.Since(began)}
}

type recorder struct {
	ctx context.Context //nolint:containedctx // testing.T has one too

	mu              sync.Mutex
	problems, notes []string
	cleanups        []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) TempDir() string {
	dir, err := os.MkdirTemp("", "plugin-check-")
	if err != nil {
		r.Fatalf("make a folder: %v", err)
	}
	r.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (r *recorder) cleanUp() {
	r.mu.Lock()
	cleanups := r.cleanups
	r.mu.Unlock()
	for i := len(cleanups) - 1; i >= 0; i-- {
		cleanups[i]()
	}
}
