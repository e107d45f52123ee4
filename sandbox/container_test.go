//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/seccomp"
)

const hostInAContainer = "SANDBOX_TEST_IN_A_CONTAINER"

// startInAContainer is a server under the filter that configs/deploy/seccomp.json
// describes.
func startInAContainer() {
	if err := filterThisProcess(); err != nil {
		fmt.Println("filter:", err)
		os.Exit(3)
	}
	if err := unix.PtraceAttach(1); err != unix.EPERM {
		fmt.Println("the filter is not in force:", err)
		os.Exit(3)
	}
	report := Probe(context.Background(), Config{})
	fmt.Println("report ok:", report.OK(), report)
	r, err := New(Config{})
	if err != nil {
		fmt.Println(err)
		os.Exit(4)
	}
	client, err := os.ReadFile(forkServerClient)
	if err != nil {
		fmt.Println(err)
		os.Exit(4)
	}
	pool := r.NewPool(PoolConfig{Size: 1})
	for _, way := range []Way{Prepared, Warm, Forked} {
		s := python("print('ran')")
		s.Recurring, s.Processes[0].Warm = true, way != Prepared
		s.WarmUp = &WarmUp{Argv: []string{"/usr/bin/python3", "-I", "-S", "main.py"}, ForkServer: way == Forked,
			Files: []File{{Path: "main.py", Content: []byte(warmProgram)}, {Path: "forkserver.py", Content: client}}}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := pool.Prepare(ctx, s)
		cancel()
		res, runErr := pool.Run(context.Background(), s)
		fmt.Println(way, "ran", res.Way, res.Outcome, err, runErr)
	}
	fmt.Println("closed:", pool.Close())
	os.Exit(0)
}

// filterThisProcess is what a container's runtime does before it executes the
// server, for all threads that there are already.
func filterThisProcess() error {
	raw, err := seccomp.Program(seccomp.Options{Container: true})
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw)/8)
	for i := range filter {
		b := raw[8*i:]
		filter[i] = unix.SockFilter{Code: binary.NativeEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.NativeEndian.Uint32(b[4:])}
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return errno
	}
	return nil
}

func TestRoomsAreBuiltUnderTheContainersProfile(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), hostInAContainer+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"report ok: true", "prepared ran prepared exited <nil> <nil>", "warm ran warm exited <nil> <nil>", "forked ran forked exited <nil> <nil>", "closed: <nil>"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}
