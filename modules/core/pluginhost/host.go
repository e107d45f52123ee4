package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// kinds are those that a host knows unless New is given others.
var kinds = []AnyKind{Validator, LLM}

// Host runs the plugins of an allow-list. Plugins start when they are first
// called.
type Host struct {
	cfg   Config
	dir   *runDir
	slots map[string]*slot
	// warnUser remembers that this machine can't change the user of a plugin.
	warnUser sync.Once
}

// New checks the configuration and prepares the host's folder. It starts no
// plugin. Without kinds it knows all that this package has.
func New(cfg Config, known ...AnyKind) (*Host, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("plugins: %w", err)
	}
	if len(known) == 0 {
		known = kinds
	}
	dir, err := newRunDir(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("prepare a folder for plugins: %w", err)
	}
	h := &Host{cfg: cfg.withDefaults(), dir: dir, slots: map[string]*slot{}}
	for i, p := range cfg.Plugins {
		if !p.Enabled {
			continue
		}
		at := slices.IndexFunc(known, func(k AnyKind) bool { return k.kindName() == p.kind() })
		if at < 0 {
			return nil, errors.Join(fmt.Errorf("plugins: %s has the unknown kind %q", p.Name, p.kind()), dir.remove())
		}
		h.slots[p.Name] = newSlot(h, p, known[at], h.cfg.FirstUID+i)
	}
	return h, nil
}

// Info is what is known of a plugin.
type Info struct {
	Name string
	Kind string
	Path string
	// State is "idle", "starting", "running", "waiting" (to be started again)
	// or "quarantined".
	State string
	// Description of the last successful start.
	Description Description
	// Protocol is the negotiated version.
	Protocol int
	PID      int
	Started  time.Time
	// Crashes within the crash window.
	Crashes int
	// Problem is for the operator: the last failure, and what to do.
	Problem string
}

// Catalog starts every plugin that does not run and says what is known of each,
// by name. A plugin that could not start has a Problem.
func (h *Host) Catalog(ctx context.Context) []Info {
	var wg sync.WaitGroup
	for _, s := range h.slots {
		wg.Go(func() {
			if inst, err := s.acquire(ctx); err == nil {
				s.release(inst)
			}
		})
	}
	wg.Wait()
	return h.Status()
}

// Status says what is known of each plugin, by name, and starts none.
func (h *Host) Status() []Info {
	out := make([]Info, 0, len(h.slots))
	for _, s := range h.slots {
		out = append(out, s.info())
	}
	slices.SortFunc(out, func(a, b Info) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return out
}

// Names returns the enabled plugins of a kind, sorted.
func (h *Host) Names(kind string) []string {
	var out []string
	for name, s := range h.slots {
		if s.kind.kindName() == kind {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Restart lets the plugin's process end after its calls, takes it out of
// quarantine, and starts a new one with the next call.
func (h *Host) Restart(name string) error {
	s, ok := h.slots[name]
	if !ok {
		return &CallError{Plugin: name, Op: "restart", Reason: ErrUnknown}
	}
	s.reset()
	return nil
}

// Close kills every plugin with all its processes and removes the host's folder.
func (h *Host) Close() error {
	var wg sync.WaitGroup
	for _, s := range h.slots {
		wg.Go(s.close)
	}
	wg.Wait()
	return h.dir.remove()
}

func (h *Host) log(name string) *slog.Logger { return h.cfg.Logger.With("plugin", name) }

func isRoot() bool { return os.Geteuid() == 0 }
