package rag_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goals-tracker/tracker/modules/rag"
)

func TestReadingAFolderTakesWhatSomebodyWrote(t *testing.T) {
	file := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }
	files, problems, err := rag.ReadFS(fstest.MapFS{
		"course.md":                     file("# C"),
		"exercises/x/exercise.md":       file("# X"),
		"exercises/x/solution/x.py":     file("x = 1"),
		"exercises/x/tests/test_x.py":   file("assert x"),
		".git/config":                   file("x"),
		".hidden.md":                    file("x"),
		"node_modules/a/readme.md":      file("x"),
		"src/__pycache__/a.cpython.pyc": file("\x00"),
		"image.PNG":                     file("\x89PNG"),
		"empty.md":                      file(" \n"),
		"data.bin":                      file("a\x00b"),
		"latin.txt":                     file("caf\xe9"),
		"big.txt":                       file(strings.Repeat("x", 4<<20+1)),
		"notes/link.md":                 {Data: []byte("../../etc/passwd"), Mode: 0o777 | 1<<27},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, wrong := make([]string, 0, len(files)), make([]string, 0, len(problems))
	for _, f := range files {
		got = append(got, f.Path)
	}
	for _, p := range problems {
		wrong = append(wrong, p.Path)
	}
	if want := []string{"course.md", "exercises/x/exercise.md", "exercises/x/solution/x.py", "exercises/x/tests/test_x.py"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if want := []string{"big.txt", "data.bin", "latin.txt"}; !slices.Equal(wrong, want) {
		t.Errorf("problems with %q", wrong)
	}
}

func TestTheDefaultsAreValidAndSlipsAreNot(t *testing.T) {
	cfg := rag.DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*rag.Config){
		"max_file_bytes": func(c *rag.Config) { c.MaxFileBytes = 5 << 20 }, "max_files": func(c *rag.Config) { c.MaxFiles = 0 },
		"bm25_b": func(c *rag.Config) { c.B = 2 }, "heading_weight": func(c *rag.Config) { c.HeadingWeight = -1 },
	} {
		cfg := rag.DefaultConfig()
		spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
