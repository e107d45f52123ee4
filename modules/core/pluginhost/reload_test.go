package pluginhost

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// versioned is the played plugin in another version; slow is a call of a second.
func versioned(t *testing.T, mode, version string) Plugin {
	t.Helper()
	p := entry(t, mode)
	p.Env["TEST_VERSION"] = version
	return p
}

func describedVersion(t *testing.T, j judging.Judge) string {
	t.Helper()
	d, err := j.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.Version
}

func TestANewVersionTakesNewCallsWhileOldOnesFinish(t *testing.T) {
	h := setup(t, "killable")
	v := played(t, h)
	h.Catalog(t.Context())
	first := h.Status()[0].PID
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := verdict(t.Context(), v, "slow"); err != nil || got != judging.VerdictPassed {
				t.Errorf("a call under way: %q, %v", got, err)
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			if _, err := verdict(t.Context(), v, "good"); err != nil {
				t.Errorf("a call during the change: %v", err)
			}
		}
	})
	time.Sleep(200 * time.Millisecond)
	if err := h.Apply(t.Context(), []Plugin{versioned(t, "killable", "2.0.0")}); err != nil {
		t.Fatal(err)
	}
	if s := h.Status()[0]; s.PID == first || s.Description.Version != "2.0.0" || s.State != "running" {
		t.Errorf("%+v", s)
	}
	if got := describedVersion(t, v); got != "2.0.0" {
		t.Errorf("a handle from before reaches %s", got)
	}
	wg.Wait()
	gone(t, first)
	if s := h.Status()[0]; s.Crashes != 0 {
		t.Errorf("%+v", s)
	}
}

func TestARunStaysOnTheVersionItBeganWith(t *testing.T) {
	h := setup(t, "killable")
	run, done, err := h.ValidatorRun(t.Context(), "played")
	if err != nil {
		t.Fatal(err)
	}
	old := h.Status()[0].PID
	if err := h.Apply(t.Context(), []Plugin{versioned(t, "killable", "2.0.0")}); err != nil {
		t.Fatal(err)
	}
	if got := describedVersion(t, run); got != "1.2.3" {
		t.Errorf("the run was moved to version %s", got)
	}
	if got, err := verdict(t.Context(), run, "good"); err != nil || got != judging.VerdictPassed {
		t.Errorf("%q, %v", got, err)
	}
	if got := describedVersion(t, played(t, h)); got != "2.0.0" {
		t.Errorf("a new run is on version %s", got)
	}
	done()
	done()
	gone(t, old)
	if _, err := verdict(t.Context(), run, "good"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a run that is over must not reach another version: %v", err)
	}
}

func TestARunOutlivesACrashOfItsOwnVersion(t *testing.T) {
	h := setup(t, "honest")
	run, done, err := h.ValidatorRun(t.Context(), "played")
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if err := h.Restart("played"); err != nil {
		t.Fatal(err)
	}
	if got, err := verdict(t.Context(), run, "good"); err != nil || got != judging.VerdictPassed {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAVersionThatCanNotBeStartedDoesNotReplaceOneThatWorks(t *testing.T) {
	h := setup(t, "honest")
	h.Catalog(t.Context())
	bad := versioned(t, "bad-description", "2.0.0")
	err := h.Apply(t.Context(), []Plugin{bad})
	if err == nil || !strings.Contains(err.Error(), "the old one goes on") {
		t.Fatal(err)
	}
	if err := h.Apply(t.Context(), []Plugin{bad}); err != nil {
		t.Errorf("it must not be tried at each look: %v", err)
	}
	if s := h.Status()[0]; s.Description.Version != "1.2.3" || !strings.Contains(s.Problem, "no language is named") {
		t.Errorf("%+v", s)
	}
	if got := describedVersion(t, played(t, h)); got != "1.2.3" {
		t.Error(got)
	}
	if err := h.Apply(t.Context(), []Plugin{versioned(t, "honest", "2.0.1")}); err != nil {
		t.Fatal(err)
	}
	if s := h.Status()[0]; s.Description.Version != "2.0.1" || s.Problem != "" {
		t.Errorf("%+v", s)
	}
}

func TestPluginsComeAndGoWhileTheHostRuns(t *testing.T) {
	h := setup(t, "killable")
	run, done, err := h.ValidatorRun(t.Context(), "played")
	if err != nil {
		t.Fatal(err)
	}
	v, pid := played(t, h), h.Status()[0].PID
	if err := h.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if len(h.Status()) != 0 || len(h.Names("validator")) != 0 {
		t.Errorf("%+v", h.Status())
	}
	if _, err := h.Validator("played"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := verdict(t.Context(), v, "good"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if got, err := verdict(t.Context(), run, "good"); err != nil || got != judging.VerdictPassed {
		t.Errorf("a run under way: %q, %v", got, err)
	}
	done()
	gone(t, pid)
	if err := h.Apply(t.Context(), []Plugin{versioned(t, "honest", "3.0.0")}); err != nil {
		t.Fatal(err)
	}
	if got := describedVersion(t, v); got != "3.0.0" {
		t.Error(got)
	}
	fresh, err := New(Config{StartTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fresh.Close() }()
	if err := fresh.Apply(t.Context(), []Plugin{entry(t, "honest")}); err != nil {
		t.Fatal(err)
	}
	if got, err := verdict(t.Context(), played(t, fresh), "good"); err != nil || got != judging.VerdictPassed {
		t.Errorf("a new plugin: %q, %v", got, err)
	}
}

func TestANewVersionEndsAQuarantine(t *testing.T) {
	h := setup(t, "crashing", func(c *Config) { c.MaxCrashes = 1; c.Quarantine = time.Hour })
	if _, err := verdict(t.Context(), played(t, h), "good"); err == nil {
		t.Fatal("a crash is no verdict")
	}
	deadline := time.Now().Add(time.Minute)
	for h.Status()[0].State != "quarantined" && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := h.Apply(ctx, []Plugin{entry(t, "honest")}); err != nil {
		t.Fatal(err)
	}
	if got, err := verdict(ctx, played(t, h), "good"); err != nil || got != judging.VerdictPassed {
		t.Errorf("%q, %v", got, err)
	}
}
