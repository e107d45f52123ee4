//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const hostWithoutNamespaces = "SANDBOX_TEST_WITHOUT_NAMESPACES"

// startWithoutNamespaces is a server on a machine that grants none: in a user
// namespace of its own the limits on them can be set to nothing.
func startWithoutNamespaces() {
	for _, name := range []string{"user", "mnt"} {
		if err := os.WriteFile("/proc/sys/user/max_"+name+"_namespaces", []byte("0"), 0); err != nil {
			fmt.Println("prepare:", err)
			os.Exit(3)
		}
	}
	if _, err := New(Config{}); err != nil {
		fmt.Println(err)
		report := Probe(context.Background(), Config{})
		fmt.Println("report ok:", report.OK(), report)
		os.Exit(0)
	}
	fmt.Println("it started")
	os.Exit(4)
}

func TestWithoutNamespacesNothingStartsAndTheOperatorIsTold(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), hostWithoutNamespaces+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"can't be confined on this machine", "user.max_user_namespaces=", "README.md", "report ok: false"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}

func TestAClosedUmaskOfTheHostChangesNothingInside(t *testing.T) {
	old := unix.Umask(0o077)
	defer unix.Umask(old)
	s := shell("umask; cat a/b; ls -ld /room | cut -c1-10; echo x > /tmp/y && cat /tmp/y")
	s.Processes[0].Files = []File{{Path: "a/b", Content: []byte("in\n"), ReadOnly: true}}
	expect(t, newRunner(t, Config{}), s, Exited, 0, "0022\nin\ndrwxr-xr-x\nx")
}

func TestStepsOfTwoWaitForBothSlotsTogether(t *testing.T) {
	r := newRunner(t, Config{Slots: 2})
	two := Step{Runtimes: System(), Processes: []Process{{Role: "a", Argv: []string{"/bin/true"}}, {Role: "b", Argv: []string{"/bin/true"}}}}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	errs := make(chan error)
	for range 6 {
		go func() {
			_, err := r.Run(ctx, two)
			errs <- err
		}()
	}
	for range 6 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if free := len(r.slots); free != 2 {
		t.Errorf("%d slots came back", free)
	}
	_, err := r.Run(ctx, Step{Runtimes: System(), Processes: []Process{{Role: "a", Argv: []string{"/none"}}, {Role: "b", Argv: []string{"/bin/true"}}}})
	var start *StartError
	if !errors.As(err, &start) || len(r.slots) != 2 {
		t.Errorf("%v, %d slots came back", err, len(r.slots))
	}
}

func TestAFloodThatEndsAtOnceIsStillAFlood(t *testing.T) {
	s := shell("head -c 30000 /dev/zero")
	s.Limits.Output = 10_000
	if p := expect(t, newRunner(t, Config{}), s, OutputLimit, 0, ""); len(p.Stdout) != 10_000 {
		t.Errorf("%d bytes", len(p.Stdout))
	}
}
