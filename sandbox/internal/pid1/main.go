//go:build linux && (amd64 || arm64)

package pid1

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// Marker is the argv[0] under which the host starts this process, be it the
// small sandbox-init or the host's own binary again.
const Marker = "tracker-sandbox-init"

// Descriptors that the host hands over; standard error takes what a panic says.
const (
	fdControl = 3
	fdStdout  = 4
	fdStderr  = 5
	// fdExtra holds standard input, if any, then the channel, if any.
	fdExtra = 6
	// fdLink leads to the payload where that was forked before the room existed,
	// and then holds its own descriptors.
	fdLink = 4
)

// maxFrame bounds one file of a submission, the largest thing the host sends.
const maxFrame = 1 << 30

// Main runs the sandbox's first process and never returns. It leaves without
// the runtime's last rites, which under the race detector last a second.
func Main() {
	runtime.LockOSThread()
	shift, err := enter()
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		unix.Exit(2)
	}
	p := &process{control: control{fdControl + shift}, shift: shift}
	if err := p.run(); err != nil {
		p.fail(err)
		unix.Exit(1)
	}
	unix.Exit(0)
}

type process struct {
	control control
	boot    wire.Boot
	job     wire.Job
	files   []wire.File
	// child is the payload; before its job it is a warm-up program.
	child int
	// reaped is what became of a child that was there before its job.
	reaped chan wire.Exited
	// shift is added to the numbers of the host's descriptors.
	shift int
	// landlock is the payload's ruleset; 0 is none.
	landlock int
	// turn is taken by the job or by the end of the warm-up program, whichever
	// comes first.
	turn atomic.Bool
	// used is the CPU time that the warm-up program took before its job.
	used time.Duration
}

// stageError says at which stage and on what pid 1 stumbled.
type stageError struct {
	stage, text string
	err         error
}

func (e *stageError) Error() string { return e.stage + " " + e.text + ": " + e.err.Error() }

func (p *process) fail(err error) {
	f := wire.Fail{Stage: wire.StageProtocol, Text: err.Error()}
	var se *stageError
	if errors.As(err, &se) {
		f.Stage, f.Text = se.stage, se.text
		var errno syscall.Errno
		if errors.As(se.err, &errno) {
			f.Errno = int(errno)
		} else {
			f.Text += ": " + se.err.Error()
		}
	}
	_ = wire.WriteFrame(p.control, wire.KindFail, f.Encode())
}

func (p *process) run() error {
	if err := shield(); err != nil {
		return err
	}
	if err := p.receiveBoot(); err != nil {
		return err
	}
	build := func() error { return buildRoom(p.boot) }
	if p.boot.Bare {
		build = p.buildBare
	}
	if err := build(); err != nil {
		return err
	}
	if p.boot.Filters > 0 {
		if err := p.adopt(); err != nil {
			return err
		}
	}
	if err := wire.WriteFrame(p.control, wire.KindReady, nil); err != nil {
		return err
	}
	if err := p.receiveJob(); err != nil {
		return err
	}
	if err := p.begin(); err != nil {
		return err
	}
	if err := wire.WriteFrame(p.control, wire.KindStarted, nil); err != nil {
		return err
	}
	go p.obey()
	exited := p.wait()
	if err := wire.WriteFrame(p.control, wire.KindExited, exited.Encode()); err != nil {
		return err
	}
	truncated, err := p.collect()
	if err != nil {
		return err
	}
	return wire.WriteFrame(p.control, wire.KindDone, wire.Done{CollectTruncated: truncated}.Encode())
}

func (p *process) receiveBoot() error {
	kind, body, err := wire.ReadFrame(p.control, maxFrame)
	if err != nil {
		return err
	}
	if kind != wire.KindBoot {
		return errors.New("the first frame is not the room's description")
	}
	boot, version, err := wire.DecodeBoot(body)
	if err != nil {
		return err
	}
	if version != wire.Version {
		return errors.New("sandbox-init and the program beside it are from different builds: install them together")
	}
	p.boot = boot
	return nil
}

// receiveJob takes files as they come and returns on the word to start, which
// the host gives once the process is in its cgroup.
func (p *process) receiveJob() error {
	for {
		kind, body, err := wire.ReadFrame(p.control, maxFrame)
		if err != nil {
			return err
		}
		switch kind {
		case wire.KindFile:
			f, err := wire.DecodeFile(body)
			if err != nil {
				return err
			}
			p.files = append(p.files, f)
		case wire.KindJob:
			if p.job, err = wire.DecodeJob(body); err != nil {
				return err
			}
			if err := p.limitScratch(); err != nil {
				return err
			}
			if err := p.writeFiles(); err != nil {
				return err
			}
		case wire.KindWarm:
			if err := p.startWarm(body); err != nil {
				return err
			}
		case wire.KindGo:
			if len(p.job.Argv) == 0 {
				return errors.New("told to start without a job")
			}
			return nil
		default:
			return errors.New("unexpected frame before the start")
		}
	}
}

// begin executes the job's program, or lets the warm-up program become it.
func (p *process) begin() error {
	if p.child != 0 {
		return p.handOver()
	}
	child, err := p.spawn(&p.job)
	p.child = child
	return err
}

func (p *process) wait() wire.Exited {
	if p.reaped == nil {
		return reap(p.child, p.end)
	}
	x := <-p.reaped
	x.User -= p.used
	if x.User < 0 {
		x.System = max(x.System+x.User, 0)
		x.User = 0
	}
	return x
}

// obey waits for the host to say stop, or to be gone.
func (p *process) obey() {
	for {
		kind, _, err := wire.ReadFrame(p.control, maxFrame)
		if err != nil {
			if p.boot.Bare {
				p.end() // nothing else will
			}
			unix.Exit(3)
		}
		if kind == wire.KindStop {
			p.end()
		}
	}
}

func killAll() { _ = unix.Kill(-1, unix.SIGKILL) }

// reap waits for the payload, ends everything it left behind, and returns only
// when no other process exists.
func reap(child int, end func()) wire.Exited {
	var x wire.Exited
	ended := false
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			break
		}
		if pid == child && (status.Exited() || status.Signaled()) {
			x.Status = uint32(status)
			ended = true
		}
		if ended {
			end()
		}
	}
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_CHILDREN, &ru) == nil {
		x.User, x.System = timeval(ru.Utime), timeval(ru.Stime)
		x.MaxRSS = ru.Maxrss << 10
	}
	return x
}

// shield makes pid 1 deaf and opaque before anything foreign runs: as a normal
// user the payload has the same uid.
func shield() error {
	// The host's umask must not decide what the payload can read.
	_ = unix.Umask(0o022)
	if err := closeOnExec(); err != nil {
		return &stageError{wire.StageConfine, "close-on-exec of all descriptors", err}
	}
	if omitted == OmitShield {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return &stageError{wire.StageConfine, "non-dumpable init", err}
	}
	for sig := range 65 {
		switch unix.Signal(sig) {
		case 0, unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD:
			// An ignored SIGCHLD would lose the children's usage.
		default:
			setSignal(sig, sigIgnore)
		}
	}
	return nil
}

const (
	sigDefault = 0
	sigIgnore  = 1
)

// kernelSigaction is the kernel's struct, not libc's; both architectures agree.
type kernelSigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

//go:nosplit
//go:norace
func setSignal(sig int, handler uintptr) {
	act := kernelSigaction{handler: handler}
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0)
}

// control is the socket without the runtime's poller, which pid 1 has no use
// for.
type control struct{ fd int }

func (c control) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(c.fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0 && len(b) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (c control) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := unix.Write(c.fd, b[done:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}
