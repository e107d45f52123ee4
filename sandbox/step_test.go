package sandbox

import (
	"errors"
	"testing"
	"time"
)

func TestImpossibleStepsAreRefusedAsTheCallersMistake(t *testing.T) {
	one := func(p Process) Step { return Step{Processes: []Process{p}} }
	sh := []string{"/bin/sh"}
	for name, step := range map[string]Step{
		"no process":               {},
		"three processes":          {Processes: []Process{{Argv: sh}, {Argv: sh}, {Argv: sh}}},
		"no program":               one(Process{}),
		"NUL in an argument":       one(Process{Argv: []string{"a", "b\x00c"}}),
		"an environment oddity":    one(Process{Argv: sh, Env: []string{"NOVALUE"}}),
		"an absolute file":         one(Process{Argv: sh, Files: []File{{Path: "/etc/passwd"}}}),
		"a file outside":           one(Process{Argv: sh, Files: []File{{Path: "a/../../b"}}}),
		"a file twice":             one(Process{Argv: sh, Files: []File{{Path: "a"}, {Path: "a"}}}),
		"a file below a file":      one(Process{Argv: sh, Files: []File{{Path: "a"}, {Path: "a/b"}}}),
		"a file above a file":      one(Process{Argv: sh, Files: []File{{Path: "a/b"}, {Path: "a"}}}),
		"more bytes than the disk": one(Process{Argv: sh, Files: []File{{Path: "a", Content: make([]byte, 8192)}}, Limits: Limits{Disk: 4096}}),
		"more files than inodes":   one(Process{Argv: sh, Files: []File{{Path: "a"}, {Path: "b"}}, Limits: Limits{Inodes: 9}}),
		"a pattern outside":        one(Process{Argv: sh, Collect: []string{"../*"}}),
		"a negative limit":         one(Process{Argv: sh, Limits: Limits{CPU: -time.Second}}),
		"too little memory":        one(Process{Argv: sh, Limits: Limits{Memory: 1}}),
		"a lonely channel":         one(Process{Argv: sh, Channel: true}),
		"half a channel":           {Processes: []Process{{Role: "a", Argv: sh, Channel: true}, {Role: "b", Argv: sh}}},
		"equal roles":              {Processes: []Process{{Role: "a", Argv: sh}, {Role: "a", Argv: sh}}},
		"the whole disk":           {Processes: []Process{{Argv: sh}}, Runtimes: []Mount{{Source: "/"}}},
		"a runtime over /proc":     {Processes: []Process{{Argv: sh}}, Runtimes: []Mount{{Source: "/usr", Target: "/proc/x"}}},
		"an unclean runtime":       {Processes: []Process{{Argv: sh}}, Runtimes: []Mount{{Source: "/usr/../etc"}}},
	} {
		if err := step.Validate(); !errors.Is(err, ErrStep) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := one(Process{Argv: sh, Files: []File{{Path: "a/b"}, {Path: "a/c"}}}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestLimitsFallBackFieldByField(t *testing.T) {
	got := Limits{Wall: time.Second}.or(Limits{Memory: 8 << 20, Wall: time.Minute}).or(DefaultLimits())
	want := DefaultLimits()
	want.Wall, want.Memory = time.Second, 8<<20
	if got != want {
		t.Fatalf("got %+v", got)
	}
}
