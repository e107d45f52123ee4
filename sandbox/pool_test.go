//go:build linux && (amd64 || arm64)

package sandbox

import (
	"testing"
)

func TestEveryWayGivesAProcessTheSame(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		s := shell(`cat data/in.txt -; echo "$COURSE" >&2; echo made > out.txt; pwd; exit 7`)
		p := &s.Processes[0]
		p.Files = []File{{Path: "data/in.txt", Content: []byte("file\n"), ReadOnly: true}}
		p.Stdin, p.Env, p.Dir, p.Collect = []byte("stdin\n"), []string{"COURSE=x y"}, "data", []string{"**/*.txt"}
		p.Argv[2] = `cat in.txt -; echo "$COURSE" >&2; echo made > ../out.txt; pwd; exit 7`
		got := mustRun(t, r, s).Processes[0]
		if got.ExitCode != 7 || string(got.Stdout) != "file\nstdin\n/work/data\n" || string(got.Stderr) != "x y\n" || len(got.Files) != 2 {
			t.Errorf("%+v\nstdout %q\nstderr %q", got, got.Stdout, got.Stderr)
		}
		if got.CPU <= 0 || got.Wall <= 0 || got.MaxRSS <= 0 {
			t.Errorf("measured %+v", got)
		}
	})
}
