package models

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// same says whether a model that lies somewhere is the manifest's.
func same(m *localmodel.Model, e *Entry) bool {
	return m.Kind == e.Kind && m.Version == e.Version && maps.Equal(m.Files, e.Files)
}

// fetch brings an archive into the folder of downloads, and checks it.
func (p *Puller) fetch(ctx context.Context, a Archive) error {
	to := filepath.Join(p.Dir, downloads, a.Name)
	if sum, err := localmodel.Sum(to); err == nil && sum == a.SHA256 {
		return nil
	}
	_ = os.Remove(to)
	err := p.bring(ctx, a, to)
	if err != nil {
		return err
	}
	sum, err := localmodel.Sum(to)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", a.Name, err)
	}
	if sum != a.SHA256 {
		_ = os.Remove(to)
		return fmt.Errorf("%s has the sha256 %s, but the manifest wants %s: it was thrown away", a.Name, sum, a.SHA256)
	}
	return nil
}

func (p *Puller) bring(ctx context.Context, a Archive, to string) error {
	if u, err := url.Parse(p.Mirror); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return download(ctx, u.JoinPath(a.Name).String(), to)
	}
	if p.Mirror != "" {
		return copyFile(filepath.Join(p.Mirror, a.Name), to)
	}
	work, err := os.MkdirTemp(filepath.Dir(to), "client-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if a.Maven != "" {
		err = p.maven(ctx, a, work)
	} else {
		err = p.pip(ctx, a, work)
	}
	if err != nil {
		return fmt.Errorf("fetch %s: %w; where no registry can be reached, put %s into a folder and say --from FOLDER", a.Name, err, a.Name)
	}
	return os.Rename(filepath.Join(work, a.Name), to)
}

// maven has mvn fetch a jar; it resumes by itself.
func (p *Puller) maven(ctx context.Context, a Archive, work string) error {
	return p.client(ctx, work, "mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
		"-Dartifact="+a.Maven, "-DoutputDirectory="+work, "-Dmdep.useBaseVersion=true")
}

// pip has Python's pip fetch a wheel, for whatever platform it is. A Python
// without pip makes itself one.
func (p *Puller) pip(ctx context.Context, a Archive, work string) error {
	args := []string{
		"-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
		"--implementation=py", "--abi=none", "--python-version=3.12", "--dest=" + work,
	}
	if a.Platform != "" {
		args = append(args, "--platform="+a.Platform)
	}
	args = append(args, a.PyPI)
	python := "python3"
	if p.client(ctx, work, python, "-m", "pip", "--version") != nil {
		own := filepath.Join(work, "python")
		if err := p.client(ctx, work, python, "-m", "venv", own); err != nil {
			return err
		}
		python = filepath.Join(own, "bin", "python")
	}
	return p.client(ctx, work, python, args...)
}

func (p *Puller) client(ctx context.Context, dir, program string, args ...string) error {
	if p.run != nil {
		return p.run(ctx, dir, program, args...)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed", program)
	}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(lines[0]))
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// download fetches a file by HTTP, going on where an earlier try has ended.
func download(ctx context.Context, from, to string) error {
	part := to + ".part"
	out, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusPartialContent:
	case http.StatusRequestedRangeNotSatisfiable: // all of it is there
		return os.Rename(part, to)
	case http.StatusOK: // from the beginning, as this server can't do otherwise
		if err := out.Truncate(0); err != nil {
			return err
		}
		if _, err := out.Seek(0, io.SeekStart); err != nil {
			return err
		}
	default:
		return fmt.Errorf("fetch %s: %s", from, res.Status)
	}
	if _, err := io.Copy(out, res.Body); err != nil {
		return fmt.Errorf("fetch %s: %w; the next try goes on from here", from, err)
	}
	return os.Rename(part, to)
}
