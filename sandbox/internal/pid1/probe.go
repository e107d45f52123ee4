//go:build linux && (amd64 || arm64)

package pid1

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ProbeMarker is the argv[0] under which a payload is this binary itself,
// attacking its own room so that the operator sees what holds.
const ProbeMarker = "tracker-sandbox-probe"

// Probes the binary knows as its first argument.
const (
	// ProbeAttack reports on each layer, a line each. The limits on processes,
	// bytes on disk and inodes follow it.
	ProbeAttack = "attack"
	ProbeBare   = "bare"  // the same of the few layers that need no namespaces
	ProbeGuest  = "guest" // the same where a second kernel has its own /sys, /proc and loopback
	ProbeEat    = "eat"   // take memory for ever
	ProbeSpin   = "spin"  // take CPU for ever
	ProbeSleep  = "sleep" // do nothing for ever
	ProbeFlood  = "flood" // write for ever
)

// Probe plays a hostile payload and never returns.
func Probe() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case ProbeAttack:
			attack(os.Args[2:])
			os.Exit(0)
		case ProbeGuest:
			attackGuest(os.Args[2:])
			os.Exit(0)
		case ProbeBare:
			attackBare()
			os.Exit(0)
		case ProbeEat:
			eat()
		case ProbeSpin:
			spin()
		case ProbeSleep:
			time.Sleep(time.Hour)
		case ProbeFlood:
			flood()
		}
	}
	os.Exit(2)
}

func eat() {
	const chunk = 1 << 20
	for {
		mem, err := unix.Mmap(-1, 0, chunk, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			// What can't be mapped was denied; what is held stays held.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		for i := 0; i < chunk; i += 4096 {
			mem[i] = 1
		}
	}
}

func spin() {
	for i := uint64(1); i != 0; i += 2 {
		_ = i
	}
}

func flood() {
	junk := make([]byte, 1<<16)
	for {
		if _, err := os.Stdout.Write(junk); err != nil {
			os.Exit(0)
		}
	}
}

// say prints "layer<TAB>held|open<TAB>what was seen" for an attack.
func say(layer string, held bool, seen string, args ...any) {
	state := "open"
	if held {
		state = "held"
	}
	fmt.Printf("%s\t%s\t%s\n", layer, state, fmt.Sprintf(seen, args...))
}

// attackBare signals nobody and looks at no mounts: those are the machine's.
func attackBare() {
	attackIdentity()
	attackKernel(say)
	attackLimits(say, math.MaxUint64) // a normal user's processes are counted with the server's
	attackNetwork(say)
	attackLoopback(say)
}

func attackGuest(limits []string) {
	known := numbers(limits)
	attackIdentity()
	attackKernel(say)
	attackLimits(say, known[0])
	attackRoot(say, "/etc/shadow", "/root", "/home", "/var")
	attackDisk(say, known[1], known[2])
	attackOutside(say)
}

// numbers are the limits that the probe was told.
func numbers(limits []string) (known [3]uint64) {
	for i := range min(len(known), len(limits)) {
		known[i], _ = strconv.ParseUint(limits[i], 10, 64)
	}
	return known
}

func attackIdentity() {
	uid, gid := os.Getuid(), os.Getgid()
	say("identity", uid != 0 && gid != 0, "uid %d, gid %d", uid, gid)
	say("identity", unix.Setuid(0) != nil, "setuid(0) refused")
}

// attack attacks each layer.
func attack(limits []string) {
	for _, ns := range []string{"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"} {
		link, err := os.Readlink("/proc/self/ns/" + ns)
		say("ns:"+ns, err == nil, "%s", link)
	}
	attackIdentity()
	known := numbers(limits)
	attackKernel(say)
	attackLimits(say, known[0])
	attackFiles(say, known[1], known[2])
	attackProcesses(say)
	attackNetwork(say)
}

type sayer func(layer string, held bool, seen string, args ...any)

func attackKernel(say sayer) {
	caps := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	err := unix.Capget(&caps, &have[0])
	say("capabilities", err == nil && have == [2]unix.CapUserData{}, "none left")
	bounds := 0
	for i := range lastCapability {
		if in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(i), 0, 0, 0); err == nil {
			bounds += in
		}
	}
	say("capabilities", bounds == 0, "%d to be regained", bounds)
	nnp, _ := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	say("no_new_privs", nnp == 1, "set")
	mode, _ := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	say("seccomp", mode == 2, "filter mode")
	for _, c := range []struct {
		name string
		args [4]uintptr
	}{
		{"unshare", [4]uintptr{unix.SYS_UNSHARE, unix.CLONE_NEWUSER}},
		{"mount", [4]uintptr{unix.SYS_MOUNT}},
		{"bpf", [4]uintptr{unix.SYS_BPF}},
		{"ptrace", [4]uintptr{unix.SYS_PTRACE, unix.PTRACE_TRACEME}},
		{"keyctl", [4]uintptr{unix.SYS_KEYCTL}},
		{"io_uring", [4]uintptr{unix.SYS_IO_URING_SETUP, 1}},
		{"userfaultfd", [4]uintptr{unix.SYS_USERFAULTFD}},
		{"clock_settime", [4]uintptr{unix.SYS_CLOCK_SETTIME}},
	} {
		_, _, errno := unix.Syscall(c.args[0], c.args[1], c.args[2], c.args[3])
		say("seccomp", errno == unix.EPERM, "%s: %v", c.name, errno)
	}
}

func attackLimits(say sayer, processes uint64) {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NPROC, &limit)
	say("rlimits", err == nil && limit.Max <= processes, "%d processes", limit.Max)
	limit.Max++
	say("rlimits", unix.Setrlimit(unix.RLIMIT_NPROC, &limit) != nil, "raising refused")
}

func attackFiles(say sayer, disk, inodes uint64) {
	attackRoot(say, "/etc/shadow", "/root", "/home", "/var", "/sys", "/proc/sys", "/proc/kcore")
	var st unix.Statfs_t
	// To an ordinary user most of it can't be written anyhow.
	for _, name := range []string{"/", "/usr", "/dev/null"} {
		if err := unix.Statfs(name, &st); !os.IsNotExist(err) {
			say("read-only", err == nil && st.Flags&unix.ST_RDONLY != 0, "%s is mounted so", name)
		}
	}
	attackDisk(say, disk, inodes)
}

func attackRoot(say sayer, absent ...string) {
	for _, name := range absent {
		_, err := os.Stat(name)
		say("own root", os.IsNotExist(err), "no %s", name)
	}
	for _, name := range []string{"/x", "/usr/x", "/etc/x", "/dev/x"} {
		err := os.WriteFile(name, nil, 0o600)
		say("read-only", err != nil, "%s can't be written", name)
	}
}

func attackDisk(say sayer, disk, inodes uint64) {
	var st unix.Statfs_t
	err := unix.Statfs("/room", &st)
	say("disk limit", err == nil && st.Type == unix.TMPFS_MAGIC && st.Blocks > 0 && st.Blocks*uint64(st.Bsize) <= disk && st.Files <= inodes, "%d bytes, %d inodes", int64(st.Blocks)*st.Bsize, st.Files)
}

func attackProcesses(say sayer) {
	_, err := os.ReadFile("/proc/1/environ")
	say("init shielded", err != nil, "its memory and environment can't be read")
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGSEGV, unix.SIGKILL, unix.SIGSTOP} {
		_ = unix.Kill(1, sig)
	}
	// Being here to say so is the proof, as its death is the room's.
	time.Sleep(5 * time.Millisecond)
	say("init shielded", true, "signals have no effect")
	entries, err := os.ReadDir("/proc")
	seen := 0
	for _, e := range entries {
		if c := e.Name()[0]; c >= '0' && c <= '9' {
			seen++
		}
	}
	say("own /proc", err == nil && seen == 1, "%d process visible", seen)
}

// attackOutside sends something, as a second kernel has a network, which leads
// nowhere.
func attackOutside(say sayer) {
	for _, port := range []int{53, 443} {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err == nil {
			err = unix.Sendto(fd, []byte{0}, 0, &unix.SockaddrInet4{Port: port, Addr: [4]byte{192, 0, 2, 1}})
			_ = unix.Close(fd)
		}
		say("no network", err != nil, "an outside address: %v", err)
	}
}

// attackLoopback is for a payload that has no loopback of its own.
func attackLoopback(say sayer) {
	reach(say, "the host's loopback", unix.SockaddrInet4{Port: 22, Addr: [4]byte{127, 0, 0, 1}})
}

// reach connects a datagram socket, which sends nothing.
func reach(say sayer, name string, target unix.SockaddrInet4) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err == nil {
		err = unix.Connect(fd, &target)
		_ = unix.Close(fd)
	}
	say("no network", err != nil, "%s: %v", name, err)
}

// attackInterfaces looks for one that leads elsewhere than to the room itself.
func attackInterfaces(say sayer) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		say("no network", true, "interfaces: %v", err)
		return
	}
	defer func() { _ = unix.Close(fd) }()
	out := ""
	for index := range uint32(4096) {
		ifr, err := unix.NewIfreq("")
		if err != nil {
			continue
		}
		ifr.SetUint32(index)
		if unix.IoctlIfreq(fd, unix.SIOCGIFNAME, ifr) != nil || unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr) != nil {
			continue
		}
		if flags := ifr.Uint16(); flags&unix.IFF_UP != 0 && flags&unix.IFF_LOOPBACK == 0 {
			out += " " + ifr.Name()
		}
	}
	say("no network", out == "", "interfaces that lead out:%s", out)
}

func attackNetwork(say sayer) {
	// TEST-NET-1 of RFC 5737.
	reach(say, "an outside address", unix.SockaddrInet4{Port: 53, Addr: [4]byte{192, 0, 2, 1}})
	attackInterfaces(say)
	for _, c := range []struct {
		name   string
		family int
	}{{"netlink", unix.AF_NETLINK}, {"packet", unix.AF_PACKET}, {"vsock", unix.AF_VSOCK}, {"alg", unix.AF_ALG}} {
		_, err := unix.Socket(c.family, unix.SOCK_DGRAM, 0)
		say("no network", err != nil, "%s: %v", c.name, err)
	}
}
