// Package localmodel describes a folder that holds a model, or the library that
// runs models: what `tracker model pull` writes, and what a plugin that computes
// on this machine reads.
//
// It says how a model wants to be fed and what its files must be. It fetches
// nothing and runs nothing.
package localmodel

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// DescriptionFile is the name of the description in each folder. It is written
// last: a folder without it is not whole.
const DescriptionFile = "model.json"

// EnvDirs names the folders that hold models, one folder a model, joined as in
// PATH. The tracker hands it to plugins; a model in an earlier folder hides one
// of the same name in a later.
const EnvDirs = "TRACKER_MODELS_DIRS"

// Kind says what a folder is for.
type Kind string

// The kinds.
const (
	// KindRuntime holds the library that runs models.
	KindRuntime Kind = "runtime"
	// KindEmbed holds an encoder of texts to vectors.
	KindEmbed Kind = "embed"
)

// The names of files that programs look for.
const (
	ModelFile     = "model.onnx"
	TokenizerFile = "tokenizer.json" //nolint:gosec // tokens of text
	RuntimeFile   = "libonnxruntime.so"
)

// Description is what a folder holds.
type Description struct {
	// Name is Required and the folder's name.
	Name string `json:"name"`
	// Kind is Required.
	Kind Kind `json:"kind"`
	// Title, License and Languages are for people. Languages are ISO 639-1
	// codes, or "multilingual".
	Title     string   `json:"title"`
	License   string   `json:"license"`
	Languages []string `json:"languages,omitempty"`
	// Dimensions is the length of the vectors. Required for KindEmbed.
	Dimensions int `json:"dimensions,omitempty"`
	// MaxTokens is where texts are cut, the special tokens counted. Required for
	// KindEmbed.
	MaxTokens int `json:"max_tokens,omitempty"`
	// Pooling makes one vector of one a token: "mean" or "cls". Required for
	// KindEmbed.
	Pooling string `json:"pooling,omitempty"`
	// Inputs and Output name what the network takes and makes. They default to
	// input_ids, attention_mask and token_type_ids, and to last_hidden_state.
	Inputs []string `json:"inputs,omitempty"`
	Output string   `json:"output,omitempty"`
	// QueryPrefix and PassagePrefix are put before texts, as in the training.
	QueryPrefix   string `json:"query_prefix,omitempty"`
	PassagePrefix string `json:"passage_prefix,omitempty"`
	// Version changes whenever vectors can no longer be compared. Required for
	// KindEmbed.
	Version string `json:"version,omitempty"`
	// Files holds the sha256 of each file in hex. Required.
	Files map[string]string `json:"files"`
}

// Model is a description and where its folder is.
type Model struct {
	Description
	Dir string
}

// Path is where a file of the model lies.
func (m *Model) Path(file string) string { return filepath.Join(m.Dir, file) }

func (d *Description) setDefaults() {
	if len(d.Inputs) == 0 {
		d.Inputs = []string{"input_ids", "attention_mask", "token_type_ids"}
	}
	if d.Output == "" {
		d.Output = "last_hidden_state"
	}
}

var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// Validate reports everything that is wrong with a description, joined.
func (d *Description) Validate() error {
	var errs []error
	if !nameRE.MatchString(d.Name) {
		errs = append(errs, fmt.Errorf("name %q must be lower-case letters, digits, dots and dashes, at most 63", d.Name))
	}
	needs := []string{ModelFile, TokenizerFile}
	switch d.Kind {
	case KindRuntime:
		needs = []string{RuntimeFile}
	case KindEmbed:
		if d.Dimensions <= 0 || d.Version == "" {
			errs = append(errs, errors.New("dimensions and version must be given"))
		}
		if d.Pooling != "mean" && d.Pooling != "cls" {
			errs = append(errs, fmt.Errorf("pooling is %q: it must be \"mean\" or \"cls\"", d.Pooling))
		}
	default:
		errs = append(errs, fmt.Errorf("kind %q is neither runtime nor embed", d.Kind))
	}
	if d.Kind != KindRuntime && d.MaxTokens < 8 {
		errs = append(errs, fmt.Errorf("max_tokens is %d: it must be 8 or more", d.MaxTokens))
	}
	for _, file := range needs {
		if d.Files[file] == "" {
			errs = append(errs, fmt.Errorf("files has no sha256 of %s", file))
		}
	}
	for file := range d.Files {
		if !filepath.IsLocal(file) || strings.ContainsRune(file, filepath.Separator) {
			errs = append(errs, fmt.Errorf("files names %q, which is not a file of the folder", file))
		}
	}
	return errors.Join(errs...)
}

// Read reads the description of a folder. The error is fs.ErrNotExist when the
// folder is not there or not whole.
func Read(dir string) (*Model, error) {
	raw, err := os.ReadFile(filepath.Join(dir, DescriptionFile))
	if err != nil {
		return nil, fmt.Errorf("read model in %s: %w", dir, err)
	}
	m := &Model{Dir: dir}
	if err := json.Unmarshal(raw, &m.Description); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, DescriptionFile), err)
	}
	m.setDefaults()
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, DescriptionFile), err)
	}
	if m.Name != filepath.Base(dir) {
		return nil, fmt.Errorf("%s says that its name is %q", filepath.Join(dir, DescriptionFile), m.Name)
	}
	return m, nil
}

// List reads what lies in folders, by name; what can't be read is in the error,
// beside the rest. A folder that isn't there holds nothing.
func List(dirs ...string) ([]*Model, error) {
	var errs []error
	var found []*Model
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("list models: %w", err))
			continue
		}
		for _, e := range entries {
			if !nameRE.MatchString(e.Name()) || slices.ContainsFunc(found, func(m *Model) bool { return m.Name == e.Name() }) {
				continue
			}
			m, err := Read(filepath.Join(dir, e.Name()))
			switch {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				errs = append(errs, err)
			default:
				found = append(found, m)
			}
		}
	}
	slices.SortFunc(found, func(a, b *Model) int { return strings.Compare(a.Name, b.Name) })
	return found, errors.Join(errs...)
}

// Verify checks the files of a model against their sums.
func (m *Model) Verify() error {
	for file, want := range m.Files {
		got, err := Sum(m.Path(file))
		if err != nil {
			return fmt.Errorf("check model %s: %w", m.Name, err)
		}
		if !strings.EqualFold(got, want) {
			return fmt.Errorf("%s is not what it was when it was pulled (sha256 %s, want %s): run `tracker model pull %s`", m.Path(file), got, want, m.Name)
		}
	}
	return nil
}

// Sum returns the sha256 of a file in hex.
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
