package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fenced = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// TestEveryCommandOfTheSDKsReadmeWorks does what the page says, in its order,
// without a network: ```sh blocks are run in one shell, other blocks that name a
// file are written to it.
func TestEveryCommandOfTheSDKsReadmeWorks(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no Go toolchain for this user")
	}
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(checkout, "sdk", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(checkout, ".tools", "python-hello", "python-hello")
	if _, err := os.Stat(python); err != nil {
		t.Log("the example in Python is not built here, so its commands are left out")
		python = ""
	}
	script, commands := scriptOf(t, string(page), python != "")
	if commands < 20 {
		t.Fatalf("only %d commands were found", commands)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"PATH="+programs+":"+os.Getenv("PATH"), "TRACKER_SDK="+checkout, "PYTHON_HELLO="+python, "GOPROXY=off", "GOFLAGS=",
		"TRACKER_DATA_DIR="+filepath.Join(dir, "data"), "TRACKER_PLUGINS_DIR="+filepath.Join(dir, "plugins"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	wants := []string{"all 21 checks passed", "all 22 checks passed", "installed shell-out 0.1.0 (judges shell)", "passed: 1 of 1 tests", "shell-out is enabled", "installed llm-echo 0.1.0"}
	if python != "" {
		wants = append(wants, "installed python-hello 1.0.0 (judges text)")
	}
	for _, want := range wants {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}

// scriptOf turns a page's blocks into a shell script that echoes what it does.
func scriptOf(t *testing.T, page string, python bool) (script string, commands int) {
	t.Helper()
	var b strings.Builder
	for _, block := range fenced.FindAllStringSubmatch(page, -1) {
		info, text := block[1], block[2]
		switch {
		case info == "sh" || info == "sh python" && python:
			for line := range strings.Lines(text) {
				if strings.TrimSpace(line) != "" {
					commands++
				}
			}
			b.WriteString("set -x\n" + text + "{ set +x; } 2>/dev/null\n")
		case info == "sh python":
		case strings.Contains(info, " "):
			_, name, _ := strings.Cut(info, " ")
			b.WriteString("cat >" + name + " <<'END OF BLOCK'\n" + text + "END OF BLOCK\n")
		default:
			t.Errorf("a block of %q is neither run nor written", info)
		}
	}
	return b.String(), commands
}
