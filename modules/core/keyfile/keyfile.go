// Package keyfile keeps random keys in files of their own, outside the database
// and its dumps.
package keyfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Size is the least number of bytes of a key, and the number of a new one.
const Size = 32

// Load reads the key in the file at path and makes it, readable by its owner
// alone, when it is not there. Of several servers that make it at once all get
// the same. Without a path the key is a new one that nobody keeps. setting
// names, in errors, where the path comes from, as in "rag.key_file".
func Load(setting, path string) ([]byte, error) {
	if path == "" {
		return random()
	}
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("make the key of %s: %w", setting, err)
		}
		key, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of %s: %w", setting, err)
	}
	if len(key) < Size {
		return nil, fmt.Errorf("%s: %s holds %d bytes, it needs %d random ones; remove it to have a new one made", setting, path, len(key), Size)
	}
	return key, nil
}

// create links a whole file into place, so that nobody reads half a key and the
// first of several servers wins.
func create(path string) error {
	key, err := random()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := Folder(dir); err != nil {
		return err
	}
	part, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }()
	_, err = part.Write(key)
	if err := errors.Join(err, part.Sync(), part.Close(), Hand(part.Name())); err != nil {
		return err
	}
	if err := os.Link(part.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Folder makes a folder for its owner alone, with those above it, where it is
// not there.
func Folder(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := Folder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return Hand(path)
}

// Hand gives what root has just made to who owns the folder it is in: a command
// that root runs must leave nothing that the server, who is somebody else, can't
// go on with.
func Hand(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if owner, known := info.Sys().(*syscall.Stat_t); known && owner.Uid != 0 {
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	}
	return nil
}

func random() ([]byte, error) {
	key := make([]byte, Size)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}
