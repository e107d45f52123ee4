package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheJarIsMadeOfTheseSources(t *testing.T) {
	_, stamp, err := judgeJar()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	add := func(name string) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(b)
	}
	for _, name := range []string{"pom.xml", "checksums", "install"} {
		add("toolchain/" + name)
	}
	var sources []string
	err = filepath.WalkDir("java", func(name string, _ fs.DirEntry, err error) error {
		if filepath.Ext(name) == ".java" {
			sources = append(sources, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(sources)
	for _, name := range sources {
		add(name)
	}
	if want := hex.EncodeToString(sum.Sum(nil))[:16]; stamp != want {
		t.Errorf("judge.jar was made of other sources (%s, not %s): run toolchain/install", stamp, want)
	}
}

func TestSmallerLimitsLeaveASmallerHeapAndNoWarmProcess(t *testing.T) {
	for memory, heap := range map[uint64]int{0: heapMiB, 1 << 30: heapMiB, defaultMemory: heapMiB, 400 << 20: 176, 256 << 20: 96, 16 << 20: 24} {
		p, err := process(memory, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := heapOf(memory); got != heap || p.Warm != (heap == heapMiB) || !slices.ContainsFunc(p.Argv, func(a string) bool { return strings.HasPrefix(a, "-Xmx") }) {
			t.Errorf("%d bytes: a heap of %d MiB, not %d; warm: %v", memory, got, heap, p.Warm)
		}
	}
}
