package conform

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// below returns the processes that descend from pid, itself first, and those
// that were started with marker in their environment, wherever they went.
func below(pid int, marker string) []int {
	parents := map[int]int{}
	found := []int{pid}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		id, _ := strconv.Atoi(strings.Split(path, "/")[2])
		if ppid, state := stat(id); state != 0 && state != 'Z' {
			parents[id] = ppid
		}
		if env, err := os.ReadFile("/proc/" + strconv.Itoa(id) + "/environ"); err == nil && marker != "" && id != pid && bytes.Contains(env, []byte(marker)) {
			found = append(found, id)
		}
	}
	for i := 0; i < len(found); i++ {
		for id, ppid := range parents {
			if ppid == found[i] && !slices.Contains(found, id) {
				found = append(found, id)
			}
		}
	}
	return found
}

// stat returns a process's parent and state; 0 when there is none.
func stat(pid int) (ppid int, state byte) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0
	}
	_, rest, _ := strings.Cut(string(raw[bytes.LastIndexByte(raw, ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0, 0
	}
	ppid, _ = strconv.Atoi(fields[1])
	return ppid, fields[0][0]
}

// alive says which of the processes run.
func alive(pids []int) []int {
	return slices.DeleteFunc(slices.Clone(pids), func(pid int) bool {
		_, state := stat(pid)
		return state == 0 || state == 'Z' || state == 'X'
	})
}

// settle waits until ok, and returns false when that takes too long.
func settle(within time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(within); !ok(); {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(50 * time.Millisecond) //nolint:forbidigo // nothing tells when a process is gone
	}
	return true
}
