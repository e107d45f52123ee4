package service

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const keyBytes = 32

// LoadKey reads the key of pseudonyms, and makes it when it is not there.
// Without a path it is a new one.
func LoadKey(file string) ([]byte, error) {
	if file == "" {
		return newKey()
	}
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(file); err != nil {
			return nil, fmt.Errorf("make %s: %w", file, err)
		}
		key, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("read rag.key_file: %w", err)
	}
	if len(key) < keyBytes {
		return nil, fmt.Errorf("%s holds %d bytes, it needs %d random ones; remove it to have a new one made", file, len(key), keyBytes)
	}
	return key, nil
}

// makeKey links a whole file into place: of several servers, one makes it.
func makeKey(file string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(file), ".rag-key-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }()
	_, err = part.Write(key)
	if err := errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	if err := os.Link(part.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func newKey() ([]byte, error) {
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}
