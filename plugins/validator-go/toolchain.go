package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// toolchain is a Go installation that rooms can see.
type toolchain struct {
	// root is its folder; the first candidate when there is none, so that the
	// message about what is missing names a place.
	root string
	// version is as in go1.26.8, empty when unknown.
	version string
	// archives holds the standard library as toolchain/install has compiled it;
	// empty when that was not done for this version.
	archives string
	// harness is the compiled harness, empty when it is another's.
	harness string
}

// prebuilt is where toolchain/install puts compiled packages.
const prebuilt = "/usr/local/lib/goals-tracker/go"

func findToolchain(candidates ...string) toolchain {
	t := toolchain{root: strings.TrimSuffix(candidates[0], "/")}
	for _, pattern := range candidates {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		slices.SortFunc(found, func(a, b string) int { return minor(filepath.Base(b)) - minor(filepath.Base(a)) })
		for _, root := range found {
			if raw, err := os.ReadFile(filepath.Join(root, "VERSION")); err == nil {
				line, _, _ := strings.Cut(string(raw), "\n")
				t.root, t.version = root, strings.TrimSpace(line)
				t.findArchives()
				return t
			}
		}
	}
	return t
}

func (t *toolchain) findArchives() {
	dir := filepath.Join(prebuilt, t.version+"-"+runtime.GOARCH)
	if _, err := os.Stat(filepath.Join(dir, "importcfg")); err != nil {
		return
	}
	t.archives = dir
	compiled := filepath.Join(dir, "harness-"+harnessDigest()+".a")
	if _, err := os.Stat(compiled); err == nil {
		t.harness = compiled
	}
}

// has says whether the standard library has that package, where it is compiled.
func (t *toolchain) has(importPath string) bool {
	if t.archives == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(t.archives, filepath.FromSlash(importPath)+".a"))
	return err == nil
}

// tool is the path of the compiler or linker.
func (t *toolchain) tool(name string) string {
	return t.root + "/pkg/tool/linux_" + runtime.GOARCH + "/" + name
}

// language is the -lang for a go directive, which may ask for more than there is.
func (t *toolchain) language(directive int) string {
	known := minor(t.version)
	if directive == 0 || known > 0 && directive > known {
		directive = known
	}
	if directive == 0 {
		return ""
	}
	return "-lang=go1." + strconv.Itoa(directive)
}

var minorPattern = regexp.MustCompile(`1\.(\d+)`)

// minor is the 26 of go1.26.8.
func minor(version string) int {
	m := minorPattern.FindStringSubmatch(version)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// harnessNames are the harness's files for this architecture.
func harnessNames() []string {
	names, err := fs.Glob(harness, "harness/*.go")
	if err != nil {
		panic(err) // the pattern is ours
	}
	return slices.DeleteFunc(names, func(n string) bool {
		return strings.HasSuffix(n, "/doc.go") || strings.HasPrefix(n, "harness/confine_") && n != "harness/confine_"+runtime.GOARCH+".go"
	})
}

// harnessDigest tells versions of the harness apart; toolchain/install computes
// the same.
func harnessDigest() string {
	var all bytes.Buffer
	for _, name := range harnessNames() {
		all.Write(harnessFile(name))
	}
	sum := sha256.Sum256(all.Bytes())
	return hex.EncodeToString(sum[:8])
}

func harnessFile(name string) []byte {
	raw, err := harness.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return raw
}
