//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// prepareTimeout bounds everything before the exec; it only strikes on a
// machine that is out of order.
const prepareTimeout = 20 * time.Second

// Run executes a step and returns when nothing of it is left. An error means
// that the platform could not run it, or that ctx ended; a program's failure is
// in the Result. It wraps ErrStep for impossible steps and *StartError for
// programs that can't be executed.
func (r *Runner) Run(ctx context.Context, step Step) (Result, error) {
	begun := time.Now()
	mounts, err := r.check(step)
	if err != nil {
		return Result{}, err
	}
	result, err := r.runCold(ctx, step, mounts, begun)
	return result, step.wrap(err)
}

func (r *Runner) runCold(ctx context.Context, step Step, mounts []wire.Mount, begun time.Time) (Result, error) {
	x := &run{runner: r, step: step, way: Cold}
	return x.finish(ctx, begun, func(ctx context.Context) error { return x.open(ctx, mounts) })
}

// check returns what the step's rooms show of the host.
func (r *Runner) check(step Step) ([]wire.Mount, error) {
	if err := step.Validate(); err != nil {
		return nil, err
	}
	return r.mounts(step)
}

func (s Step) wrap(err error) error {
	if s.Name == "" || err == nil {
		return err
	}
	return fmt.Errorf("run step %s: %w", s.Name, err)
}

// run is one execution of a step.
type run struct {
	runner *Runner
	step   Step
	way    Way
	rooms  []*room
	// begun says that every program was started.
	begun bool

	mu      sync.Mutex
	outcome Outcome
	culprit string
}

// met records the first limit that any process met.
func (x *run) met(role string, o Outcome) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.outcome == "" && o != Killed {
		x.outcome, x.culprit = o, role
	}
}

// finish runs the step in the rooms that get brings and takes them down.
func (x *run) finish(ctx context.Context, begun time.Time, get func(context.Context) error) (Result, error) {
	result, err := x.execute(ctx, begun, get)
	// Whatever happened, nothing may be left.
	closing := make([]error, 0, len(x.rooms))
	for _, room := range x.rooms {
		room.kill()
	}
	for _, room := range x.rooms {
		closing = append(closing, room.close())
	}
	if err == nil {
		err = errors.Join(closing...)
	}
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

func (x *run) execute(ctx context.Context, begun time.Time, get func(context.Context) error) (Result, error) {
	if err := get(ctx); err != nil {
		return Result{}, err
	}
	preparing, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	if err := x.start(preparing); err != nil {
		return Result{}, err
	}
	x.begun = true
	started := time.Now()
	if err := x.supervise(ctx); err != nil {
		return Result{}, err
	}
	result := Result{Outcome: Exited, Prepare: started.Sub(begun), Run: time.Since(started), Way: x.way}
	for _, room := range x.rooms {
		p, err := room.result()
		if err != nil {
			return Result{}, err
		}
		result.Processes = append(result.Processes, p)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.outcome != "" {
		result.Outcome, result.Culprit = x.outcome, x.culprit
	}
	return result, nil
}

// open opens all rooms, which build themselves at the same time.
func (x *run) open(ctx context.Context, mounts []wire.Mount) error {
	slots, err := x.runner.take(ctx, len(x.step.Processes))
	if err != nil {
		return err
	}
	specs := make([]roomSpec, len(x.step.Processes))
	for i, p := range x.step.Processes {
		specs[i] = roomSpec{mounts: mounts, limits: x.step.limitsOf(i), stdin: len(p.Stdin) > 0}
		if x.step.warms(i) {
			specs[i].beside = x.step.WarmUp.Files
		}
	}
	x.rooms, err = x.runner.openAll(slots, specs, x.step.Processes[0].Channel)
	return err
}

// openAll opens a room for each spec, with a channel between two if asked. It
// owns the slots; the rooms that it returns must be closed also on error.
func (r *Runner) openAll(slots []int, specs []roomSpec, channel bool) (rooms []*room, err error) {
	defer func() {
		// Those that no room took over.
		for _, slot := range slots {
			r.slots <- slot
		}
	}()
	var ends []*os.File
	if channel {
		if ends, err = channelEnds(); err != nil {
			return nil, err
		}
		defer closeAll(ends)
	}
	for i, spec := range specs {
		if channel {
			spec.channel = ends[i]
		}
		room, err := r.open(slots[0], spec)
		slots = slots[1:]
		if err != nil {
			return rooms, err
		}
		rooms = append(rooms, room)
	}
	return rooms, nil
}

// limitsOf are those of one process.
func (s Step) limitsOf(i int) Limits { return s.Processes[i].Limits.or(s.Limits).or(DefaultLimits()) }

// start gives the rooms their tasks and starts their programs together.
func (x *run) start(ctx context.Context) error {
	for i, room := range x.rooms {
		p := &x.step.Processes[i]
		if err := room.assign(task{role: p.Role, process: p, limits: x.step.limitsOf(i), met: x.met}); err != nil {
			return err
		}
	}
	for _, room := range x.rooms {
		if err := room.waitReady(ctx); err != nil {
			return err
		}
	}
	for _, room := range x.rooms {
		if err := room.start(); err != nil {
			return err
		}
	}
	for _, room := range x.rooms {
		if err := room.waitStarted(ctx); err != nil {
			return err
		}
	}
	return nil
}

// supervise holds the clock until every room is gone.
func (x *run) supervise(ctx context.Context) error {
	wall := time.NewTimer(x.step.Limits.or(DefaultLimits()).Wall)
	defer wall.Stop()
	leader := x.rooms[0]
	watching, stopWatching := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer stopWatching()
	for _, room := range x.rooms {
		watchers.Go(func() { room.watch(watching) })
	}
	leaderEnded, leaderHalted := leader.ended, leader.halted
	var grace <-chan time.Time
	gone := x.allGone()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wall.C:
			for _, room := range x.rooms {
				room.stop(TimedOut)
			}
		case <-leaderHalted:
			leaderHalted = nil
			grace = time.After(0)
		case <-leaderEnded:
			leaderEnded = nil
			patience := Grace
			if leader.stopped() {
				patience = 0
			}
			grace = time.After(patience)
		case <-grace:
			for _, room := range x.rooms[1:] {
				room.stop(Killed)
			}
		case <-gone:
			return nil
		}
	}
}

func (x *run) allGone() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		for _, room := range x.rooms {
			<-room.gone
		}
		close(done)
	}()
	return done
}

// channelEnds makes the socket pair between two processes.
func channelEnds() ([]*os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make channel: %w", err)
	}
	return []*os.File{os.NewFile(uintptr(fds[0]), "channel"), os.NewFile(uintptr(fds[1]), "channel")}, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
