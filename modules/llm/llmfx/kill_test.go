package llmfx_test

import (
	"syscall"
	"testing"
	"time"
)

// kill ends one process and waits until it is gone.
func kill(t *testing.T, pid int) {
	t.Helper()
	if pid <= 0 { // the signal would go to this test's own group
		t.Fatal("no such process runs")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("process %d does not end", pid)
}
