package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// build compiles the command once for a test; what ships is what is tested.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "academy")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

func TestTheCommandAnnouncesItselfServesAndStopsOnSIGTERM(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("SERVICE_API_KEY=key-from-the-env-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, build(t), "--address", "127.0.0.1:0", "--alg", "RS256")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	var url string
	lines := bufio.NewScanner(out)
	for url == "" && lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text())
	}
	if !strings.Contains(said.String(), "STAND-IN") || url == "" {
		t.Fatalf("it said: %s", said.String())
	}
	get := func(path, key string) (int, string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	if status, body := get("/.well-known/jwks.json", ""); status != 200 || !strings.Contains(body, `"kty":"RSA"`) {
		t.Errorf("JWKS: %d %s", status, body)
	}
	if status, body := get("/api/users/learner-ben", "key-from-the-env-file"); status != 200 {
		t.Errorf("the key of .env: %d %s", status, body)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM it ended with %v", err)
	}
}

func TestTheCommandRefusesWhatItMustNotServe(t *testing.T) {
	bin := build(t)
	for _, c := range []struct{ args, want string }{
		{"--address=0.0.0.0:0", "--allow-remote"},
		{"--address=:0", "--allow-remote"},
		{"--address=127.0.0.1:0 --secret-key=short", "at least 32"},
		{"--alg=none", "HS256"},
		{"--address=127.0.0.1:99999", "listen on 127.0.0.1:99999"},
	} {
		cmd := exec.CommandContext(t.Context(), bin, strings.Fields(c.args)...)
		cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=" + os.Getenv("PATH")}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("academy %s: %v, said %q, want %q", c.args, err, out, c.want)
		}
	}
}
