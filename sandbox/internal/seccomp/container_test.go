//go:build linux && (amd64 || arm64)

package seccomp

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write the container's profile")

const profilePath = "../../../configs/deploy/seccomp.json"

// profile is the part of the container runtimes' format that is used.
type profile struct {
	Comment         string    `json:"comment,omitempty"`
	DefaultAction   string    `json:"defaultAction"`
	DefaultErrnoRet int       `json:"defaultErrnoRet,omitempty"`
	Architectures   []string  `json:"architectures"`
	Syscalls        []syscall `json:"syscalls"`
}

type syscall struct {
	Names    []string `json:"names"`
	Action   string   `json:"action"`
	ErrnoRet int      `json:"errnoRet"`
	Comment  string   `json:"comment,omitempty"`
}

// named are the calls in a list of the source, by their names there, which are
// the kernel's: numbers differ between architectures, names don't.
func named(t *testing.T, file, list string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range parsed.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if v.Names[0].Name != list || len(v.Values) == 0 {
				continue
			}
			ast.Inspect(v.Values[0], func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(s.Sel.Name, "SYS_") {
					names = append(names, strings.ToLower(strings.TrimPrefix(s.Sel.Name, "SYS_")))
				}
				return true
			})
		}
	}
	if len(names) == 0 {
		t.Fatalf("%s has no list %s", file, list)
	}
	return names
}

func generated(t *testing.T) profile {
	t.Helper()
	names := append(named(t, "calls.go", "deniedCalls"), named(t, "calls_amd64.go", "deniedNative")...)
	needed := append(named(t, "calls.go", "roomCalls"), named(t, "calls.go", "containerCalls")...)
	names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(needed, n) })
	slices.Sort(names)
	return profile{
		Comment:       "Made by go test ./sandbox/internal/seccomp -update. Denies what neither the tracker nor its sandbox needs; learners' code has a stricter filter of its own.",
		DefaultAction: "SCMP_ACT_ALLOW",
		Architectures: []string{"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"},
		Syscalls:      []syscall{{Names: names, Action: "SCMP_ACT_ERRNO", ErrnoRet: int(unix.EPERM)}},
	}
}

func TestTheContainersProfileIsWhatTheSourceSays(t *testing.T) {
	want, err := json.MarshalIndent(generated(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(profilePath, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(profilePath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: go test ./sandbox/internal/seccomp -update", profilePath)
	}
}

// The filter that TestRoomsAreBuiltUnderTheContainersProfile runs under denies as
// many calls as the file that operators use.
func TestTheProfileDeniesWhatTheFilterDenies(t *testing.T) {
	p := generated(t)
	names := slices.DeleteFunc(p.Syscalls[0].Names, func(n string) bool {
		return foreignBit == 0 && slices.Contains(named(t, "calls_amd64.go", "deniedNative"), n)
	})
	if got := len(denied(Options{Container: true})); got != len(names) {
		t.Errorf("the filter denies %d calls, the profile %d", got, len(names))
	}
}

func TestAContainerMayDoWhatRoomsNeed(t *testing.T) {
	for _, nr := range append(append([]uint32{unix.SYS_CLONE, unix.SYS_CLONE3, unix.SYS_SECCOMP, unix.SYS_PRCTL, unix.SYS_SETRESUID}, roomCalls...), containerCalls...) {
		if got := verdict(t, Options{Container: true}, nativeArch, nr, namespaceFlags); got != retAllow {
			t.Errorf("call %d answers %#x", nr, got)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := strings.Cut(string(readme), "Needed are a seccomp profile that allows ")
	list, _, _ = strings.Cut(list, ", then")
	if !ok {
		t.Fatal("the README doesn't say what rooms need")
	}
	for part := range strings.SplitSeq(list, ",") {
		name := strings.Trim(part, " `\n")
		if slices.Contains(generated(t).Syscalls[0].Names, name) {
			t.Errorf("%s is denied", name)
		}
	}
	for _, name := range []string{"ptrace", "bpf", "kexec_load", "init_module", "keyctl", "perf_event_open", "reboot", "settimeofday"} {
		if !slices.Contains(generated(t).Syscalls[0].Names, name) {
			t.Errorf("%s is allowed", name)
		}
	}
}
