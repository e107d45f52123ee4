package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Apply changes the allow-list while plugins run. A plugin whose binary or
// settings changed is started anew first; then new calls go to the new process,
// while calls and runs under way finish on the old one. When the new one can't
// be started, the old one goes on, and the error says why; it is not tried
// again before the entry changes once more or the plugin is restarted.
//
// Plugins that are no longer listed or enabled take no new calls.
func (h *Host) Apply(ctx context.Context, plugins []Plugin) error {
	if err := (&Config{Plugins: plugins}).Validate(); err != nil {
		return fmt.Errorf("plugins: %w", err)
	}
	h.applying.Lock()
	defer h.applying.Unlock()
	wanted := map[string]Plugin{}
	for _, p := range plugins {
		if p.Enabled {
			wanted[p.Name] = p
		}
	}
	h.mu.RLock()
	slots := maps.Clone(h.slots)
	h.mu.RUnlock()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for name, s := range slots {
		p, ok := wanted[name]
		if !ok {
			s.disable()
			continue
		}
		wg.Go(func() {
			if err := s.change(ctx, p); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if _, ok := slots[name]; !ok {
			errs = append(errs, h.add(wanted[name]))
		}
	}
	return errors.Join(errs...)
}

// same says whether two entries run the same thing.
func (p *Plugin) same(o *Plugin) bool {
	return p.SHA256 == o.SHA256 && p.kind() == o.kind() && slices.Equal(p.Args, o.Args) && maps.Equal(p.Env, o.Env)
}

func (s *slot) isEnabled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enabled
}

// disable takes no new calls and lets those under way finish.
func (s *slot) disable() {
	s.mu.Lock()
	s.enabled = false
	s.generation++
	old := s.forget()
	s.mu.Unlock()
	if old != nil {
		old.kill()
	}
}

// forget takes the current instance out of use and clears what is known of
// failures; the caller holds mu, and kills what it gets.
func (s *slot) forget() (idle *instance) {
	old := s.current
	s.current, s.crashes, s.next, s.isolated, s.problem = nil, nil, time.Time{}, false, ""
	if old != nil && old.calls == 0 {
		return old
	}
	return nil
}

// change runs another binary, or the same with other settings, from now on.
func (s *slot) change(ctx context.Context, p Plugin) error {
	s.mu.Lock()
	unchanged := s.enabled && s.plugin.same(&p)
	if unchanged || s.refused != nil && s.enabled && s.refused.same(&p) {
		s.plugin.Path = p.Path
		s.mu.Unlock()
		return nil
	}
	if s.kind.kindName() != p.kind() {
		s.mu.Unlock()
		return fmt.Errorf("plugin %s can't change from a %s to a %s plugin while the server runs: restart it", s.name, s.kind.kindName(), p.kind())
	}
	if !s.enabled {
		// It starts with its first call, as at the server's start.
		s.plugin, s.enabled, s.refused = p, true, nil
		s.generation++
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	life, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)() //nolint:contextcheck // it ends with the host as well as with the caller
	inst, err := s.host.launch(life, s, &p)
	s.mu.Lock()
	switch {
	case err != nil:
		s.refused, s.problem = &p, fmt.Sprintf("the version that was installed last can't be started, so the old one goes on: %v", err)
		s.mu.Unlock()
		s.host.log(s.name).Error("the new version of a plugin can't be started, so the old one goes on", "error", err)
		return fmt.Errorf("the new version of plugin %s can't be started, so the old one goes on: %w", s.name, err)
	case s.closed || !s.enabled:
		s.mu.Unlock()
		inst.kill()
		return nil
	}
	s.plugin, s.refused = p, nil
	s.generation++
	old := s.forget()
	s.adopt(inst)
	s.mu.Unlock()
	s.greet(inst)
	if old != nil {
		old.kill()
	}
	return nil
}

// hold is a run's claim on the instance that it began with.
type hold struct{ inst *instance }

// acquireFor is acquire for a run: as long as the slot's binary is the one that
// the run began with, any of its processes will do; else only the old one,
// which lives as long as the run.
func (s *slot) acquireFor(ctx context.Context, h *hold) (*instance, error) {
	if h == nil {
		return s.acquire(ctx)
	}
	for {
		s.mu.Lock()
		superseded := s.generation != h.inst.generation
		if superseded && !h.inst.proc.gone() {
			h.inst.calls++
			s.mu.Unlock()
			return h.inst, nil
		}
		s.mu.Unlock()
		if superseded {
			return nil, s.fail("start", ErrUnavailable, errors.New("another version was installed while it was at work, and its process died: "+h.inst.proc.epitaph()))
		}
		inst, err := s.acquire(ctx)
		if err == nil && inst.generation != h.inst.generation {
			s.release(inst)
			continue
		}
		return inst, err
	}
}
