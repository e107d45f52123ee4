package pluginhost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
)

const (
	runDirPrefix = "gtp-"
	// maxRunDir leaves room for go-plugin's part of a socket's path, which the
	// kernel bounds to 107 bytes.
	maxRunDir = 50
)

// runDir holds the binaries that run and their sockets. A lock tells it from
// those that a killed host has left behind.
type runDir struct {
	path string
	lock *os.File
}

// newRunDir makes a folder below base. Where base is too long for sockets, or
// closed to the users that plugins run as, it is made in /tmp instead.
func newRunDir(base string) (*runDir, error) {
	if base == "" {
		base = os.TempDir()
	}
	if len(base) > maxRunDir-len(runDirPrefix)-11 || isRoot() && !openToAll(base) {
		base = "/tmp"
	}
	sweep(base)
	path, err := os.MkdirTemp(base, runDirPrefix)
	if err != nil {
		return nil, err
	}
	mode := os.FileMode(0o700)
	if isRoot() {
		// Plugins of other users pass through to what they are told of.
		mode = 0o711
	}
	if err := os.Chmod(path, mode); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := os.Mkdir(filepath.Join(path, "bin"), mode); err != nil {
		return nil, err
	}
	return &runDir{path: path, lock: lock}, nil
}

func (d *runDir) remove() error {
	err := os.RemoveAll(d.path)
	return errors.Join(err, d.lock.Close())
}

// sweep removes the folders of hosts that were killed.
func sweep(base string) {
	old, _ := filepath.Glob(filepath.Join(base, runDirPrefix+"*"))
	for _, dir := range old {
		lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}

// openToAll says whether every user may pass through a folder.
func openToAll(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for {
		fi, err := os.Stat(dir)
		if err != nil || fi.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == "/" {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

// stage copies a plugin's binary into the folder and verifies the copy. What
// is checked is then what runs, whoever may change the original meanwhile; and
// users who can't reach the original can run it.
func (d *runDir) stage(p *Plugin) (string, error) {
	want, err := hex.DecodeString(p.SHA256)
	if err != nil || len(want) != sha256.Size {
		return "", fmt.Errorf("the configured sha256 %q is not 64 hex digits", p.SHA256)
	}
	dst := filepath.Join(d.path, "bin", p.Name+"-"+strings.ToLower(p.SHA256[:12]))
	if ok, err := (&plugin.SecureConfig{Checksum: want, Hash: sha256.New()}).Check(dst); err == nil && ok {
		return dst, nil
	}
	if err := copyBinary(p.Path, dst); err != nil {
		return "", err
	}
	ok, err := (&plugin.SecureConfig{Checksum: want, Hash: sha256.New()}).Check(dst)
	if err != nil {
		return "", err
	}
	if !ok {
		_ = os.Remove(dst)
		got, _ := Sum(p.Path)
		return "", fmt.Errorf("%s has the sha256 %s, but the configuration pins %s: if you changed the plugin, pin the new one; if not, don't run it", p.Path, got, p.SHA256)
	}
	return dst, nil
}

func copyBinary(src, dst string) error {
	in, err := os.Open(src)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s does not exist: build or install the plugin, or disable it", src)
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	if fi, err := in.Stat(); err != nil || !fi.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", src)
	}
	tmp, err := os.CreateTemp(filepath.Dir(dst), "copy-")
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, in)
	if err == nil {
		err = tmp.Chmod(0o555)
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("copy %s: %w", src, err)
	}
	return os.Rename(tmp.Name(), dst)
}

// Sum returns the sha256 of a file in hex, as Plugin.SHA256 wants it.
func Sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
