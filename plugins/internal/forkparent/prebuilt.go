package forkparent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// Prebuilt returns the files names of built, for the folder dir of a step, if
// this compiler made them of own and of this package's sources; else none, and
// the step has to compile those.
//
// A plugin's toolchain/install leaves in built what it compiled, the first line of
// the compiler's --version in "compiler" and in "sources" the digest that Digest
// gives.
func Prebuilt(built fs.FS, compiler, dir string, own []byte, names ...string) ([]validator.File, error) {
	sources, err := Digest(own)
	if err != nil {
		return nil, err
	}
	if compiler == "" || line(built, "compiler") != compiler || line(built, "sources") != sources {
		return nil, nil
	}
	var out []validator.File
	for _, name := range names {
		content, err := fs.ReadFile(built, name)
		if err != nil {
			return nil, nil //nolint:nilerr // not there, so it is compiled
		}
		out = append(out, validator.File{Path: dir + "/" + name, Content: content})
	}
	return out, nil
}

func line(built fs.FS, name string) string {
	content, err := fs.ReadFile(built, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

// Digest is SHA-256 in hex over own and the files of c, *.c before *.h.
func Digest(own []byte) (string, error) {
	sum := sha256.New()
	_, _ = sum.Write(own)
	for _, pattern := range []string{"c/*.c", "c/*.h"} {
		names, err := fs.Glob(sources, pattern)
		if err != nil {
			return "", fmt.Errorf("list the plugin's own files: %w", err)
		}
		for _, name := range names {
			content, err := sources.ReadFile(name)
			if err != nil {
				return "", fmt.Errorf("read the plugin's own file %s: %w", name, err)
			}
			_, _ = sum.Write(content)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
