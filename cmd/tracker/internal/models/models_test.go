package models

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// bundle is an archive and an entry of a manifest that takes two files from it.
func bundle(t *testing.T, model string) (archive []byte, e Entry) {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range map[string]string{"in/net.onnx": model, "in/tok.json": "{}"} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	raw := fmt.Sprintf(`[{"name": "tiny", "kind": "embed", "title": "Tiny", "license": "MIT", "dimensions": 4, "max_tokens": 16, "pooling": "mean", "default": true,
		"archives": [{"name": "tiny.jar", "maven": "org:tiny:1", "sha256": %q, "bytes": %d}],
		"sources": [{"archive": "tiny.jar", "path": "in/net.onnx", "name": "model.onnx", "sha256": %q},
		            {"archive": "tiny.jar", "path": "in/tok.json", "name": "tokenizer.json", "sha256": %q}]}]`,
		sum(b.Bytes()), b.Len(), sum([]byte(model)), sum([]byte("{}")))
	entries, err := read([]byte(raw), "linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), entries[0]
}

func puller(t *testing.T, mirror string) (*Puller, *bytes.Buffer) {
	t.Helper()
	out := &bytes.Buffer{}
	return &Puller{
		Dir: filepath.Join(t.TempDir(), "data", "models"), Mirror: mirror, Out: out,
		run: func(context.Context, string, string, ...string) error {
			return errors.New("no registry can be reached")
		},
	}, out
}

func TestTheManifestIsRightForEachPlatform(t *testing.T) {
	for platform, want := range map[string]int{"linux/amd64": 4, "linux/arm64": 4, "darwin/arm64": 3} {
		entries, err := read(manifest, platform)
		if err != nil || len(entries) != want {
			t.Errorf("%s: %d entries, %v", platform, len(entries), err)
		}
		var names []string
		for _, e := range entries {
			if e.Kind == localmodel.KindRuntime && e.Version != "" || e.Kind != localmodel.KindRuntime && len(e.Version) != 12 {
				t.Errorf("%s: %s has the version %q", platform, e.Name, e.Version)
			}
			if e.License == "" || e.Title == "" || e.Kind == localmodel.KindEmbed && len(e.Languages) == 0 {
				t.Errorf("%s: %s lacks title, licence or languages", platform, e.Name)
			}
			names = append(names, e.Name)
		}
		if platform == "darwin/arm64" {
			if _, err := Pick(entries, nil); err == nil || !strings.Contains(err.Error(), "BM25") {
				t.Errorf("%s: got %v", platform, err)
			}
			continue
		}
		picked, err := Pick(entries, []string{"bge-small-en-v1.5-q"})
		if err != nil || len(picked) != want-2 {
			t.Errorf("%s: picked %d of %v, %v", platform, len(picked), names, err)
		}
		if _, err := Pick(entries, []string{"nothing"}); err == nil || !strings.Contains(err.Error(), "bge-small") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAModelIsPulledOnceAndOpenToAll(t *testing.T) {
	archive, e := bundle(t, "network")
	mirror := t.TempDir()
	write(t, filepath.Join(mirror, "tiny.jar"), archive)
	p, out := puller(t, mirror)
	if err := p.Pull(t.Context(), []Entry{e}); err != nil {
		t.Fatal(err)
	}
	m, err := localmodel.Read(filepath.Join(p.Dir, "tiny"))
	if err != nil || m.Verify() != nil || m.Version != e.Version || m.Dimensions != 4 {
		t.Fatalf("pulled %+v, %v", m, err)
	}
	for path, want := range map[string]os.FileMode{"": 0o755, "tiny": 0o755, "tiny/model.onnx": 0o644, "tiny/model.json": 0o644} {
		if info, err := os.Stat(filepath.Join(p.Dir, path)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if _, err := os.Stat(filepath.Join(p.Dir, downloads)); !os.IsNotExist(err) {
		t.Errorf("downloads are still there: %v", err)
	}
	out.Reset()
	p.Mirror = "" // nobody is asked for what is there
	if err := p.Pull(t.Context(), []Entry{e}); err != nil || !strings.Contains(out.String(), "tiny is in") {
		t.Errorf("%v: %s", err, out)
	}
	also, said := puller(t, "")
	also.Also = []string{p.Dir}
	if err := also.Pull(t.Context(), []Entry{e}); err != nil || !strings.Contains(said.String(), p.Dir) {
		t.Errorf("%v: %s", err, said)
	}
	// One that was damaged is pulled again.
	write(t, m.Path(localmodel.ModelFile), []byte("netw0rk"))
	p.Mirror = mirror
	if err := p.Pull(t.Context(), []Entry{e}); err != nil || m.Verify() != nil {
		t.Errorf("%v, %v", err, m.Verify())
	}
}

func TestWhatIsNotTheManifestsIsNotKept(t *testing.T) {
	archive, e := bundle(t, "network")
	mirror := t.TempDir()
	write(t, filepath.Join(mirror, "tiny.jar"), archive)
	p, _ := puller(t, mirror)
	if err := p.Pull(t.Context(), []Entry{e}); err != nil {
		t.Fatal(err)
	}
	newer, next := bundle(t, "a newer network")
	write(t, filepath.Join(mirror, "tiny.jar"), append(newer, 0))
	if err := p.Pull(t.Context(), []Entry{next}); err == nil || !strings.Contains(err.Error(), "thrown away") {
		t.Errorf("another archive: %v", err)
	}
	wrong := next
	wrong.Sources = slices.Clone(next.Sources)
	wrong.Sources[0].SHA256 = strings.Repeat("0", 64)
	write(t, filepath.Join(mirror, "tiny.jar"), newer)
	if err := p.Pull(t.Context(), []Entry{wrong}); err == nil || !strings.Contains(err.Error(), "manifest wants 0000") {
		t.Errorf("another file: %v", err)
	}
	m, err := localmodel.Read(filepath.Join(p.Dir, "tiny"))
	if err != nil || m.Verify() != nil || m.Version != e.Version {
		t.Errorf("the older one is gone: %+v, %v", m, err)
	}
	if err := p.Pull(t.Context(), []Entry{next}); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(p.Dir, ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestADownloadGoesOnWhereItEnded(t *testing.T) {
	archive, e := bundle(t, strings.Repeat("network ", 1000))
	cut := true
	var ranges []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		if cut {
			w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
			_, _ = w.Write(archive[:100])
			return
		}
		http.ServeContent(w, r, "tiny.jar", time.Time{}, bytes.NewReader(archive))
	}))
	defer server.Close()
	p, _ := puller(t, server.URL+"/models")
	if err := p.Pull(t.Context(), []Entry{e}); err == nil || !strings.Contains(err.Error(), "the next try goes on") {
		t.Fatalf("got %v", err)
	}
	cut = false
	if err := p.Pull(t.Context(), []Entry{e}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "bytes=100-"}; !slices.Equal(ranges, want) {
		t.Errorf("asked for %q, want %q", ranges, want)
	}
}

func TestRegistriesAreAskedByTheirOwnClients(t *testing.T) {
	archive, e := bundle(t, "network")
	wheel := e
	wheel.Archives = []Archive{{Name: "tiny.jar", PyPI: "tiny==1", Platform: "manylinux2014_x86_64", SHA256: sum(archive), Bytes: 1}}
	for want, entry := range map[string]Entry{
		"mvn -Dartifact=org:tiny:1": e,
		"python3 tiny==1 --platform=manylinux2014_x86_64 --no-deps --only-binary=:all:": wheel,
	} {
		p, _ := puller(t, "")
		var said string
		p.run = func(_ context.Context, dir, program string, args ...string) error {
			said = program + " " + strings.Join(args, " ")
			if slices.Contains(args, "--version") {
				return nil
			}
			return os.WriteFile(filepath.Join(dir, "tiny.jar"), archive, 0o600)
		}
		if err := p.Pull(t.Context(), []Entry{entry}); err != nil {
			t.Fatal(err)
		}
		for _, word := range strings.Fields(want) {
			if !strings.Contains(said, word) {
				t.Errorf("asked by %q, want %q in it", said, word)
			}
		}
	}
	p, _ := puller(t, "")
	if err := p.Pull(t.Context(), []Entry{e}); err == nil || !strings.Contains(err.Error(), "--from FOLDER") {
		t.Errorf("where there is no registry: %v", err)
	}
}

func TestAManifestThatIsWrongSaysWhere(t *testing.T) {
	for want, raw := range map[string]string{
		"unknown field": `[{"naem": "x"}]`,
		"dimensions":    `[{"name": "x", "kind": "embed", "sources": [{"archive": "a", "name": "model.onnx"}]}]`,
		"not among the": `[{"name": "x", "kind": "runtime", "sources": [{"archive": "a", "name": "libonnxruntime.so"}]}]`,
	} {
		if _, err := read([]byte(raw), "linux/amd64"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
