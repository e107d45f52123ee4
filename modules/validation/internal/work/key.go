package work

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

const keyBytes = 32

// LoadKey reads the key under which equal submissions are recognized, and makes
// it when it is not there. Without a path it is a new one.
func LoadKey(path string) ([]byte, error) {
	if path == "" {
		return newKey()
	}
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return nil, fmt.Errorf("make %s: %w", path, err)
		}
		key, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read validation.key_file: %w", err)
	}
	if len(key) < keyBytes {
		return nil, fmt.Errorf("%s holds %d bytes, it needs %d random ones; remove it to have a new one made", path, len(key), keyBytes)
	}
	return key, nil
}

// makeKey links a whole file into place: of several servers, one makes it.
func makeKey(path string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(path), ".validation-key-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }()
	_, err = part.Write(key)
	if err := errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	if err := os.Link(part.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
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

// sameAs is equal for submissions that must get the same verdict: the same
// files, judged by the same tests, options, limits, plugin and toolchain, with
// the same integrity required.
func (w *Worker) sameAs(s validation.Snapshot, t tasks.Task, plugin, version string, toolchain map[string]string, required judging.Integrity) ([]byte, error) {
	type content struct {
		Path   string `json:"path"`
		Digest string `json:"digest"`
	}
	var what struct {
		Files     string            `json:"files"`
		Language  string            `json:"language"`
		Plugin    string            `json:"plugin"`
		Version   string            `json:"version"`
		Toolchain map[string]string `json:"toolchain"`
		Tests     []content         `json:"tests"`
		Starter   []content         `json:"starter"`
		Options   string            `json:"options"`
		Limits    tasks.Limits      `json:"limits"`
		Required  judging.Integrity `json:"required,omitempty"`
	}
	if required == judging.IntegritySplit {
		what.Required = required
	}
	what.Files, what.Language, what.Plugin, what.Version, what.Toolchain = validation.Digest(s.Files), s.Language, plugin, version, toolchain
	if v := t.Validation; v != nil {
		for _, f := range v.Tests {
			what.Tests = append(what.Tests, content{f.Path, f.Digest})
		}
		for _, f := range v.Starter {
			what.Starter = append(what.Starter, content{f.Path, f.Digest})
		}
		what.Options, what.Limits = v.Options.Text(), v.Limits
	}
	body, err := json.Marshal(what)
	if err != nil {
		return nil, fmt.Errorf("digest a submission: %w", err)
	}
	mac := hmac.New(sha256.New, w.key)
	mac.Write(body)
	return mac.Sum(nil), nil
}
