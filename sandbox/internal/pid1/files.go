//go:build linux && (amd64 || arm64)

package pid1

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

const workDir = "/room"

func fileError(name string, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	return &stageError{wire.StageFiles, name, err}
}

// writeFiles fills the working folder through os.Root, which follows no link
// out of it whatever a name says.
func (p *process) writeFiles() error {
	root, err := os.OpenRoot(workDir)
	if err != nil {
		return fileError(workDir, err)
	}
	defer func() { _ = root.Close() }()
	if p.boot.Bare {
		if err := p.keepFolder(root, "."); err != nil {
			return fileError(workDir, err)
		}
	}
	made, pinned := map[string]bool{".": true}, map[string]bool{".": true}
	for _, f := range p.files {
		if err := p.writeFile(root, made, pinned, f); err != nil {
			return fileError(f.Path, err)
		}
	}
	p.files = nil
	return nil
}

func (p *process) writeFile(root *os.Root, made, pinned map[string]bool, f wire.File) error {
	if err := wire.CheckPath(f.Path); err != nil {
		return err
	}
	if err := p.makeParents(root, made, path.Dir(f.Path)); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if f.ReadOnly {
		mode = 0o444
	}
	switch {
	case f.ExecuteOnly:
		f.ReadOnly, mode = true, 0o111
	case f.Executable:
		mode |= 0o111
	}
	file, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(f.Content)
	if err == nil {
		// The umask is the host's.
		err = file.Chmod(mode)
	}
	if err == nil && p.boot.SwitchIDs && !f.ReadOnly {
		err = file.Chown(p.boot.UID, p.boot.GID)
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil || !f.ReadOnly || p.boot.Bare {
		return err
	}
	if err := pin(pinned, path.Dir(f.Path)); err != nil {
		return err
	}
	// A mode alone is no lock against the owner of the folder.
	target := path.Join(workDir, f.Path)
	if err := unix.Mount(target, target, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	return seal(target, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

// pin keeps a read-only file's folders where they are: a mount holds its own
// name, but not those above it, so that they could be moved away with it.
func pin(pinned map[string]bool, dir string) error {
	if pinned[dir] {
		return nil
	}
	if err := pin(pinned, path.Dir(dir)); err != nil {
		return err
	}
	pinned[dir] = true
	target := path.Join(workDir, dir)
	return unix.Mount(target, target, "", unix.MS_BIND, "")
}

func (p *process) makeParents(root *os.Root, made map[string]bool, dir string) error {
	if made[dir] {
		return nil
	}
	if err := p.makeParents(root, made, path.Dir(dir)); err != nil {
		return err
	}
	if err := root.Mkdir(dir, 0o755); err != nil {
		return err
	}
	switch {
	case p.boot.Bare:
		if err := p.keepFolder(root, dir); err != nil {
			return err
		}
	case p.boot.SwitchIDs:
		if err := root.Chown(dir, p.boot.UID, p.boot.GID); err != nil {
			return err
		}
	}
	made[dir] = true
	return nil
}

// maxWalk bounds the walk over what a payload left behind; a room with more
// entries than this has been filled on purpose.
const maxWalk = 1 << 16

// maxDepth bounds it as well: the way to a file is gone anew from the top. A
// program that makes folders without end would otherwise be told as the
// platform's failure.
const maxDepth = 64

var errEnough = errors.New("enough")

// collect sends the matching regular files. Nothing else is alive any more, so
// nothing changes under the walk.
func (p *process) collect() (truncated bool, err error) {
	if len(p.job.Collect) == 0 {
		return false, nil
	}
	root, err := os.OpenRoot(workDir)
	if err != nil {
		return false, fileError(workDir, err)
	}
	defer func() { _ = root.Close() }()
	bytes, files, seen := p.job.CollectBytes, p.job.CollectFiles, 0
	walkErr := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if seen++; seen > maxWalk {
			truncated = true
			return errEnough
		}
		if d != nil && d.IsDir() && strings.Count(name, "/") >= maxDepth {
			truncated = truncated || slices.ContainsFunc(p.job.Collect, func(pattern string) bool { return strings.Contains(pattern, "**") })
			return fs.SkipDir
		}
		// What can't be read, or isn't a plain file, was not made to be
		// collected.
		if err != nil || !d.Type().IsRegular() || wire.CheckPath(name) != nil || !p.wanted(name) {
			return nil //nolint:nilerr // as said
		}
		if files == 0 {
			truncated = true
			return errEnough
		}
		content, executable, err := readRegular(root, name, bytes)
		if errors.Is(err, errEnough) {
			truncated = true
			return nil
		}
		if err != nil {
			return nil //nolint:nilerr // not made to be collected
		}
		files--
		bytes -= int64(len(content))
		frame := wire.File{Path: name, Content: content, Executable: executable}
		return wire.WriteFrame(p.control, wire.KindCollected, frame.Encode())
	})
	if errors.Is(walkErr, errEnough) {
		walkErr = nil
	}
	return truncated, walkErr
}

func (p *process) wanted(name string) bool {
	for _, pattern := range p.job.Collect {
		if wire.Match(pattern, name) {
			return true
		}
	}
	return false
}

// readRegular opens without following a last link and without waiting for a
// pipe's other end, and looks again at what it has opened.
func readRegular(root *os.Root, name string, limit int64) (content []byte, executable bool, err error) {
	file, err := root.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() {
		return nil, false, fs.ErrInvalid
	}
	if info.Size() > limit {
		return nil, false, errEnough
	}
	content = make([]byte, info.Size())
	n, err := io.ReadFull(file, content)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return content[:n], info.Mode()&0o111 != 0, err
}
