package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const maxBackOff = 10 * time.Second

// slot is one enabled plugin over all its lives.
type slot struct {
	host *Host
	name string
	kind AnyKind
	uid  int
	// life ends with the host; a start under way is then killed.
	life context.Context //nolint:containedctx // the slot's own, from newSlot to close
	end  context.CancelFunc

	mu         sync.Mutex
	plugin     Plugin  // what new processes run
	generation int     // counts the changes of plugin
	refused    *Plugin // the last change that could not be started
	enabled    bool
	closed     bool
	current    *instance
	all        map[*instance]bool // also those that finish their last calls
	starting   chan struct{}      // closed when the start under way has ended
	crashes    []time.Time
	next       time.Time // no start before
	isolated   bool      // next is the end of a quarantine
	problem    string
	desc       Description
	version    int
}

func newSlot(h *Host, p Plugin, kind AnyKind, uid int) *slot {
	life, end := context.WithCancel(context.Background()) //nolint:forbidigo // close ends it
	return &slot{
		host: h, name: p.Name, kind: kind, uid: uid, life: life, end: end,
		plugin: p, enabled: true, all: map[*instance]bool{},
	}
}

func (s *slot) fail(op string, reason, err error) error {
	return &CallError{Plugin: s.name, Op: op, Reason: reason, Err: err}
}

// acquire returns a running instance with one more call on it.
func (s *slot) acquire(ctx context.Context) (*instance, error) {
	for {
		s.mu.Lock()
		switch {
		case s.closed:
			s.mu.Unlock()
			return nil, s.fail("start", ErrClosed, nil)
		case !s.enabled:
			s.mu.Unlock()
			return nil, s.fail("start", ErrUnknown, errors.New("it was disabled"))
		case s.current != nil && s.current.proc.gone():
			s.bury(s.current)
			s.mu.Unlock()
			continue
		case s.current != nil:
			inst := s.current
			inst.calls++
			s.mu.Unlock()
			return inst, nil
		case s.starting != nil:
			started := s.starting
			s.mu.Unlock()
			select {
			case <-started:
			case <-ctx.Done():
				return nil, s.fail("start", ErrUnavailable, ctx.Err())
			}
			if err := s.startFailed(); err != nil {
				return nil, err
			}
			continue
		}
		if wait := time.Until(s.next); wait > 0 {
			problem, isolated := s.problem, s.isolated
			s.mu.Unlock()
			if isolated {
				return nil, s.fail("start", ErrQuarantined, errors.New(problem))
			}
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
				return nil, s.fail("start", ErrUnavailable, errors.New(problem))
			}
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil, s.fail("start", ErrUnavailable, ctx.Err())
			}
			continue
		}
		// The start belongs to the slot, so it outlives a caller that gives up.
		s.starting = make(chan struct{})
		p, generation := s.plugin, s.generation
		s.mu.Unlock()
		go s.start(p, generation)
	}
}

// startFailed returns the error of the start that has just ended, if it failed.
func (s *slot) startFailed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil || s.problem == "" || s.closed || s.starting != nil {
		return nil
	}
	if s.isolated {
		return s.fail("start", ErrQuarantined, errors.New(s.problem))
	}
	return s.fail("start", ErrUnavailable, errors.New(s.problem))
}

func (s *slot) start(p Plugin, generation int) {
	inst, err := s.host.launch(s.life, s, &p)
	s.mu.Lock()
	close(s.starting)
	s.starting = nil
	switch {
	case s.closed || s.generation != generation:
		// Nobody waits for it, or something newer took its place.
		s.mu.Unlock()
		if err == nil {
			inst.kill()
		}
	case err != nil:
		s.countCrash(fmt.Sprintf("could not be started: %v", err))
		s.mu.Unlock()
	default:
		s.adopt(inst)
		s.mu.Unlock()
		s.greet(inst)
	}
}

// adopt makes an instance the one that new calls go to; the caller holds mu.
func (s *slot) adopt(inst *instance) {
	inst.generation = s.generation
	s.current, s.all[inst] = inst, true
	s.desc, s.version, s.problem, s.isolated = inst.desc, inst.version, "", false
}

func (s *slot) greet(inst *instance) {
	s.host.log(s.name).Info("plugin started", "pid", inst.proc.pid, "version", inst.desc.Version, "protocol", inst.version)
	go s.watch(inst)
}

// watch notices the death of an instance, and causes it when it no longer
// answers health checks.
func (s *slot) watch(inst *instance) {
	ticker := time.NewTicker(s.host.cfg.HealthEvery)
	defer ticker.Stop()
	missed := 0
	for {
		select {
		case <-inst.proc.done:
			s.mu.Lock()
			s.bury(inst)
			delete(s.all, inst)
			s.mu.Unlock()
			inst.kill()
			return
		case <-ticker.C:
			if err := inst.healthy(s.life); err == nil {
				missed = 0
			} else if missed++; missed >= 2 {
				s.host.log(s.name).Warn("plugin does not answer health checks, so it is killed", "error", err)
				inst.proc.kill()
			}
		}
	}
}

// bury takes a dead instance out of use; the caller holds mu.
func (s *slot) bury(inst *instance) {
	if s.current == inst {
		s.current = nil
		s.countCrash("died: " + inst.proc.epitaph())
	}
}

// countCrash decides when the plugin may start again; the caller holds mu.
func (s *slot) countCrash(what string) {
	now := time.Now()
	recent := s.crashes[:0]
	for _, t := range s.crashes {
		if now.Sub(t) < s.host.cfg.CrashWindow {
			recent = append(recent, t)
		}
	}
	s.crashes = append(recent, now)
	n := len(s.crashes)
	log := s.host.log(s.name)
	if s.isolated || n >= s.host.cfg.MaxCrashes {
		s.isolated, s.next = true, now.Add(s.host.cfg.Quarantine)
		s.problem = fmt.Sprintf("it failed %d times within %s and is quarantined until %s; the last time it %s. Look at its log, replace or disable it, or run `tracker plugin enable %s` to try at once",
			n, s.host.cfg.CrashWindow, s.next.Format(time.RFC3339), what, s.name)
		log.Error("plugin is quarantined", "problem", s.problem)
		return
	}
	wait := time.Duration(0)
	if n > 1 {
		wait = min(s.host.cfg.BackOff<<min(n-2, 10), maxBackOff)
	}
	s.next, s.problem = now.Add(wait), "it "+what
	log.Warn("plugin failed", "problem", s.problem, "next_start_in", wait.String(), "failures", n)
}

// release ends a call; an instance that is no longer current dies with its
// last one.
func (s *slot) release(inst *instance) {
	s.mu.Lock()
	inst.calls--
	last := inst.calls == 0 && s.current != inst
	s.mu.Unlock()
	if last {
		inst.kill()
	}
}

// retire sends new calls to a new process.
func (s *slot) retire(inst *instance) {
	s.mu.Lock()
	if s.current == inst {
		s.current = nil
	}
	s.mu.Unlock()
}

func (s *slot) reset() {
	s.mu.Lock()
	s.refused = nil
	idle := s.forget()
	s.mu.Unlock()
	if idle != nil {
		idle.kill()
	}
}

func (s *slot) close() {
	s.end()
	s.mu.Lock()
	s.closed, s.current = true, nil
	started := s.starting
	all := slices.Collect(maps.Keys(s.all))
	s.mu.Unlock()
	for _, inst := range all {
		inst.kill()
	}
	if started != nil {
		<-started
	}
}

// do makes one call. A hold keeps it on the binary that a run began with.
func (s *slot) do(ctx context.Context, h *hold, op string, timeout time.Duration, fn func(context.Context, any) error) (err error) {
	inst, err := s.acquireFor(ctx, h)
	if err != nil {
		return err
	}
	defer s.release(inst)
	// A defect in reading a hostile answer must not take the server down.
	defer func() {
		if p := recover(); p != nil {
			err = s.fail(op, ErrRefused, fmt.Errorf("its answer could not be read: %v", p))
		}
	}()
	call, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = fn(call, inst.client)
	switch {
	case err == nil:
		return nil
	case over(ctx, err):
		return s.fail(op, ErrDeadline, err)
	case over(call, err):
		s.retire(inst)
		return s.fail(op, ErrDeadline, fmt.Errorf("no answer within %s", timeout))
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.Canceled:
		// Either the connection broke a moment before the process was gone, or
		// it was closed here a moment after.
		select {
		case <-inst.proc.done:
			return s.fail(op, ErrUnavailable, errors.New("it died: "+inst.proc.epitaph()))
		case <-time.After(500 * time.Millisecond):
		}
		return s.fail(op, ErrUnavailable, err)
	case codes.ResourceExhausted:
		if tooLarge(err) {
			return s.fail(op, ErrTooLarge, err)
		}
	default: // the plugin's own error
	}
	return s.fail(op, ErrRefused, err)
}

// over says whether err comes from the end of ctx. The plugin's side may notice
// the deadline a moment before this one does.
func over(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	deadline, ok := ctx.Deadline()
	return ok && status.Code(err) == codes.DeadlineExceeded && time.Until(deadline) < 100*time.Millisecond
}

func (s *slot) info() Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := Info{
		Name: s.name, Kind: s.kind.kindName(), Path: s.plugin.Path, SHA256: s.plugin.SHA256, State: "idle",
		Description: s.desc, Protocol: s.version, Crashes: len(s.crashes), Problem: s.problem,
	}
	switch {
	case s.current != nil:
		i.State, i.PID, i.Started = "running", s.current.proc.pid, s.current.started
	case s.starting != nil:
		i.State = "starting"
	case s.isolated:
		i.State = "quarantined"
	case time.Now().Before(s.next):
		i.State = "waiting"
	}
	return i
}
