package forkparent

import (
	"testing"
	"testing/fstest"
)

func TestWhatWasBuiltOfOtherSourcesOrByAnotherCompilerIsNotUsed(t *testing.T) {
	sources, err := Digest([]byte("fn run() {}"))
	if err != nil {
		t.Fatal(err)
	}
	whole := fstest.MapFS{
		"compiler": {Data: []byte("rustc 1.63.0\n")},
		"sources":  {Data: []byte(sources + "\n")},
		"a.o":      {Data: []byte("object")},
	}
	unmarked := fstest.MapFS{"compiler": whole["compiler"], "a.o": whole["a.o"]}
	for name, c := range map[string]struct {
		built    fstest.MapFS
		compiler string
		own      string
		names    []string
		want     int
	}{
		"as installed":       {whole, "rustc 1.63.0", "fn run() {}", []string{"a.o"}, 1},
		"changed source":     {whole, "rustc 1.63.0", "fn run() { go() }", []string{"a.o"}, 0},
		"another compiler":   {whole, "rustc 1.64.0", "fn run() {}", []string{"a.o"}, 0},
		"no compiler":        {whole, "", "fn run() {}", []string{"a.o"}, 0},
		"a file is missing":  {whole, "rustc 1.63.0", "fn run() {}", []string{"a.o", "b.o"}, 0},
		"of unknown sources": {unmarked, "rustc 1.63.0", "fn run() {}", []string{"a.o"}, 0},
		"nothing installed":  {fstest.MapFS{}, "", "fn run() {}", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Prebuilt(c.built, c.compiler, ".judge", []byte(c.own), c.names...)
			if err != nil || len(got) != c.want {
				t.Errorf("%d files, %v; want %d", len(got), err, c.want)
			}
			if len(got) == 1 && (got[0].Path != ".judge/a.o" || string(got[0].Content) != "object") {
				t.Errorf("got %s: %s", got[0].Path, got[0].Content)
			}
		})
	}
}
