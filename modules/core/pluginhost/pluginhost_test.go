package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// The test binary is also the plugin and, for one test, the host that is
// killed; see plugin_test.go.
func TestMain(m *testing.M) {
	if mode := os.Getenv("TEST_PLUGIN"); mode != "" {
		playPlugin(mode)
	}
	if os.Getenv("TEST_HOST") != "" {
		playHost()
	}
	goleak.VerifyTestMain(m)
}

func entry(t testing.TB, mode string) Plugin {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := Sum(exe)
	if err != nil {
		t.Fatal(err)
	}
	return Plugin{Name: "played", Path: exe, SHA256: sum, Enabled: true, Env: map[string]string{"TEST_PLUGIN": mode}}
}

func setup(t *testing.T, mode string, change ...func(*Config)) *Host {
	t.Helper()
	cfg := Config{
		Plugins: []Plugin{entry(t, mode)}, HostVersion: "test", StartTimeout: 5 * time.Second,
		BackOff: 20 * time.Millisecond, HealthEvery: 200 * time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if _, err := os.Stat(h.dir.path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the host's folder is left behind")
		}
	})
	return h
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

func played(t *testing.T, h *Host) judging.Judge {
	t.Helper()
	v, err := h.Validator("played")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func verdict(ctx context.Context, v judging.Judge, content string) (judging.Verdict, error) {
	d, err := v.Judge(ctx, &judging.JudgeRequest{PlanRequest: judging.PlanRequest{
		Submission: judging.Submission{Language: "text", Files: []judging.File{{Path: "a.txt", Content: []byte(content)}}},
	}, Round: 1})
	if err != nil {
		return "", err
	}
	return d.Report.Verdict, nil
}

func TestAPluginDescribesItselfAndJudges(t *testing.T) {
	h := setup(t, "honest")
	if s := h.Status()[0]; s.State != "idle" || s.PID != 0 {
		t.Fatalf("a plugin must not start before it is called: %+v", s)
	}
	info := h.Catalog(t.Context())
	if len(info) != 1 || info[0].State != "running" || info[0].Description.Version != "1.2.3" || info[0].Protocol != 1 {
		t.Fatalf("catalog: %+v", info)
	}
	if d := info[0].Description.Detail.(*judging.Description); d.Languages[0].Name != "text" {
		t.Fatalf("description: %+v", d)
	}
	if got, err := verdict(t.Context(), played(t, h), "good"); err != nil || got != judging.VerdictPassed {
		t.Fatalf("verdict %q, %v", got, err)
	}
	if _, err := played(t, h).Mutate(t.Context(), &judging.MutateRequest{}); !errors.Is(err, judging.ErrNoMutants) {
		t.Fatalf("mutate: %v", err)
	}
}

func TestJunkOnStdoutAndStderrDoesNoHarm(t *testing.T) {
	for _, mode := range []string{"stdout-junk", "stderr-json", "stderr-flood", "stderr-binary", "printing"} {
		t.Run(mode, func(t *testing.T) {
			h := setup(t, mode)
			for range 3 {
				if got, err := verdict(t.Context(), played(t, h), "good"); err != nil || got != judging.VerdictPassed {
					t.Fatalf("verdict %q, %v", got, err)
				}
			}
			if s := h.Status()[0]; s.Crashes != 0 {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestStartsThatCanNotWorkSayWhatToDo(t *testing.T) {
	cases := map[string]struct {
		mode   string
		change func(*Plugin)
		want   []string
	}{
		"wrong sha256":       {"honest", func(p *Plugin) { p.SHA256 = strings.Repeat("ab", 32) }, []string{"pins abab", "if not, don't run it"}},
		"missing file":       {"honest", func(p *Plugin) { p.Path = "/nonexistent/plugin" }, []string{"does not exist", "disable it"}},
		"not a program":      {"honest", func(p *Plugin) { script(t, p, "just text") }, []string{"not a program for this machine"}},
		"ends at once":       {"honest", func(p *Plugin) { script(t, p, "#!/bin/sh\necho no luck >&2\nexit 3\n") }, []string{"exit status 3", "no luck"}},
		"newer protocol":     {"version-99", nil, []string{"speaks version 99", "this tracker speaks 1: update the tracker", "update the tracker"}},
		"older protocol":     {"version-0", nil, []string{"speaks version 0", "build it with the SDK of this tracker"}},
		"another name":       {"other-name", nil, []string{`its name is "someone-else"`}},
		"another kind":       {"other-kind", nil, []string{"is a llm plugin"}},
		"tcp instead":        {"tcp", nil, []string{"unix socket"}},
		"bad description":    {"bad-description", nil, []string{"no language is named"}},
		"socket of another":  {"foreign-socket", nil, []string{"unix socket in"}},
		"link for a socket":  {"link-socket", nil, []string{"is not a socket"}},
		"endless first line": {"endless-line", nil, []string{"before it said that it is there"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := setup(t, c.mode, func(cfg *Config) {
				cfg.StartTimeout = 3 * time.Second
				if c.change != nil {
					c.change(&cfg.Plugins[0])
				}
			})
			_, err := verdict(t.Context(), played(t, h), "good")
			if !errors.Is(err, ErrUnavailable) {
				t.Fatal(err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is missing in: %v", w, err)
				}
			}
		})
	}
}

func script(t *testing.T, p *Plugin, content string) {
	t.Helper()
	p.Path = filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(p.Path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	p.SHA256, _ = Sum(p.Path)
}

func TestConfigurationsThatCanNotWorkAreRefusedTogether(t *testing.T) {
	_, err := New(Config{Plugins: []Plugin{{Name: "Bad Name", Enabled: true, Path: "/x"}, {Name: "b", Enabled: true, SHA256: strings.Repeat("0", 64)}}})
	for _, want := range []string{`"Bad Name"`, "sha256", "plugin b needs a path"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestAPluginGetsAMinimalEnvironmentAndAUserOfItsOwn(t *testing.T) {
	t.Setenv("SECRET_KEY", "must not reach a plugin")
	h := setup(t, "environment")
	_, err := verdict(t.Context(), played(t, h), "good")
	if err == nil || strings.Contains(err.Error(), "SECRET_KEY") || !strings.Contains(err.Error(), "TEST_PLUGIN=environment") {
		t.Fatal(err)
	}
	want := fmt.Sprintf("uid=%d", os.Geteuid())
	if isRoot() {
		want = "uid=61100 groups=[]"
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%q is missing in: %v", want, err)
	}
}

func TestDisabledAndUnknownPluginsAreNotThere(t *testing.T) {
	h := setup(t, "honest", func(c *Config) { c.Plugins[0].Enabled = false })
	if _, err := h.Validator("played"); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
}
