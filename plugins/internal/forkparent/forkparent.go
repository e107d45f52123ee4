// Package forkparent is what makes the results of native test programs hard to
// forge: C sources that are linked first into such a program, and the reading of
// what they report.
//
// Before any constructor runs, the program becomes the parent of the processes
// that run its tests. Only the parent knows the nonce and has the descriptor that
// results leave by. A child runs all tests; when it dies, more children run those
// that are left, one each. The package knows no language; plugins for languages
// that compile to native code use it.
package forkparent

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

//go:embed c
var sources embed.FS

// Files returns the sources, to be compiled in the folder dir. supervisor.c must
// come first where the program is linked; report.c is for the tests' side.
func Files(dir string) ([]validator.File, error) {
	var out []validator.File
	for _, name := range []string{"supervisor.c", "report.c", "harness.h", "system.h"} {
		content, err := sources.ReadFile("c/" + name)
		if err != nil {
			return nil, fmt.Errorf("read the plugin's own file %s: %w", name, err)
		}
		out = append(out, validator.File{Path: dir + "/" + name, Content: content})
	}
	return out, nil
}

// Job is the standard input of the program: it may print limit bytes, and these
// tests are known to be in it.
func Job(nonce string, limit uint64, ids []string) []byte {
	return []byte(nonce + " " + strconv.FormatUint(limit, 10) + "\n" + strings.Join(ids, "\n") + "\n")
}

// Output is what a step must be allowed to print for reports on output of that
// limit, which travel in hexadecimal digits.
func Output(limit uint64) uint64 { return min(2*limit+4<<20, 8<<20) }
