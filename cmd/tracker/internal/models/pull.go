package models

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// Puller brings models into a folder.
type Puller struct {
	// Dir is the folder; it is made when it is missing. Required.
	Dir string
	// Also are folders where a model may lie already.
	Also []string
	// Mirror is a folder, or the http(s) address of one, that holds archives
	// under their names. Empty asks the registries.
	Mirror string
	// Out hears what is done. Required.
	Out io.Writer

	// run runs a registry's client in a folder. Defaults to the real one.
	run func(ctx context.Context, dir, program string, args ...string) error
}

// downloads is the subfolder of archives that are on their way.
const downloads = ".downloads"

// Pull brings entries that are not there, or not as the manifest has them. What
// was downloaded of one that failed is kept for the next try.
func (p *Puller) Pull(ctx context.Context, entries []Entry) error {
	if err := p.makeFolders(); err != nil {
		return err
	}
	lock, err := p.lock()
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	p.sweep()
	var errs []error
	for _, e := range entries {
		if err := p.one(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("pull %s: %w", e.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(p.Dir, downloads))
}

// makeFolders makes them open to readers, whatever the umask says: root's plugins
// run as users of their own. They pass through the data folder; nobody needs to
// list it.
func (p *Puller) makeFolders() error {
	through := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		through = 0o711
	}
	data := filepath.Dir(p.Dir)
	if err := os.MkdirAll(filepath.Dir(data), 0o755); err != nil {
		return fmt.Errorf("make the models' folder: %w", err)
	}
	for _, dir := range []struct {
		path string
		mode fs.FileMode
	}{{data, through}, {p.Dir, 0o755}, {filepath.Join(p.Dir, downloads), 0o755}} {
		if err := os.Mkdir(dir.path, dir.mode); errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return fmt.Errorf("make the models' folder: %w", err)
		}
		if err := os.Chmod(dir.path, dir.mode); err != nil {
			return fmt.Errorf("make the models' folder: %w", err)
		}
	}
	return nil
}

// lock waits until no other pull works on the folder.
func (p *Puller) lock() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(p.Dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the models' folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the models' folder: %w", err), f.Close())
	}
	return f, nil
}

// sweep removes what a pull that was killed has left half made.
func (p *Puller) sweep() {
	for _, pattern := range []string{".new-*", ".old-*"} {
		old, _ := filepath.Glob(filepath.Join(p.Dir, pattern))
		for _, dir := range old {
			_ = os.RemoveAll(dir)
		}
	}
}

func (p *Puller) one(ctx context.Context, e Entry) error {
	for _, dir := range append([]string{p.Dir}, p.Also...) {
		m, err := localmodel.Read(filepath.Join(dir, e.Name))
		if err == nil && same(m, &e) && m.Verify() == nil {
			_, _ = fmt.Fprintf(p.Out, "%s is in %s\n", e.Name, m.Dir)
			return nil
		}
	}
	_, _ = fmt.Fprintf(p.Out, "%s: fetching %d MB\n", e.Name, (e.Bytes()+1<<20-1)>>20)
	for _, a := range e.Archives {
		if err := p.fetch(ctx, a); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(p.Dir, ".new-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for _, f := range e.Sources {
		if err := p.extract(f, filepath.Join(dir, f.Name)); err != nil {
			return err
		}
	}
	if err := describe(dir, e.Description); err != nil {
		return err
	}
	if err := p.replace(dir, e.Name); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.Out, "%s: now in %s\n", e.Name, filepath.Join(p.Dir, e.Name))
	return nil
}

func describe(dir string, d localmodel.Description) error {
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, localmodel.DescriptionFile)
	if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
		return err
	}
	return os.Chmod(path, 0o644)
}

// replace puts a whole folder in its place. A program that has the old files
// open goes on with them.
func (p *Puller) replace(dir, name string) error {
	to, old := filepath.Join(p.Dir, name), filepath.Join(p.Dir, ".old-"+name)
	if err := os.Rename(to, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(dir, to); err != nil {
		return err
	}
	return os.RemoveAll(old)
}

// extract makes a file of one in an archive, and checks it.
func (p *Puller) extract(f File, to string) (err error) {
	archive, err := zip.OpenReader(filepath.Join(p.Dir, downloads, f.Archive))
	if err != nil {
		return fmt.Errorf("open %s: %w", f.Archive, err)
	}
	defer func() { _ = archive.Close() }()
	in, err := archive.Open(f.Path)
	if err != nil {
		return fmt.Errorf("open %s: %w", f.Archive, err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	err = makers[f.Make](out, in)
	if err == nil {
		err = out.Chmod(0o644)
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("make %s of %s: %w", f.Name, f.Archive, err)
	}
	got, err := localmodel.Sum(to)
	if err != nil {
		return err
	}
	if got != f.SHA256 {
		return fmt.Errorf("%s, made of %s, has the sha256 %s, but the manifest wants %s", f.Name, f.Archive, got, f.SHA256)
	}
	return nil
}

// Pick returns the entries of names, or the default ones, and always the
// library: without it none runs.
func Pick(known []Entry, names []string) ([]Entry, error) {
	if !slices.ContainsFunc(known, func(e Entry) bool { return e.Kind == localmodel.KindRuntime }) {
		return nil, errors.New("the library that runs models is not known for this platform: search is by words alone (BM25)")
	}
	for _, name := range names {
		if !slices.ContainsFunc(known, func(e Entry) bool { return e.Name == name }) {
			all := make([]string, len(known))
			for i, e := range known {
				all[i] = e.Name
			}
			return nil, fmt.Errorf("there is no model %q for this platform; there are: %s", name, strings.Join(all, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(known), func(e Entry) bool {
		return e.Kind != localmodel.KindRuntime && !slices.Contains(names, e.Name) && (len(names) > 0 || !e.Default)
	}), nil
}
