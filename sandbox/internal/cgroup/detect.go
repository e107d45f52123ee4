//go:build linux

package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// hierarchy is where a controller's tree is mounted and which part of the tree
// that mount shows.
type hierarchy struct{ root, mount string }

// findHierarchy reads mountinfo for the unified tree (controller "") or the
// version 1 tree of a controller.
func findHierarchy(mountinfo, controller string) (hierarchy, bool) {
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
		if !ok {
			continue
		}
		l, r := strings.Fields(left), strings.Fields(right)
		if len(l) < 5 || len(r) < 1 {
			continue
		}
		h := hierarchy{root: unescape(l[3]), mount: unescape(l[4])}
		if controller == "" && r[0] == "cgroup2" {
			return h, true
		}
		if controller != "" && r[0] == "cgroup" && len(r) >= 3 && slices.Contains(strings.Split(r[2], ","), controller) {
			return h, true
		}
	}
	return hierarchy{}, false
}

// unescape undoes mountinfo's octal escapes of space, tab, newline, backslash.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// ownPath reads /proc/self/cgroup for the unified tree (controller "") or the
// tree of a controller.
func ownPath(self, controller string) (string, bool) {
	for line := range strings.Lines(self) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if controller == "" && parts[0] == "0" && parts[1] == "" {
			return parts[2], true
		}
		if controller != "" && slices.Contains(strings.Split(parts[1], ","), controller) {
			return parts[2], true
		}
	}
	return "", false
}

// folder is where a path of the tree is seen on this machine.
func (h hierarchy) folder(path string) string {
	rel, err := filepath.Rel(h.root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		// Inside a container without a cgroup namespace the mount shows only
		// the container's part, which is then where this process is.
		return h.mount
	}
	return filepath.Join(h.mount, rel)
}

func locate(mountinfo, self, controller string) (string, error) {
	h, ok := findHierarchy(mountinfo, controller)
	if !ok {
		return "", errors.New("not mounted")
	}
	path, ok := ownPath(self, controller)
	if !ok {
		return "", errors.New("this process has no place in it")
	}
	return h.folder(path), nil
}

func detectV1(mountinfo, self string) (*Manager, error) {
	parent, err := locate(mountinfo, self, "memory")
	if err != nil {
		return nil, err
	}
	m := newManager(V1, parent, limitV1)
	return m, try(m)
}

func limitV1(dir string, l Limits) error {
	if l.Memory <= 0 {
		return nil
	}
	limit := strconv.FormatInt(l.Memory, 10)
	// Without swap accounting in the kernel the file doesn't exist; then
	// swappiness keeps the group out of swap.
	both := func() error {
		if err := write(dir, "memory.memsw.limit_in_bytes", limit); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	err := write(dir, "memory.limit_in_bytes", limit)
	if errors.Is(err, syscall.EINVAL) {
		// Memory alone may not have more than memory and swap together.
		if err = both(); err == nil {
			err = write(dir, "memory.limit_in_bytes", limit)
		}
	}
	if err != nil {
		return err
	}
	if err := both(); err != nil {
		return err
	}
	if err := write(dir, "memory.swappiness", "0"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func detectV2(parent, mountinfo, self string) (*Manager, error) {
	if parent == "" {
		var err error
		if parent, err = locate(mountinfo, self, ""); err != nil {
			return nil, err
		}
	}
	controllers, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
	if err != nil {
		return nil, err
	}
	for _, need := range []string{"memory", "pids"} {
		if !slices.Contains(strings.Fields(string(controllers)), need) {
			return nil, fmt.Errorf("%s offers no %s controller", parent, need)
		}
	}
	if err := delegate(parent); err != nil {
		return nil, err
	}
	m := newManager(V2, parent, limitV2)
	return m, try(m)
}

// delegate turns the controllers on for children. A group with processes of its
// own can't do that, so this process first steps into a leaf.
func delegate(parent string) error {
	const want = "+memory +pids +cpu"
	enable := func() error {
		if err := write(parent, "cgroup.subtree_control", want); err == nil {
			return nil
		}
		return write(parent, "cgroup.subtree_control", "+memory +pids")
	}
	if enable() == nil {
		return nil
	}
	leaf := filepath.Join(parent, "tracker-server")
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is not delegated to this user: %w", parent, err)
	}
	if err := write(leaf, "cgroup.procs", strconv.Itoa(os.Getpid())); err != nil {
		return fmt.Errorf("step aside into %s: %w", leaf, err)
	}
	if err := enable(); err != nil {
		return fmt.Errorf("turn controllers on in %s (is another process in it?): %w", parent, err)
	}
	return nil
}

func limitV2(dir string, l Limits) error {
	if l.Memory > 0 {
		if err := write(dir, "memory.max", strconv.FormatInt(l.Memory, 10)); err != nil {
			return err
		}
		if err := write(dir, "memory.swap.max", "0"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := write(dir, "memory.oom.group", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if l.Tasks > 0 {
		return write(dir, "pids.max", strconv.Itoa(l.Tasks))
	}
	return nil
}

// try makes and removes a group, since rights and controllers only show in use.
func try(m *Manager) error {
	g, err := m.New(Limits{Memory: 64 << 20, Tasks: 64})
	if err != nil {
		return err
	}
	if _, err := g.OOMKills(); err != nil {
		return errors.Join(err, g.Remove())
	}
	return g.Remove()
}
