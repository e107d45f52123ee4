//go:build linux

// Package cgroup gives each sandbox a control group of its own, on whichever
// hierarchy this machine grants. Groups are single-use: counters and limits of
// one run never meet another's.
package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Limits of one group; zero leaves a resource unlimited.
type Limits struct {
	// Memory is in bytes and includes the page cache and tmpfs.
	Memory int64
	// Tasks counts processes and threads.
	Tasks int
}

// Manager makes groups below one parent.
type Manager struct {
	kind   string
	parent string
	limit  func(dir string, l Limits) error
	next   atomic.Uint64
	prefix string
}

// Kinds of manager.
const (
	V2 = "v2"
	V1 = "v1"
)

// ErrUnavailable is wrapped by what Detect returns when no hierarchy can be
// used; the text says why.
var ErrUnavailable = errors.New("no usable memory cgroup")

// Detect looks for a memory controller whose groups this process may create:
// first the unified hierarchy, then version 1. parent, when not empty, is the
// folder in the unified hierarchy that was delegated to the server.
func Detect(parent string) (*Manager, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	m, err2 := detectV2(parent, string(mounts), string(self))
	if err2 == nil {
		return m, nil
	}
	m, err1 := detectV1(string(mounts), string(self))
	if err1 == nil {
		return m, nil
	}
	return nil, fmt.Errorf("%w: version 2: %w; version 1: %w", ErrUnavailable, err2, err1)
}

const namePrefix = "tracker-sandbox-"

// staleAfter keeps a sweep away from groups that another server is just making.
const staleAfter = time.Minute

// Sweep removes empty groups whose owner is dead: a host that was killed takes
// its rooms with it, but not their groups.
func (m *Manager) Sweep() { m.sweep(staleAfter) }

func (m *Manager) sweep(age time.Duration) {
	entries, err := os.ReadDir(m.parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), namePrefix)
		owner, _, dashed := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(owner)
		if !ok || !dashed || err != nil || pid <= 0 || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < age {
			continue
		}
		// The kernel refuses while a process is in it.
		_ = syscall.Rmdir(filepath.Join(m.parent, e.Name()))
	}
}

func newManager(kind, parent string, limit func(string, Limits) error) *Manager {
	prefix := fmt.Sprintf(namePrefix+"%d-%d-", os.Getpid(), time.Now().UnixNano())
	return &Manager{kind: kind, parent: parent, limit: limit, prefix: prefix}
}

// Kind is V2 or V1.
func (m *Manager) Kind() string { return m.kind }

// Parent is the folder below which groups are made.
func (m *Manager) Parent() string { return m.parent }

// New makes an empty group with these limits. The caller must Remove it.
func (m *Manager) New(l Limits) (*Group, error) {
	dir := filepath.Join(m.parent, m.prefix+strconv.FormatUint(m.next.Add(1), 10))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make cgroup: %w", err)
	}
	g := &Group{kind: m.kind, dir: dir, limit: m.limit}
	if err := g.Limit(l); err != nil {
		return nil, errors.Join(err, g.Remove())
	}
	return g, nil
}

// Group is one sandbox's group.
type Group struct {
	kind, dir string
	limit     func(dir string, l Limits) error
}

// Limit sets limits, in place of those that the group has.
func (g *Group) Limit(l Limits) error {
	if err := g.limit(g.dir, l); err != nil {
		return fmt.Errorf("limit cgroup: %w", err)
	}
	return nil
}

// Open returns the group's folder, for a process to be born into; version 2
// only, as clone3 takes no other.
func (g *Group) Open() (*os.File, error) {
	if g.kind != V2 {
		return nil, fmt.Errorf("open cgroup %s: version 1 can't be cloned into", g.dir)
	}
	return os.Open(g.dir)
}

// Join moves a process in. On version 1 it waits several milliseconds for the
// kernel's locks, so callers do other things meanwhile.
func (g *Group) Join(pid int) error {
	if err := os.WriteFile(filepath.Join(g.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
		return fmt.Errorf("join cgroup: %w", err)
	}
	return nil
}

// Threads lists the threads in the group, as the host numbers them.
func (g *Group) Threads() ([]int, error) {
	name := "tasks"
	if g.kind == V2 {
		name = "cgroup.threads"
	}
	raw, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		return nil, fmt.Errorf("read cgroup: %w", err)
	}
	var out []int
	for field := range strings.FieldsSeq(string(raw)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("read cgroup: %w", err)
		}
		out = append(out, n)
	}
	return out, nil
}

// OOMKills counts the processes that the kernel killed for want of memory.
func (g *Group) OOMKills() (int64, error) {
	name := "memory.oom_control"
	if g.kind == V2 {
		name = "memory.events"
	}
	return g.field(name, "oom_kill")
}

// PeakMemory is the most that was charged at any time, in bytes; 0 where the
// kernel doesn't keep it (memory.peak came with Linux 5.19).
func (g *Group) PeakMemory() int64 {
	name := "memory.max_usage_in_bytes"
	if g.kind == V2 {
		name = "memory.peak"
	}
	raw, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// CPU is the time used by all processes of the group, dead ones included; ok is
// false on version 1, where that would take a second controller and its wait.
func (g *Group) CPU() (used time.Duration, ok bool) {
	if g.kind != V2 {
		return 0, false
	}
	n, err := g.field("cpu.stat", "usage_usec")
	return time.Duration(n) * time.Microsecond, err == nil
}

// removePatience covers the moment between the death of the last process and
// the kernel's leaving the group.
const removePatience = 2 * time.Second

// Remove deletes the group; its processes must be dead or dying.
func (g *Group) Remove() error {
	deadline := time.Now().Add(removePatience)
	for wait := time.Millisecond; ; wait *= 2 {
		err := syscall.Rmdir(g.dir)
		if err == nil || errors.Is(err, syscall.ENOENT) {
			return nil
		}
		if !errors.Is(err, syscall.EBUSY) || time.Now().After(deadline) {
			return fmt.Errorf("remove cgroup %s: %w", g.dir, err)
		}
		time.Sleep(min(wait, 50*time.Millisecond)) //nolint:forbidigo // the kernel tells nobody; removePatience bounds it
	}
}

func (g *Group) field(file, key string) (int64, error) {
	raw, err := os.ReadFile(filepath.Join(g.dir, file))
	if err != nil {
		return 0, fmt.Errorf("read cgroup: %w", err)
	}
	n, ok := parseField(string(raw), key)
	if !ok {
		return 0, fmt.Errorf("read cgroup: %s has no %s", file, key)
	}
	return n, nil
}

// parseField reads a "key value" line of a flat-keyed file.
func parseField(text, key string) (int64, bool) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || name != key {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		return n, err == nil
	}
	return 0, false
}

func write(dir, file, value string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644)
}
