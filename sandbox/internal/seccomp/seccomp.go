//go:build linux && (amd64 || arm64)

// Package seccomp writes the filter under which learners' code runs.
//
// It is a deny list: compilers, test frameworks and language runtimes use most
// of the kernel's interface, and a list of what they use would break with every
// release of theirs. What is denied has no place in an exercise: namespaces and
// mounts, other processes' memory, the kernel itself, and corners with a record
// of holes. A denied call answers EPERM, so that programs can go on; calls of a
// foreign ABI kill, since they exist only to dodge the numbers below.
package seccomp

import (
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Options vary the filter by what other layers hold.
type Options struct {
	// DenySharedMemory also denies memfd_create and System V shared memory:
	// without a memory cgroup nothing else counts their pages.
	DenySharedMemory bool
	// DenyInternet also denies the families of the Internet, where there is no
	// network namespace.
	DenyInternet bool
	// ForkServer allows what it takes to build a room in namespaces of one's
	// own. What a fork-server forks gets a second, full filter.
	ForkServer bool
	// Container is what a container with the server in it may have: it denies
	// what neither the server nor its rooms need, and decides by the number alone.
	Container bool
}

// Program returns the assembled filter, eight bytes an instruction in the
// machine's byte order, as pid 1 hands it to the kernel.
func Program(o Options) ([]byte, error) {
	raw, err := bpf.Assemble(instructions(o))
	if err != nil {
		return nil, fmt.Errorf("assemble the seccomp filter: %w", err)
	}
	out := make([]byte, 0, 8*len(raw))
	for _, ins := range raw {
		out = binary.NativeEndian.AppendUint16(out, ins.Op)
		out = append(out, ins.Jt, ins.Jf)
		out = binary.NativeEndian.AppendUint32(out, ins.K)
	}
	return out, nil
}

// Offsets in struct seccomp_data; the low half of an argument comes first on
// both architectures.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16
)

const (
	retAllow = unix.SECCOMP_RET_ALLOW
	retKill  = unix.SECCOMP_RET_KILL_PROCESS
)

func retErrno(errno uint32) uint32 { return unix.SECCOMP_RET_ERRNO | errno }

func instructions(o Options) []bpf.Instruction {
	prog := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: nativeArch, SkipTrue: 1},
		bpf.RetConstant{Val: retKill},
		bpf.LoadAbsolute{Off: offNumber, Size: 4},
	}
	if foreignBit != 0 {
		prog = append(prog,
			bpf.JumpIf{Cond: bpf.JumpLessThan, Val: foreignBit, SkipTrue: 1},
			bpf.RetConstant{Val: retKill})
	}
	for _, nr := range denied(o) {
		prog = append(prog, onCall(nr, bpf.RetConstant{Val: retErrno(uint32(unix.EPERM))})...)
	}
	if o.Container {
		return append(prog, bpf.RetConstant{Val: retAllow})
	}
	// glibc falls back to clone, whose flags a filter can see.
	prog = append(prog, onCall(unix.SYS_CLONE3, bpf.RetConstant{Val: retErrno(uint32(unix.ENOSYS))})...)
	if !o.ForkServer {
		prog = append(prog, onCall(unix.SYS_CLONE,
			loadArg(0),
			bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: namespaceFlags, SkipTrue: 1},
			bpf.RetConstant{Val: retErrno(uint32(unix.EPERM))},
			bpf.RetConstant{Val: retAllow})...)
	}
	internet := []uint32{unix.AF_INET, unix.AF_INET6}
	if o.DenyInternet {
		internet = []uint32{unix.AF_UNIX, unix.AF_UNIX}
	}
	for _, nr := range []uint32{unix.SYS_SOCKET, unix.SYS_SOCKETPAIR} {
		prog = append(prog, onCall(nr,
			loadArg(0),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_UNIX, SkipTrue: 3},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: internet[0], SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: internet[1], SkipTrue: 1},
			bpf.RetConstant{Val: retErrno(uint32(unix.EAFNOSUPPORT))},
			bpf.RetConstant{Val: retAllow})...)
	}
	// Setting another process's limits needs no capability for the same user,
	// and a normal user's pid 1 is the same user.
	if !o.ForkServer {
		prog = append(prog, onCall(unix.SYS_PRLIMIT64,
			loadArg(0),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
			bpf.RetConstant{Val: retErrno(uint32(unix.EPERM))},
			bpf.RetConstant{Val: retAllow})...)
	}
	// Typing into somebody's terminal.
	prog = append(prog, onCall(unix.SYS_IOCTL,
		loadArg(1),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.TIOCSTI, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: tioclinux, SkipTrue: 1},
		bpf.RetConstant{Val: retErrno(uint32(unix.EPERM))},
		bpf.RetConstant{Val: retAllow})...)
	// Asking, the default, and what thread sanitizers need; other personalities
	// weaken the process.
	prog = append(prog, onCall(unix.SYS_PERSONALITY,
		loadArg(0),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0xffffffff, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: addrNoRandomize, SkipTrue: 1},
		bpf.RetConstant{Val: retErrno(uint32(unix.EPERM))},
		bpf.RetConstant{Val: retAllow})...)
	return append(prog, bpf.RetConstant{Val: retAllow})
}

// denied are the calls that answer EPERM whatever their arguments.
func denied(o Options) []uint32 {
	all := append(append([]uint32(nil), deniedCalls...), deniedNative...)
	if o.DenySharedMemory {
		all = append(all, unix.SYS_MEMFD_CREATE, unix.SYS_SHMGET, unix.SYS_SHMAT)
	}
	return slices.DeleteFunc(all, func(nr uint32) bool {
		return (o.ForkServer || o.Container) && slices.Contains(roomCalls, nr) || o.Container && slices.Contains(containerCalls, nr)
	})
}

// onCall runs body when the number in the accumulator is nr; body must return.
func onCall(nr uint32, body ...bpf.Instruction) []bpf.Instruction {
	head := bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: nr, SkipTrue: uint8(len(body))}
	return append([]bpf.Instruction{head}, body...)
}

func loadArg(n uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: offArgs + 8*n, Size: 4} }
