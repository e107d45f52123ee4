//go:build linux && (amd64 || arm64)

package seccomp

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// verdict runs the filter on one call. The virtual machine reads packets, which
// are big-endian, so the fields are laid out that way here.
func verdict(t *testing.T, o Options, arch, nr uint32, args ...uint32) uint32 {
	t.Helper()
	vm, err := bpf.NewVM(instructions(o))
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[offNumber:], nr)
	binary.BigEndian.PutUint32(data[offArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[offArgs+8*i:], a)
	}
	got, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(got)
}

func TestOrdinaryCallsAreAllowed(t *testing.T) {
	for _, nr := range []uint32{unix.SYS_READ, unix.SYS_EXECVE, unix.SYS_MMAP, unix.SYS_KILL, unix.SYS_FUTEX, unix.SYS_OPENAT, unix.SYS_MEMFD_CREATE, unix.SYS_IOCTL, unix.SYS_PERSONALITY} {
		if got := verdict(t, Options{}, nativeArch, nr); got != retAllow {
			t.Errorf("call %d answers %#x", nr, got)
		}
	}
}

func TestEveryDeniedCallAnswersEPERM(t *testing.T) {
	for _, nr := range append(append([]uint32(nil), deniedCalls...), deniedNative...) {
		if got := verdict(t, Options{}, nativeArch, nr); got != retErrno(uint32(unix.EPERM)) {
			t.Errorf("call %d answers %#x", nr, got)
		}
	}
}

func TestForeignABIsKill(t *testing.T) {
	if got := verdict(t, Options{}, unix.AUDIT_ARCH_I386, 1); got != retKill {
		t.Errorf("i386 answers %#x", got)
	}
	if foreignBit != 0 {
		if got := verdict(t, Options{}, nativeArch, foreignBit|unix.SYS_READ); got != retKill {
			t.Errorf("x32 answers %#x", got)
		}
	}
}

func TestArgumentsDecideWhereTheNumberDoesNot(t *testing.T) {
	eperm, allow := retErrno(uint32(unix.EPERM)), uint32(retAllow)
	for _, c := range []struct {
		name string
		nr   uint32
		args []uint32
		want uint32
	}{
		{"a thread", unix.SYS_CLONE, []uint32{unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_SIGHAND}, allow},
		{"a user namespace", unix.SYS_CLONE, []uint32{unix.CLONE_NEWUSER | uint32(unix.SIGCHLD)}, eperm},
		{"a network namespace", unix.SYS_CLONE, []uint32{unix.CLONE_NEWNET}, eperm},
		{"clone3", unix.SYS_CLONE3, nil, retErrno(uint32(unix.ENOSYS))},
		{"a UNIX socket", unix.SYS_SOCKET, []uint32{unix.AF_UNIX}, allow},
		{"an IPv6 socket", unix.SYS_SOCKET, []uint32{unix.AF_INET6}, allow},
		{"a netlink socket", unix.SYS_SOCKET, []uint32{unix.AF_NETLINK}, retErrno(uint32(unix.EAFNOSUPPORT))},
		{"a vsock pair", unix.SYS_SOCKETPAIR, []uint32{unix.AF_VSOCK}, retErrno(uint32(unix.EAFNOSUPPORT))},
		{"its own limits", unix.SYS_PRLIMIT64, []uint32{0}, allow},
		{"another's limits", unix.SYS_PRLIMIT64, []uint32{1}, eperm},
		{"typing into a terminal", unix.SYS_IOCTL, []uint32{0, unix.TIOCSTI}, eperm},
		{"pasting into a console", unix.SYS_IOCTL, []uint32{0, tioclinux}, eperm},
		{"asking a terminal", unix.SYS_IOCTL, []uint32{0, unix.TCGETS}, allow},
		{"asking its personality", unix.SYS_PERSONALITY, []uint32{0xffffffff}, allow},
		{"read implies exec", unix.SYS_PERSONALITY, []uint32{unix.SYS_READ | 0x0400000}, eperm},
	} {
		if got := verdict(t, Options{}, nativeArch, c.nr, c.args...); got != c.want {
			t.Errorf("%s answers %#x, want %#x", c.name, got, c.want)
		}
	}
}

func TestSharedMemoryIsDeniedOnlyWhereNothingCountsIt(t *testing.T) {
	for _, nr := range []uint32{unix.SYS_MEMFD_CREATE, unix.SYS_SHMGET, unix.SYS_SHMAT} {
		if got := verdict(t, Options{DenySharedMemory: true}, nativeArch, nr); got != retErrno(uint32(unix.EPERM)) {
			t.Errorf("call %d answers %#x", nr, got)
		}
	}
}
