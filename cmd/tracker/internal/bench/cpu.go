package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ownCPU is the CPU seconds of this process.
func ownCPU() (float64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("ask for CPU time: %w", err)
	}
	return seconds(u), nil
}

func seconds(u syscall.Rusage) float64 {
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// cluster is the postmaster's process; 0 when PostgreSQL runs elsewhere.
type cluster int

func findCluster(ctx context.Context, pool *pgxpool.Pool) (cluster, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Release()
	var backend int
	var name string
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid(), current_database()").Scan(&backend, &name); err != nil {
		return 0, fmt.Errorf("ask PostgreSQL for its process: %w", err)
	}
	// Its title names our database, whose name nobody else has.
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", backend))
	if err != nil || !bytes.Contains(title, []byte(name)) {
		return 0, nil
	}
	stat, err := readStat(strconv.Itoa(backend))
	if err != nil {
		return 0, err
	}
	return cluster(stat.parent), nil
}

// cpu is the CPU seconds of PostgreSQL: the postmaster, its children, and those
// that have ended.
func (c cluster) cpu() (float64, error) {
	if c == 0 {
		return 0, nil
	}
	own, err := readStat(strconv.Itoa(int(c)))
	if err != nil {
		return 0, err
	}
	ticks := own.ticks + own.childTicks
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, fmt.Errorf("look for PostgreSQL's processes: %w", err)
	}
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		// One that ends meanwhile is counted with the postmaster's next time.
		if stat, err := readStat(entry.Name()); err == nil && stat.parent == int(c) {
			ticks += stat.ticks
		}
	}
	return float64(ticks) / ticksPerSecond, nil
}

// ticksPerSecond is the unit of /proc, the same on all of Linux's platforms.
const ticksPerSecond = 100

type stat struct {
	parent            int
	ticks, childTicks int
}

// readStat reads /proc/<pid>/stat; the name in it may hold anything, so the
// fields are counted from its end.
func readStat(pid string) (stat, error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return stat{}, err
	}
	// state, ppid, pgrp, session, tty, tpgid, flags, 4 counts of faults, utime, stime, cutime, cstime
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("/proc/%s/stat is of an unknown form", pid)
	}
	var numbers [5]int
	for i, at := range []int{1, 11, 12, 13, 14} {
		if numbers[i], err = strconv.Atoi(fields[at]); err != nil {
			return stat{}, fmt.Errorf("/proc/%s/stat is of an unknown form: %w", pid, err)
		}
	}
	return stat{parent: numbers[0], ticks: numbers[1] + numbers[2], childTicks: numbers[3] + numbers[4]}, nil
}

// machine is where the figures come from, for whoever reads them later.
func machine(ctx context.Context, pool *pgxpool.Pool) string {
	var version, fsync string
	err := pool.QueryRow(ctx, "SELECT current_setting('server_version'), current_setting('fsync') || '/' || current_setting('synchronous_commit')").Scan(&version, &fsync)
	if err != nil {
		version, fsync = "unknown", "unknown"
	}
	return fmt.Sprintf("%d CPUs, %s, PostgreSQL %s, fsync/synchronous_commit %s", runtime.NumCPU(), runtime.Version(), version, fsync)
}
