package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
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
	tracker := compose.Services["tracker"]
	for _, want := range []string{"apparmor=unconfined", "systempaths=unconfined"} {
		if !slices.Contains(tracker.SecurityOpt, want) {
			t.Errorf("security_opt lacks %s", want)
		}
	}
	at := slices.IndexFunc(tracker.SecurityOpt, func(o string) bool { return strings.HasPrefix(o, "seccomp=") })
	if at < 0 {
		t.Fatal("security_opt names no seccomp profile")
	}
	profile, err := os.ReadFile(filepath.Join(deployDir, strings.TrimPrefix(tracker.SecurityOpt[at], "seccomp=")))
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
