//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"sync"
)

// server keeps a fork-server for a warm-up program on its mounts.
type server struct {
	mu     sync.Mutex
	zygote *zygote
	trouble
}

// ready returns the fork-server if it is there, without waiting for one that is
// being started.
func (s *server) ready() *zygote {
	if !s.mu.TryLock() {
		return nil
	}
	defer s.mu.Unlock()
	if s.zygote == nil || !s.zygote.alive() {
		return nil
	}
	return s.zygote
}

func (s *server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zygote == nil {
		return nil
	}
	err := s.zygote.retire()
	s.zygote = nil
	return err
}

// serverOf returns the fork-server for a plan's rooms, nil when there is none:
// each room then starts the warm-up program itself.
func (p *Pool) serverOf(ctx context.Context, plan *plan) *zygote {
	if !plan.warm.forks() || !p.runner.user {
		return nil
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	s := p.servers[plan.warmKey]
	if s == nil {
		s = &server{}
		p.servers[plan.warmKey] = s
	}
	p.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.zygote != nil && s.zygote.alive() {
		return s.zygote
	}
	if s.zygote != nil {
		err := s.zygote.room.failure()
		p.report(s.zygote.retire())
		s.zygote = nil
		p.serverTrouble(s, err)
	}
	if s.resting() {
		return nil
	}
	z, err := p.runner.startZygote(ctx, plan.mounts, plan.warm, plan.serverLimits())
	if err != nil {
		if ctx.Err() == nil {
			p.serverTrouble(s, err)
		}
		return nil
	}
	s.zygote = z
	return z
}

// serverLimits are those of the most generous room, as its children begin with
// what it has loaded.
func (p *plan) serverLimits() Limits {
	l := p.parts[0].limits
	for _, part := range p.parts {
		l.Memory = max(l.Memory, part.limits.Memory)
	}
	return l
}

func (p *Pool) serverTrouble(s *server, err error) {
	if !errors.Is(err, errNoSlots) && s.failed(err) {
		p.cfg.Logger.Warn("a fork-server does not work, so each sandbox warms up by itself", "error", err)
	}
}

// forkFailed gives up a fork-server whose children are not as they must be.
func (p *Pool) forkFailed(z *zygote, err error) {
	p.mu.Lock()
	var found *server
	for _, s := range p.servers {
		if s.zygote == z {
			found = s
		}
	}
	p.mu.Unlock()
	if found == nil {
		return
	}
	found.mu.Lock()
	defer found.mu.Unlock()
	if found.zygote != z {
		return
	}
	found.zygote = nil
	p.report(z.retire())
	p.serverTrouble(found, err)
}
