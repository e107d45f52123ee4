package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
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
	known []AnyKind

	// applying lets one change of the allow-list happen at a time.
	applying sync.Mutex
	mu       sync.RWMutex
	slots    map[string]*slot
	nextUID  int
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
	h := &Host{cfg: cfg.withDefaults(), dir: dir, known: known, slots: map[string]*slot{}}
	h.nextUID = h.cfg.FirstUID
	for _, p := range cfg.Plugins {
		if !p.Enabled {
			h.nextUID++
			continue
		}
		if err := h.add(p); err != nil {
			return nil, errors.Join(fmt.Errorf("plugins: %w", err), dir.remove())
		}
	}
	return h, nil
}

// add makes a slot for an enabled plugin.
func (h *Host) add(p Plugin) error {
	at := slices.IndexFunc(h.known, func(k AnyKind) bool { return k.kindName() == p.kind() })
	if at < 0 {
		return fmt.Errorf("%s has the unknown kind %q", p.Name, p.kind())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slots[p.Name] = newSlot(h, p, h.known[at], h.nextUID)
	h.nextUID++
	return nil
}

// enabled are the slots of enabled plugins, by name.
func (h *Host) enabled() []*slot {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var out []*slot
	for _, s := range h.slots {
		if s.isEnabled() {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *slot) int { return strings.Compare(a.name, b.name) })
	return out
}

// slot returns an enabled plugin's.
func (h *Host) slot(name string) (*slot, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	s, ok := h.slots[name]
	return s, ok && s.isEnabled()
}

// Info is what is known of a plugin.
type Info struct {
	Name string
	Kind string
	Path string
	// SHA256 that its binary is pinned to.
	SHA256 string
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
	for _, s := range h.enabled() {
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
	slots := h.enabled()
	out := make([]Info, len(slots))
	for i, s := range slots {
		out[i] = s.info()
	}
	return out
}

// Names returns the enabled plugins of a kind, sorted.
func (h *Host) Names(kind string) []string {
	var out []string
	for _, s := range h.enabled() {
		if s.kind.kindName() == kind {
			out = append(out, s.name)
		}
	}
	return out
}

// Restart lets the plugin's process end after its calls, takes it out of
// quarantine, and starts a new one with the next call.
func (h *Host) Restart(name string) error {
	s, ok := h.slot(name)
	if !ok {
		return &CallError{Plugin: name, Op: "restart", Reason: ErrUnknown}
	}
	s.reset()
	return nil
}

// Close kills every plugin with all its processes and removes the host's folder.
func (h *Host) Close() error {
	h.applying.Lock()
	defer h.applying.Unlock()
	h.mu.RLock()
	slots := slices.Collect(maps.Values(h.slots))
	h.mu.RUnlock()
	var wg sync.WaitGroup
	for _, s := range slots {
		wg.Go(s.close)
	}
	wg.Wait()
	return h.dir.remove()
}

func (h *Host) log(name string) *slog.Logger { return h.cfg.Logger.With("plugin", name) }

func isRoot() bool { return os.Geteuid() == 0 }
