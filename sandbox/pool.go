//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// Pool runs steps in rooms that were built before they came, each of which
// serves one process and is then gone. What is not there yet is built for the
// step, as a Runner does, so a Pool is never worse than waiting. It is safe for
// concurrent use and must be closed.
type Pool struct {
	runner *Runner
	cfg    PoolConfig
	wake   chan struct{}
	stop   context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	kinds   map[string]*kind
	servers map[string]*server
	changed chan struct{} // closed and replaced when something was built or failed
	closed  bool
}

// set is the rooms of one step, waiting.
type set struct {
	rooms []*room
	way   Way
	taken chan struct{}
}

func (s *set) close() error {
	for _, room := range s.rooms {
		room.kill()
	}
	errs := make([]error, 0, len(s.rooms))
	for _, room := range s.rooms {
		errs = append(errs, room.close())
	}
	return errors.Join(errs...)
}

// orphaned says that the rooms' fork-server died, and they with it, which is seen
// a little later.
func (s *set) orphaned() bool {
	patience := time.After(time.Second)
	for _, m := range s.rooms {
		if m.spec.from == nil {
			continue
		}
		select {
		case <-m.spec.from.room.gone:
			return true
		case <-patience:
			return false
		}
	}
	return false
}

// NewPool keeps rooms of this runner. They are built from the first step of
// each kind on.
func (r *Runner) NewPool(cfg PoolConfig) *Pool {
	ctx, stop := context.WithCancel(context.Background()) //nolint:forbidigo // Close ends it
	p := &Pool{runner: r, cfg: cfg.withDefaults(r.cfg.Slots), wake: make(chan struct{}, 1), stop: stop,
		kinds: map[string]*kind{}, servers: map[string]*server{}, changed: make(chan struct{})}
	// More at a time would only take the machine from the steps that run.
	for range max(1, runtime.NumCPU()/2) {
		p.work.Go(func() { p.keep(ctx) })
	}
	return p
}

// Run is Runner.Run, from waiting rooms where there are some.
func (p *Pool) Run(ctx context.Context, step Step) (Result, error) {
	begun := time.Now()
	mounts, err := p.runner.check(step)
	if err != nil {
		return Result{}, err
	}
	if s := p.take(ctx, &step, mounts); s != nil {
		x := &run{runner: p.runner, step: step, way: s.way, rooms: s.rooms}
		result, err := x.finish(ctx, begun, func(context.Context) error { return nil })
		p.refill()
		var start *StartError
		if err == nil || ctx.Err() != nil || x.begun && !s.orphaned() || errors.As(err, &start) {
			return result, step.wrap(err)
		}
		// Nothing of the step has happened yet, or nothing of it was seen.
		p.cfg.Logger.Warn("a waiting sandbox could not be used, so one was built", "way", s.way, "error", err)
	}
	result, err := p.runner.runCold(ctx, step, mounts, begun)
	p.refill()
	return result, step.wrap(err)
}

// Prepare waits until rooms for steps like this one are there, and says why not
// if they can't be had.
func (p *Pool) Prepare(ctx context.Context, step Step) error {
	mounts, err := p.runner.check(step)
	if err != nil {
		return err
	}
	for {
		p.mu.Lock()
		k, changed := p.find(&step, mounts), p.changed
		err, full := k.err, len(k.sets) >= p.cfg.Size
		if p.closed {
			err = errors.New("the pool is closed")
		}
		p.mu.Unlock()
		if full || err != nil {
			return err
		}
		p.poke()
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for prepared sandboxes: %w", ctx.Err())
		}
	}
}

// Waiting counts the rooms that wait.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting()
}

// Close takes all waiting rooms down and returns when nothing of them is left.
// Steps that run go on; later ones get rooms of their own.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.work.Wait()
	p.mu.Lock()
	errs := make([]error, 0, len(p.kinds)+len(p.servers))
	for _, k := range p.kinds {
		errs = append(errs, p.empty(k))
	}
	servers := p.servers
	p.servers = nil
	p.announce()
	p.mu.Unlock()
	for _, s := range servers {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// take returns rooms for the step, nil when it has to wait for cold ones. Where
// none wait, a fork-server makes them in less time than cold ones take.
func (p *Pool) take(ctx context.Context, step *Step, mounts []wire.Mount) *set {
	if s := p.pick(step, mounts); s != nil || !step.Recurring {
		return s
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	plan := p.find(step, mounts).plan()
	server := p.servers[plan.warmKey]
	p.mu.Unlock()
	if server == nil || !plan.warm.forks() {
		return nil
	}
	z := server.ready()
	if z == nil {
		return nil
	}
	forking, cancel := context.WithTimeout(ctx, prepareTimeout/2)
	defer cancel()
	s, err := p.assemble(forking, plan, z)
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, errNoSlots) {
			p.forkFailed(z, err)
		}
		return nil
	}
	close(s.taken)
	return s
}

// pick takes a set of the step's kind out of the pool.
func (p *Pool) pick(step *Step, mounts []wire.Mount) *set {
	if !step.Recurring {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	k := p.find(step, mounts)
	if len(k.sets) == 0 {
		return nil
	}
	s := k.sets[0]
	k.sets = slices.Delete(k.sets, 0, 1)
	close(s.taken)
	return s
}

// empty takes down what waits for a kind. The caller holds the lock; killed
// rooms are gone within moments.
func (p *Pool) empty(k *kind) error {
	errs := make([]error, 0, len(k.sets))
	for _, s := range k.sets {
		close(s.taken)
		errs = append(errs, s.close())
	}
	k.sets = nil
	return errors.Join(errs...)
}

func (p *Pool) waiting() (n int) {
	for _, k := range p.kinds {
		n += len(k.parts) * (len(k.sets) + k.building)
	}
	return n
}

func (p *Pool) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// refillPause leaves the machine to whoever reads the result first.
const refillPause = 10 * time.Millisecond

// refill has what a step took built again, soon.
func (p *Pool) refill() { time.AfterFunc(refillPause, p.poke) }

// announce tells those who wait in Prepare. The caller holds the lock.
func (p *Pool) announce() {
	close(p.changed)
	p.changed = make(chan struct{})
}
