//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// lookInterval is how often the pool looks for what has become idle or may be
// tried again.
const lookInterval = time.Second

// keep builds what is missing until ctx ends.
func (p *Pool) keep(ctx context.Context) {
	tick := time.NewTicker(min(lookInterval, p.cfg.Idle/2+1))
	defer tick.Stop()
	for ctx.Err() == nil {
		if k, plan := p.next(); k != nil {
			s, err := p.build(ctx, plan)
			p.built(ctx, k, s, err)
			p.poke() // the other workers
			continue
		}
		select {
		case <-p.wake:
		case <-tick.C:
			p.expire()
		case <-ctx.Done():
		}
	}
}

// plan is a copy of what a kind needs, as the kind may change meanwhile.
type plan struct {
	kind
	specs []roomSpec
}

// next takes the most recently used kind that lacks rooms. Where the pool is
// full, kinds that were not used for longer make room.
func (p *Pool) next() (*kind, *plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil
	}
	byUse := make([]*kind, 0, len(p.kinds))
	for _, k := range p.kinds {
		byUse = append(byUse, k)
	}
	slices.SortFunc(byUse, func(a, b *kind) int { return b.used.Compare(a.used) })
	for i, k := range byUse {
		if k.resting() || len(k.sets)+k.building >= p.cfg.Size {
			continue
		}
		if !p.makeRoom(len(k.parts), byUse[i+1:]) {
			return nil, nil
		}
		k.building++
		return k, k.plan()
	}
	return nil, nil
}

// plan says what a set of the kind is built of. The caller holds the lock.
func (k *kind) plan() *plan {
	specs := make([]roomSpec, len(k.parts))
	for i, part := range k.parts {
		specs[i] = roomSpec{mounts: k.mounts, limits: part.limits, stdin: true}
		if part.warm {
			specs[i].beside = k.warm.Files
			if k.warm.serves() {
				specs[i].warm = k.warm
			}
		}
	}
	return &plan{kind: *k, specs: specs}
}

// makeRoom takes down sets of less recently used kinds until n more rooms fit.
func (p *Pool) makeRoom(n int, less []*kind) bool {
	for p.waiting()+n > p.cfg.MaxRooms {
		i := len(less) - 1
		for i >= 0 && len(less[i].sets) == 0 {
			i--
		}
		if i < 0 {
			return false
		}
		s := less[i].sets[0]
		less[i].sets = slices.Delete(less[i].sets, 0, 1)
		close(s.taken)
		p.report(s.close())
	}
	return true
}

// errNoSlots is no failure: those who run steps need them all.
var errNoSlots = errors.New("no sandbox is free")

// build returns a set that waits: forked if there is a server whose children
// are as they must be.
func (p *Pool) build(ctx context.Context, plan *plan) (*set, error) {
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout+p.runner.warmPatience)
	defer cancel()
	if server := p.serverOf(ctx, plan); server != nil {
		forking, cancel := context.WithTimeout(ctx, prepareTimeout/2)
		s, err := p.assemble(forking, plan, server)
		cancel()
		if err == nil || ctx.Err() != nil || errors.Is(err, errNoSlots) {
			return s, err
		}
		p.forkFailed(server, err)
	}
	return p.assemble(ctx, plan, nil)
}

func (p *Pool) assemble(ctx context.Context, plan *plan, server *zygote) (*set, error) {
	s := &set{way: Prepared, taken: make(chan struct{})}
	specs := slices.Clone(plan.specs)
	for i := range specs {
		switch spec := &specs[i]; {
		case spec.warm != nil && server != nil:
			spec.warm, spec.from, s.way = nil, server, Forked
		case spec.warm != nil:
			s.way = Warm
		}
	}
	slots := p.runner.tryTake(len(specs))
	if slots == nil {
		return nil, errNoSlots
	}
	var err error
	if s.rooms, err = p.runner.openAll(slots, specs, plan.channel); err == nil {
		err = p.settle(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// settle waits until all rooms of a set wait.
func (*Pool) settle(ctx context.Context, s *set) error {
	errs := make([]error, len(s.rooms))
	var all sync.WaitGroup
	for i, room := range s.rooms {
		all.Go(func() {
			if errs[i] = room.waitReady(ctx); errs[i] != nil {
				return
			}
			if room.spec.warm != nil {
				errs[i] = room.warmUp(ctx)
				return
			}
			errs[i] = <-room.joined
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// built takes a new set in, or notes why there is none.
func (p *Pool) built(ctx context.Context, k *kind, s *set, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k.building--
	switch {
	case errors.Is(err, errNoSlots):
		k.retry = time.Now().Add(lookInterval)
	case err != nil:
		if ctx.Err() == nil && k.failed(err) {
			p.cfg.Logger.Warn("sandboxes can't be prepared, so each is built when it is needed", "error", err)
		}
	case p.closed || p.kinds[k.key] != k:
		p.report(s.close())
	default:
		k.trouble = trouble{}
		k.sets = append(k.sets, s)
		for _, room := range s.rooms {
			go p.mourn(k, s, room)
		}
	}
	p.announce()
}

// mourn replaces a set of which a room dies while it waits.
func (p *Pool) mourn(k *kind, s *set, room *room) {
	select {
	case <-s.taken:
		return
	case <-room.gone:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(k.sets, s)
	if i < 0 {
		return
	}
	k.sets = slices.Delete(k.sets, i, i+1)
	close(s.taken)
	err := room.failure()
	p.report(s.close())
	if k.failed(err) {
		p.cfg.Logger.Warn("a waiting sandbox died", "error", err)
	}
	k.err = nil // it could be built
	p.announce()
	p.poke()
}

// expire lets go of what was not used for long.
func (p *Pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	inUse := map[string]bool{}
	for key, k := range p.kinds {
		if time.Since(k.used) < p.cfg.Idle {
			inUse[k.warmKey] = true
			continue
		}
		if k.building == 0 {
			p.report(p.empty(k))
			delete(p.kinds, key)
		}
	}
	for key, s := range p.servers {
		if !inUse[key] {
			delete(p.servers, key)
			p.report(s.close())
		}
	}
}

func (p *Pool) report(err error) {
	if err != nil {
		p.cfg.Logger.Error("something of a waiting sandbox is left", "error", err)
	}
}
