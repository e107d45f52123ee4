package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/goals-tracker/tracker/sandbox"
)

const deployDir = "../../configs/deploy"

// The compose file grants what rooms are made of, and no more.
func TestTheComposeFileGrantsWhatRoomsNeedAndNoMore(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(deployDir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Privileged  bool              `yaml:"privileged"`
			CapAdd      []string          `yaml:"cap_add"`
			PID         string            `yaml:"pid"`
			NetworkMode string            `yaml:"network_mode"`
			SecurityOpt []string          `yaml:"security_opt"`
			Environment map[string]string `yaml:"environment"`
			Volumes     []string          `yaml:"volumes"`
			Ports       []string          `yaml:"ports"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal(raw, &compose); err != nil {
		t.Fatal(err)
	}
	for name, s := range compose.Services {
		if s.Privileged || len(s.CapAdd) > 0 || s.PID != "" || s.NetworkMode != "" {
			t.Errorf("%s is granted too much: %+v", name, s)
		}
		for _, v := range s.Volumes {
			if strings.HasPrefix(v, "/") || strings.Contains(v, "docker.sock") {
				t.Errorf("%s sees %s of the host", name, v)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s is open to the network at %s", name, p)
			}
		}
	}
	if granted := compose.Services["tracker"].SecurityOpt; len(granted) > 0 {
		t.Errorf("replicas that judge nothing are granted %v", granted)
	}
	worker := compose.Services["worker"]
	for _, want := range []string{"apparmor=unconfined", "systempaths=unconfined"} {
		if !slices.Contains(worker.SecurityOpt, want) {
			t.Errorf("security_opt lacks %s", want)
		}
	}
	at := slices.IndexFunc(worker.SecurityOpt, func(o string) bool { return strings.HasPrefix(o, "seccomp=") })
	if at < 0 {
		t.Fatal("security_opt names no seccomp profile")
	}
	profile, err := os.ReadFile(filepath.Join(deployDir, strings.TrimPrefix(worker.SecurityOpt[at], "seccomp=")))
	if err != nil {
		t.Fatal(err)
	}
	var seccomp struct {
		DefaultAction string `json:"defaultAction"`
		Syscalls      []struct {
			Names  []string `json:"names"`
			Action string   `json:"action"`
		} `json:"syscalls"`
	}
	decoder := json.NewDecoder(bytes.NewReader(profile))
	if err := decoder.Decode(&seccomp); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"clone", "clone3", "unshare", "mount", "umount2", "pivot_root", "mount_setattr", "sethostname", "seccomp"} {
		for _, rule := range seccomp.Syscalls {
			if rule.Action != "SCMP_ACT_ERRNO" || seccomp.DefaultAction != "SCMP_ACT_ALLOW" || slices.Contains(rule.Names, call) {
				t.Errorf("%s is not allowed", call)
			}
		}
	}
	if len(seccomp.Syscalls) == 0 || !slices.Contains(seccomp.Syscalls[0].Names, "bpf") {
		t.Error("the profile denies nothing")
	}
}

// What the container is built from holds all that the programs are made of, and
// is there.
func TestTheContainerFileCopiesWhatTheProgramsAreMadeOf(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(deployDir, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	copied, user := map[string]bool{}, ""
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) > 2 && fields[0] == "COPY" && !strings.HasPrefix(fields[1], "--"):
			for _, source := range fields[1 : len(fields)-1] {
				if _, err := os.Stat(filepath.Join("../..", source)); err != nil {
					t.Errorf("COPY %s: %v", source, err)
				}
				copied[source] = true
			}
		case len(fields) == 2 && fields[0] == "USER":
			user = fields[1]
		}
	}
	if user == "" || strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		t.Errorf("the container runs as %q", user)
	}
	imported := regexp.MustCompile(`"github\.com/goals-tracker/tracker/([a-z]+)[/"]`)
	needed := map[string]bool{"cmd": true, "plugins": true, "go.mod": true, "go.sum": true, "scripts": true}
	for folder := range copied {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range imported.FindAllSubmatch(source, -1) {
				needed[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for folder := range needed {
		if !copied[folder] {
			t.Errorf("the container file does not copy %s", folder)
		}
	}
	if len(needed) < 9 {
		t.Errorf("only %v were found to be needed", needed)
	}
}

// The chart is rendered by Helm's engine and its objects read as Kubernetes reads
// them; the compose file by Compose's loader, the container file by BuildKit's,
// Envoy's configuration by the messages and rules of its API.
func TestChartComposeContainerFileAndEnvoyAreReadAsTheirOwnProgramsDo(t *testing.T) {
	if os.Getenv("TRACKER_TEST_FULL") == "" {
		t.Skip("Helm, Compose, BuildKit and Envoy's API take minutes to build: set TRACKER_TEST_FULL=1")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no Go toolchain here")
	}
	check := exec.CommandContext(t.Context(), "go", "run", ".")
	check.Dir = "../../tools/deploycheck"
	out, err := check.CombinedOutput()
	if err != nil || len(regexp.MustCompile(`(?m)^ok `).FindAll(out, -1)) != 4 {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheDoctorFailsWhereAnAttackGotThrough(t *testing.T) {
	held := sandbox.Layer{Name: "seccomp", State: sandbox.Held}
	for want, report := range map[string]sandbox.Report{
		"ok":     {Layers: []sandbox.Layer{held, {Name: "cgroup", State: sandbox.Unavailable}}},
		"FAILED": {Layers: []sandbox.Layer{held, {Name: "no network", State: sandbox.Open, Why: "connected"}}},
	} {
		found := sandboxFindings(report)
		if found[0].state != want || len(found) != 3 {
			t.Errorf("got %+v, want %s first", found, want)
		}
		if want == "FAILED" && !strings.Contains(found[0].why, "no network") {
			t.Errorf("it does not say what is open: %s", found[0].why)
		}
	}
	if found := sandboxFindings(sandbox.Report{Err: os.ErrPermission}); found[0].state != "FAILED" {
		t.Errorf("got %+v", found)
	}
	unsafe := sandbox.Report{Layers: []sandbox.Layer{held}, Isolation: sandbox.NoIsolation, Unsafe: os.ErrPermission}
	if found := sandboxFindings(unsafe); found[0].state != "UNSAFE" || !strings.Contains(found[0].why, "validation.unsafe_without_isolation") {
		t.Errorf("got %+v", found)
	}
}
