//go:build cgo

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
	"github.com/goals-tracker/tracker/sdk/llmtest"
)

// systemModels is where `make setup` puts models when root runs it.
const systemModels = "/var/lib/tracker/models"

// modelDirs are the folders with models of this machine.
func modelDirs(t *testing.T) string {
	t.Helper()
	dirs := systemModels
	if data := os.Getenv("TRACKER_DATA_DIR"); data != "" {
		dirs = filepath.Join(data, "models") + ":" + dirs
	}
	if home, err := os.UserHomeDir(); err == nil {
		dirs += ":" + filepath.Join(home, ".local", "share", "tracker", "models")
	}
	return dirs
}

// needs skips a test where models were not pulled.
func needs(t *testing.T, names ...string) settings {
	t.Helper()
	set, err := readSettings(func(k string) string {
		return map[string]string{localmodel.EnvDirs: modelDirs(t)}[k]
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "onnxruntime") {
		found := false
		for _, dir := range set.Dirs {
			_, err := localmodel.Read(filepath.Join(dir, name))
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
				t.Fatal(err)
			}
			found = found || err == nil
		}
		if !found {
			t.Skipf("the model %s is not on this machine: run `tracker model pull`", name)
		}
	}
	return set
}

type reference struct {
	Text   string        `json:"text"`
	Kind   llm.EmbedKind `json:"kind"`
	Tokens int           `json:"tokens"`
	Vector []float64     `json:"vector"`
}

func references(t *testing.T, model string) []reference {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", model+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []reference
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r reference
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	if lines.Err() != nil || len(out) == 0 {
		t.Fatalf("read %d references: %v", len(out), lines.Err())
	}
	return out
}

func TestVectorsAreThoseOfTheReferenceImplementation(t *testing.T) {
	for _, model := range preferred {
		t.Run(model, func(t *testing.T) {
			c := llmtest.Connect(t, newSpec(needs(t, model)))
			for _, want := range references(t, model) {
				got, err := c.Embed(t.Context(), &llm.EmbedRequest{Model: model, Kind: want.Kind, Texts: []string{want.Text}})
				if err != nil {
					t.Fatal(err)
				}
				if cos := cosine(got.Vectors[0], want.Vector); cos < 0.9995 {
					t.Errorf("%.40q: the cosine is %.5f", want.Text, cos)
				}
				if got.Usage.InputTokens != want.Tokens || got.Model != model {
					t.Errorf("%.40q: %d tokens of %q, want %d", want.Text, got.Usage.InputTokens, got.Model, want.Tokens)
				}
			}
		})
	}
}

func cosine(a []float32, b []float64) float64 {
	if len(a) != len(b) {
		return 0
	}
	var sum float64
	for i := range a {
		sum += float64(a[i]) * b[i]
	}
	return sum // both have length 1
}

func TestThePluginKeepsTheContract(t *testing.T) {
	for _, c := range []llmtest.Embedder{
		{
			Model: "multilingual-e5-small", Query: "¿cómo repito algo varias veces?",
			Near: "Un bucle for ejecuta un bloque una vez por elemento.", Far: "Un diccionario guarda parejas de clave y valor.",
		},
		{
			Model: "all-minilm-l6-v2-q", Query: "how do I repeat something?",
			Near: "A loop runs its body once for each item.", Far: "A dictionary maps keys to values.",
		},
	} {
		t.Run(c.Model, func(t *testing.T) {
			c.Spec = newSpec(needs(t, c.Model))
			llmtest.TestEmbedder(t, c)
		})
	}
}

func TestTheModelOfTheSettingsComesFirst(t *testing.T) {
	dir := t.TempDir()
	for name, d := range map[string]string{
		"onnxruntime":           `{"name": "onnxruntime", "kind": "runtime", "files": {"libonnxruntime.so": "00"}}`,
		"aaa":                   embedder("aaa"),
		"mine":                  embedder("mine"),
		"multilingual-e5-small": embedder("multilingual-e5-small"),
		"half":                  "",
		"broken":                `{"name": "other", "kind": "embed"}`,
	} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if d == "" {
			continue // without a description it is not whole
		}
		if err := os.WriteFile(filepath.Join(dir, name, localmodel.DescriptionFile), []byte(d), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for want, set := range map[string]settings{
		"multilingual-e5-small aaa mine": {},
		"mine multilingual-e5-small aaa": {Model: "mine"},
	} {
		set.Dirs, set.Threads = []string{filepath.Join(dir, "none"), dir}, 1
		models, problem := newEngine(set).offered()
		var names []string
		for _, m := range models {
			names = append(names, m.ID)
			if !m.Capabilities.Embed || m.Dimensions != 3 || m.EmbeddingVersion != "v" {
				t.Errorf("offers %+v", m)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("offers %q, want %q", got, want)
		}
		if !strings.Contains(problem, "broken") {
			t.Errorf("says %q of a folder that can't be read", problem)
		}
	}
	// What was pulled but is not what it was is not loaded.
	c := llmtest.Connect(t, newSpec(settings{Dirs: []string{dir}, Threads: 1}))
	for range 2 {
		_, err := c.Embed(t.Context(), &llm.EmbedRequest{Model: "aaa", Texts: []string{"x"}})
		if llm.CodeOf(err) != llm.CodeUnavailable || !strings.Contains(err.Error(), "aaa") {
			t.Errorf("got %v", err)
		}
	}
}

func embedder(name string) string {
	return `{"name": "` + name + `", "kind": "embed", "dimensions": 3, "max_tokens": 8, "pooling": "mean", "version": "v",
		"files": {"model.onnx": "00", "tokenizer.json": "00"}}`
}

func TestSettingsThatAreWrongAreRefused(t *testing.T) {
	for raw, want := range map[string]string{
		`{"threads": -1}`:  "threads is -1",
		`{"thread": 1}`:    "thread",
		`{"threads": "a"}`: "llm-local",
	} {
		_, err := readSettings(func(k string) string { return map[string]string{settingsVariable: raw}[k] })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", raw, err)
		}
	}
	set, err := readSettings(func(k string) string {
		return map[string]string{settingsVariable: `{"dirs": ["/a"], "threads": 3}`, localmodel.EnvDirs: "/b:/c"}[k]
	})
	if err != nil || strings.Join(set.Dirs, " ") != "/a /b /c" || set.Threads != 3 {
		t.Errorf("got %+v, %v", set, err)
	}
}

func TestItSaysWhatIsMissing(t *testing.T) {
	set, err := readSettings(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	models, problem := newEngine(set).offered()
	if len(models) > 0 || !strings.Contains(problem, "tracker model pull") {
		t.Errorf("offers %v, says %q", models, problem)
	}
}
