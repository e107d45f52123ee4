package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// pluginLock is the file in which `tracker plugin` keeps what an operator
// decided: plugins.lock in the data folder. A running server follows it.
type pluginLock struct {
	// Plugins by name.
	Plugins map[string]lockedPlugin `json:"plugins"`
}

// lockedPlugin is what was decided about one plugin.
type lockedPlugin struct {
	// SHA256 is the only binary that may run; "" is whichever lies in the folder.
	SHA256 string `json:"sha256,omitempty"`
	// Version is for people.
	Version  string `json:"version,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	// Changed is when; a new one takes a plugin out of quarantine.
	Changed string `json:"changed"`
}

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }

func (c *Config) pluginLockPath() string { return c.dataPath("plugins.lock") }

// readPluginLock reads the file; without one, nothing was decided.
func readPluginLock(path string) (pluginLock, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return pluginLock{}, nil
	}
	if err != nil {
		return pluginLock{}, fmt.Errorf("read what was decided about plugins: %w", err)
	}
	return parsePluginLock(path, raw)
}

func parsePluginLock(path string, raw []byte) (lock pluginLock, err error) {
	if len(raw) == 0 {
		return lock, nil
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		return lock, fmt.Errorf("%s can't be read: %w; mend it, or remove it and install the plugins again", path, err)
	}
	return lock, nil
}

// changePluginLock changes the file while no other command does. The server
// sees the old or the new one, and nothing between.
func changePluginLock(path string, change func(*pluginLock) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	guard, err := os.OpenFile(path+".guard", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("change %s: %w; run this as the user that the server runs as, or as root", path, err)
	}
	defer func() { _ = guard.Close() }()
	if err := unix.Flock(int(guard.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("wait for other commands that change %s: %w", path, err)
	}
	lock, err := readPluginLock(path)
	if err != nil {
		return err
	}
	if lock.Plugins == nil {
		lock.Plugins = map[string]lockedPlugin{}
	}
	if err := change(&lock); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(lock, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(path, append(raw, '\n'), 0o644)
}

// writeWhole replaces a file in one step.
func writeWhole(path string, content []byte, mode os.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
