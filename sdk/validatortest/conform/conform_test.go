package conform

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// The test's program is also the plugin: a link to it is named after what is
// wrong with it, for the environment of a plugin is not the tests' to choose.
func TestMain(m *testing.M) {
	sandbox.Init()
	if fault, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "plugin-"); ok {
		play(fault)
	}
	patience = 4 * time.Second
	os.Exit(m.Run())
}

func report(context.Context, *validator.Request) (*validator.Report, error) {
	return &validator.Report{Verdict: validator.Failed}, nil
}

func play(fault string) {
	spec := &validator.Spec{
		Name: "played", Version: "1.0.0", Judge: report,
		Languages: []validator.Language{{Name: "text", Extensions: []string{".txt"}, DefaultFile: "a.txt"}},
	}
	serving := os.Getenv(pluginproto.CookieKey) != ""
	if fault == "speaks-anything" || fault == "forgets" || fault == "outlives-its-host" || fault == "describes-differently" {
		if serving {
			playRaw(fault, spec)
		}
	}
	switch fault {
	case "hangs-by-hand":
		if !serving {
			time.Sleep(time.Minute)
		}
	case "says-nothing-by-hand":
		if !serving {
			os.Exit(1)
		}
	case "never-says-hello":
		time.Sleep(time.Minute)
	case "no-certificate":
		_ = os.Unsetenv(pluginproto.EnvClientCert)
	case "plans-differently":
		spec.Runtimes = []validator.Runtime{{ID: "sh"}}
		spec.Plan = func(context.Context, *validator.Request) ([]validator.Step, error) {
			return []validator.Step{{ID: "s", Runtime: "sh", Processes: []validator.Process{{Role: "main", Argv: []string{"/bin/true", fmt.Sprint(rand.Int())}}}}}, nil
		}
	case "trusts-exit-codes":
		spec.Runtimes = []validator.Runtime{{ID: "sh", Mounts: []validator.Mount{{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true}}}}
		spec.Plan = func(context.Context, *validator.Request) ([]validator.Step, error) {
			return []validator.Step{{ID: "s", Runtime: "sh", Processes: []validator.Process{{Role: "main", Argv: []string{"/bin/true"}}}}}, nil
		}
		spec.Judge = func(_ context.Context, req *validator.Request) (*validator.Report, error) {
			if r := req.Result("s"); r != nil && r.Process("main") != nil && r.Process("main").ExitCode == 0 {
				return &validator.Report{Verdict: validator.Passed, Score: 1}, nil
			}
			return &validator.Report{Verdict: validator.Failed}, nil
		}
	case "warms", "warms-wrongly", "warms-never":
		playWarm(fault, spec)
	case "points-outside":
		spec.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			return &validator.Report{Verdict: validator.Failed, Findings: []validator.Finding{{
				File: "../../etc/passwd", Line: 3, Rule: "r", Severity: validator.SeverityWarning, Message: validator.Verbatim("r", "see"),
			}}}, nil
		}
	case "prints-first":
		if serving {
			fmt.Println("hello!")
		}
	case "floods":
		spec.Judge = func(ctx context.Context, req *validator.Request) (*validator.Report, error) {
			fmt.Fprintln(os.Stderr, strings.Repeat("noise ", 100_000))
			return report(ctx, req)
		}
	case "crashes-on-nothing":
		spec.Judge = func(ctx context.Context, req *validator.Request) (*validator.Report, error) {
			_ = req.Submission.Files[0]
			return report(ctx, req)
		}
	case "counts-calls":
		calls := 0
		spec.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			calls++
			return &validator.Report{Verdict: validator.Failed, Score: 1 / float64(calls)}, nil
		}
	case "leaves-processes", "leaves-daemons":
		spec.Judge = func(ctx context.Context, req *validator.Request) (*validator.Report, error) {
			child := exec.Command("/bin/sleep", "60")
			child.SysProcAttr = &syscall.SysProcAttr{Setsid: fault == "leaves-daemons"}
			_ = child.Start()
			return report(ctx, req)
		}
	}
	validator.Main(spec)
}

// playWarm runs the submission's script, which its warm-up program may do too.
func playWarm(fault string, spec *validator.Spec) {
	program := "echo ready; read -r line || exit 0; cd /room; exec /bin/sh a.txt"
	switch fault {
	case "warms-wrongly":
		program = "echo ready; read -r line || exit 0; cd /room; echo warm; exec /bin/sh a.txt"
	case "warms-never":
		program = "exit 3"
	}
	spec.Runtimes = []validator.Runtime{{
		ID: "sh", Mounts: []validator.Mount{{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true}},
		WarmUp: &validator.WarmUp{Argv: []string{"/bin/sh", "-c", program}, Protocol: judging.WarmOnce},
	}}
	spec.Plan = func(_ context.Context, req *validator.Request) ([]validator.Step, error) {
		if req.Submission.File("a.txt") == nil {
			return nil, nil
		}
		return []validator.Step{{ID: "s", Runtime: "sh", Processes: []validator.Process{{Role: "main", Argv: []string{"/bin/sh", "a.txt"}, Files: req.Submission.Files, Warm: true}}}}, nil
	}
	spec.Judge = func(ctx context.Context, req *validator.Request) (*validator.Report, error) {
		report, err := report(ctx, req)
		if r := req.Result("s"); r != nil && r.Process("main") != nil {
			report.Output = string(r.Process("main").Stdout)
		}
		return report, err
	}
}

// moody says something else each time.
type moody struct {
	anyJudge
	calls *int
}

func (m moody) Describe(ctx context.Context) (*judging.Description, error) {
	d, err := m.anyJudge.Describe(ctx)
	*m.calls++
	d.Version = fmt.Sprintf("1.0.%d", *m.calls)
	return d, err
}

// playRaw does what sdk/validator does not let an author do.
func playRaw(fault string, spec *validator.Spec) {
	judge, err := validator.New(spec)
	if err != nil {
		panic(err)
	}
	version := pluginproto.ValidatorVersion
	switch fault {
	case "describes-differently":
		judge = moody{judge, new(int)}
	case "speaks-anything":
		for offered := range strings.SplitSeq(os.Getenv("PLUGIN_PROTOCOL_VERSIONS"), ",") {
			_, _ = fmt.Sscan(offered, &version)
			break
		}
	case "outlives-its-host":
		_ = os.Setenv(pluginproto.EnvHostPID, fmt.Sprint(os.Getppid()))
		if child := os.Getenv("TEST_CHILD"); child == "" {
			// A process between it and its host, which stays.
			cmd := exec.Command("/proc/self/exe")
			cmd.Args, cmd.Env = os.Args, append(os.Environ(), "TEST_CHILD=1", pluginproto.EnvHostPID+"="+fmt.Sprint(os.Getpid()))
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			_ = cmd.Run()
		}
		_ = os.Setenv(pluginproto.EnvHostPID, fmt.Sprint(os.Getppid()))
	}
	pluginproto.Serve(pluginproto.Service{
		Kind: pluginproto.KindValidator, Name: spec.Name, Version: spec.Version,
		Versions: map[int]func(*grpc.Server){version: func(s *grpc.Server) { validatorrpc.Register(s, judge) }},
	})
}

func played(t *testing.T, fault string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plugin-"+fault)
	if err := os.Symlink(exe, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// failed runs all checks of a plugin and returns those that failed.
func failed(t *testing.T, path string, o Options) (names []string, said string) {
	t.Helper()
	Binary(path, o, func(c Check) bool {
		r := Record(t.Context(), c)
		if !r.OK() {
			names = append(names, c.Name)
			said += strings.Join(r.Problems, "\n") + "\n" + c.Fix + "\n"
		}
		said += strings.Join(r.Notes, "\n")
		return r.OK()
	})
	return names, said
}

func TestEachFaultOfAPluginIsFoundByTheCheckThatIsForIt(t *testing.T) { //nolint:tparallel // its plugins mostly wait; others measure nothing beside them
	for fault, want := range map[string]struct{ check, says string }{
		"none":                  {"", ""},
		"no-certificate":        {"", "only the folder of its socket protects it"},
		"hangs-by-hand":         {"explains itself", "it still runs"},
		"says-nothing-by-hand":  {"explains itself", "must say that it is a plugin"},
		"never-says-hello":      {"starts in a minimal environment", "did not say that it is there within"},
		"speaks-anything":       {"answers with a protocol version", "which does not exist, it took it"},
		"describes-differently": {"says the same of itself", "the second description is another"},
		"plans-differently":     {"plans the same", "the plan is another"},
		"crashes-on-nothing":    {"judges whatever is handed in", "nothing at all: a submission must never make a plugin fail"},
		"counts-calls":          {"gives the same report", "the second report is another"},
		"trusts-exit-codes":     {"passes nothing that did not run", "exited with 0 the verdict is passed"},
		"points-outside":        {"points only to places", `"../../etc/passwd", which is not a file of the submission`},
		"leaves-processes":      {"leaves no process", "that it did not start with"},
		"leaves-daemons":        {"is gone with all its processes", "are still there"},
		"prints-first":          {"keeps its standard output", `"hello!\n" before`},
		"floods":                {"keeps its standard output", "KiB on its outputs"},
		"outlives-its-host":     {"ends with its host", "it still runs"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			names, said := failed(t, played(t, fault), Options{})
			all := strings.Join(names, "; ")
			if !strings.Contains(all, want.check) || want.check == "" && all != "" || !strings.Contains(said, want.says) {
				t.Errorf("failed: %q, which should name %q; %q should be in:\n%s", all, want.check, want.says, said)
			}
		})
	}
}

func TestCasesOfAFolderAreChecked(t *testing.T) {
	dir := t.TempDir()
	write := func(report string) {
		if err := os.WriteFile(filepath.Join(dir, "a.txtar"), []byte("A case.\n-- submission/a.txt --\nhello\n-- report --\n"+report), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("verdict: failed\nscore: 0\nintegrity: shared\n")
	if names, said := failed(t, played(t, "none"), Options{Cases: dir, Quick: true}); len(names) > 0 {
		t.Errorf("%v: %s", names, said)
	}
	write("verdict: passed\nscore: 1\nintegrity: shared\n")
	if names, said := failed(t, played(t, "none"), Options{Cases: dir, Quick: true}); len(names) != 1 || names[0] != "case a" || !strings.Contains(said, "a.txtar") {
		t.Errorf("%v: %s", names, said)
	}
	if names, _ := failed(t, played(t, "none"), Options{Cases: t.TempDir(), Quick: true}); len(names) != 1 || names[0] != "has cases" {
		t.Errorf("%v", names)
	}
}

func TestAWarmUpProgramMustGiveTheReportsOfExecutedProcesses(t *testing.T) {
	dir := t.TempDir()
	text := "A case.\n-- submission/a.txt --\nread -r x; echo hi $x\n-- report --\nverdict: failed\nscore: 0\nintegrity: shared\n\noutput: hi\n"
	if err := os.WriteFile(filepath.Join(dir, "a.txtar"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for fault, want := range map[string]string{
		"warms": "", "warms-wrongly": "the report is another", "warms-never": "the warm-up program did not become ready",
	} {
		names, said := failed(t, played(t, fault), Options{Cases: dir, Quick: true})
		all := strings.Join(names, "; ")
		if (want == "") != (all == "") || !strings.Contains(said, want) || want != "" && all != "gives the same reports when its warm-up program serves it" {
			t.Errorf("%s: failed: %q; %q should be in:\n%s", fault, all, want, said)
		}
	}
}

func giveUp(t T) { t.Fatalf("oh") }

func TestACheckThatPanicsOrEndsEarlyIsAFailure(t *testing.T) {
	for _, c := range []Check{
		{Name: "panics", Run: func(T) { panic("oh") }},
		{Name: "ends early", Run: func(t T) { giveUp(t); t.Errorf("never reached") }},
	} {
		if r := Record(t.Context(), c); r.OK() || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "oh") {
			t.Errorf("%s: %v", c.Name, r.Problems)
		}
	}
	var dir string
	if r := Record(t.Context(), Check{Run: func(t T) { dir = t.TempDir() }}); !r.OK() {
		t.Error(r.Problems)
	}
	if _, err := os.Stat(dir); err == nil || dir == "" {
		t.Errorf("the folder of a check stays: %s", dir)
	}
}

func TestADifferenceShowsTheLinesThatDiffer(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"a\nb\nc\nd\ne\n", "a\nb\nc\nX\ne\n", "  b\n  c\n- d\n+ X\n"},
		{"a\n", "a\nb\n", "  a\n+ b\n"},
		{"", "a\n", "+ a\n"},
		{"a\nb\n", "a\n", "  a\n- b\n"},
	} {
		if got := differ(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %q", c.a, c.b, got)
		}
	}
}

// As `go test -run` does with subtests that it filters.
func TestChecksOfAProgramThatWasNotStartedAreLeftOut(t *testing.T) {
	var asked []string
	Binary("/none", Options{}, func(c Check) bool {
		asked = append(asked, c.Name)
		return true
	})
	if len(asked) != 2 {
		t.Errorf("asked %q", asked)
	}
}
