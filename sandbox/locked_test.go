//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"testing"
)

func TestReadOnlyFilesStayWhereTheyAreWhenTheirFoldersAreMoved(t *testing.T) {
	r := newRunner(t, Config{})
	s := shell(`mv data other 2>/dev/null; mv data/deep data/other 2>/dev/null; rm -rf data 2>/dev/null
mkdir -p data/deep && echo mine >data/deep/expected 2>/dev/null
cat data/deep/expected; echo new >data/deep/more && cat data/deep/more; mv data/deep/own data/own && cat data/own`)
	s.Processes[0].Files = []File{
		{Path: "data/deep/expected", Content: []byte("theirs\n"), ReadOnly: true},
		{Path: "data/deep/own", Content: []byte("own\n")},
	}
	// What may be changed is gone with rm, and the folder stays usable.
	expect(t, r, s, Exited, 1, "theirs\nnew")
}

func TestAProgramForExecutionOnlyCanNeitherBeReadNorChanged(t *testing.T) {
	cat, err := os.ReadFile("/bin/cat")
	if err != nil {
		t.Skip("no /bin/cat to run")
	}
	r := newRunner(t, Config{})
	s := shell(`echo runs | bin/program
cat bin/program >/dev/null 2>&1 || echo unread
chmod 755 bin/program 2>/dev/null || echo unchanged
bin/program /proc/self/exe 2>/dev/null | wc -c
bin/program /proc/self/mem 2>/dev/null | wc -c
rm -f bin/program 2>/dev/null; mv bin other 2>/dev/null; echo still | bin/program`)
	s.Processes[0].Files = []File{{Path: "bin/program", Content: cat, ExecuteOnly: true}}
	expect(t, r, s, Exited, 0, "runs\nunread\nunchanged\n0\n0\nstill")
}
