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
	if err := step.Validate(); err != nil {
		return Result{}, err
	}
	mounts, err := r.mounts(step)
	if err != nil {
		return Result{}, err
	}
	run := &run{runner: r, step: step}
	result, err := run.execute(ctx, mounts, begun)
	// Whatever happened, nothing may be left.
	var closing []error
	for _, room := range run.rooms {
		room.kill()
		closing = append(closing, room.close())
	}
	if err == nil {
		err = errors.Join(closing...)
	}
	if err != nil {
		if step.Name != "" {
			err = fmt.Errorf("run step %s: %w", step.Name, err)
		}
		return Result{}, err
	}
	return result, nil
}

// run is one execution of a step.
type run struct {
	runner *Runner
	step   Step
	rooms  []*room

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

func (x *run) execute(ctx context.Context, mounts []wire.Mount, begun time.Time) (Result, error) {
	slots, err := x.runner.take(ctx, len(x.step.Processes))
	if err != nil {
		return Result{}, err
	}
	preparing, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	if err := x.prepare(preparing, mounts, slots); err != nil {
		return Result{}, err
	}
	started := time.Now()
	if err := x.supervise(ctx); err != nil {
		return Result{}, err
	}
	result := Result{Outcome: Exited, Prepare: started.Sub(begun), Run: time.Since(started)}
	for _, room := range x.rooms {
		p, err := room.result(started)
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

// prepare opens all rooms, lets them build at the same time, and starts their
// programs together.
func (x *run) prepare(ctx context.Context, mounts []wire.Mount, slots []int) error {
	defer func() {
		// Those that no room took over.
		for _, slot := range slots {
			x.runner.slots <- slot
		}
	}()
	ends, err := channelEnds(x.step.Processes)
	if err != nil {
		return err
	}
	defer closeAll(ends)
	limits := x.step.Limits
	for i, p := range x.step.Processes {
		spec := roomSpec{role: p.Role, process: &x.step.Processes[i], mounts: mounts, limits: p.Limits.or(limits).or(DefaultLimits()), met: x.met}
		if p.Channel {
			spec.channel = ends[i]
		}
		room, err := x.runner.open(slots[0], spec)
		slots = slots[1:]
		if err != nil {
			return err
		}
		x.rooms = append(x.rooms, room)
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
	leaderEnded := leader.ended
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

// channelEnds makes the socket pair when the step asks for one.
func channelEnds(processes []Process) ([]*os.File, error) {
	if !processes[0].Channel {
		return nil, nil
	}
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
