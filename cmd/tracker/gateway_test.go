package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"gopkg.in/yaml.v3"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	realtimev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1/realtimev1connect"
)

// freeAddress is one of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// runProgram starts a program until the test ends and waits until it answers at
// ready. It gives what the program says, up to when it is asked.
func runProgram(t *testing.T, ready string, env []string, name string, args ...string) (said func() string) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(name)))
	if err != nil {
		t.Fatal(err)
	}
	said = func() string {
		text, err := os.ReadFile(out.Name())
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { defer close(exited); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		_ = out.Close()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), said())
		}
	})
	until(t, 30*time.Second, func() (any, bool) {
		answer, err := http.Get(ready)
		if err != nil {
			return err, false
		}
		_ = answer.Body.Close()
		return answer.StatusCode, answer.StatusCode == http.StatusOK
	})
	return said
}

// The academy's stand-in and the tracker, two processes behind a real Caddy with
// the configuration that operators take.
func TestCaddyPutsAcademyAndTrackerBehindOneOrigin(t *testing.T) {
	const caddy = "/usr/bin/caddy"
	if _, err := os.Stat(caddy); err != nil {
		t.Skip("Debian's package caddy is not installed")
	}
	academyAt, gatewayAt := freeAddress(t), freeAddress(t)
	origin, home := "http://"+gatewayAt, t.TempDir()
	runProgram(t, "http://"+academyAt+"/healthz", []string{"SECRET_KEY=" + testSecret, "SERVICE_API_KEY=" + testServiceKey},
		filepath.Join(programs, "academy"), "--address", academyAt, "--tracker-url", "")
	p := startProcess(t, "DATABASE_URL="+postgrestest.URL(t), "USER_SERVICE_URL=http://"+academyAt, "SERVICE_API_KEY="+testServiceKey)
	said := runProgram(t, origin+"/healthz", []string{
		"GATEWAY_ADDRESS=" + origin, "TRACKER_UPSTREAMS=" + p.address, "ACADEMY_UPSTREAM=" + academyAt, "HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home,
	}, caddy, "run", "--config", "../../configs/deploy/gateways/Caddyfile", "--adapter", "caddyfile")

	me := caller{t: t, url: origin, token: signIn(t, origin)}
	await := watch(t, me)
	await("hello")
	stream := watchStream(t, me)
	if !stream.Receive() || stream.Msg().GetHello().GetUserId() != "learner-ben" {
		t.Fatalf("the stream begins with %v, %v", stream.Msg(), stream.Err())
	}
	goal := me.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Through the gateway"}).field("id")
	await("goal.created")
	if !stream.Receive() || stream.Msg().GetEvent().GetType() != "goal.created" {
		t.Errorf("the stream goes on with %v, %v", stream.Msg(), stream.Err())
	}
	if r := me.must(http.MethodPost, "/tracker.goals.v1.GoalsService/GetGoal", map[string]any{"id": goal}); !strings.Contains(string(r.body), "Through the gateway") {
		t.Errorf("Connect answers %s", r.body)
	}
	for _, inside := range []string{"/metrics", "/readyz", "/api/users/learner-ben", "/api/courses/" + course, "/nothing"} {
		if r := me.send(http.MethodGet, inside, nil); r.status != http.StatusNotFound || len(r.body) > 0 {
			t.Errorf("%s is open to the outside: %d %s", inside, r.status, r.body)
		}
	}
	// A page that a login led to names its address, token and all, to what it loads.
	me.send(http.MethodGet, "/app/", nil, "Referer", origin+"/app?token="+me.token+"&refresh_token=r")
	if r := me.send(http.MethodPost, "/api/auth/validate", map[string]any{"token": me.token}, "Authorization", "Bearer "+testServiceKey); r.status != http.StatusNotFound {
		t.Errorf("tokens are validated for the outside: %d", r.status)
	}
	until(t, 20*time.Second, func() (any, bool) { return said(), strings.Contains(said(), "/api/auth/validate") })
	for _, secret := range []string{me.token, "refresh_token=", testServiceKey} {
		if strings.Contains(strings.ReplaceAll(said(), "refresh_token=REDACTED", ""), secret) {
			t.Errorf("the gateway's log holds %q", secret)
		}
	}
}

// signIn goes the way of a browser: to the academy's page and back with a token.
func signIn(t *testing.T, origin string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(origin + "/login?" + url.Values{"redirect_uri": {origin + "/app"}, "state": {"s1"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	action := regexp.MustCompile(`<form method="post" action="([^"]+)"`).FindSubmatch(page)
	proof := regexp.MustCompile(`name="form" value="([^"]+)"`).FindSubmatch(page)
	if action == nil || proof == nil {
		t.Fatalf("GET /login: %d %s", answer.StatusCode, page)
	}
	answer, err = browser.PostForm(origin+html.UnescapeString(string(action[1])), url.Values{
		"form": {string(proof[1])}, "email": {"ben@academy.test"}, "password": {"ben-learns"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	to, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to.String(), origin+"/app") || to.Query().Get("state") != "s1" {
		t.Fatalf("the login leads with %d to %s, %v", answer.StatusCode, to, err)
	}
	return to.Query().Get("token")
}

func watchStream(t *testing.T, me caller) *connect.ServerStreamForClient[realtimev1.WatchResponse] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	request := connect.NewRequest(&realtimev1.WatchRequest{})
	request.Header().Set("Authorization", "Bearer "+me.token)
	stream, err := connect.NewClient[realtimev1.WatchRequest, realtimev1.WatchResponse](
		http.DefaultClient, me.url+realtimev1connect.RealtimeServiceWatchProcedure).CallServerStream(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	return stream
}

// Both gateways open the same paths.
func TestEnvoyOpensWhatCaddyOpens(t *testing.T) {
	caddyfile, err := os.ReadFile(filepath.Join(deployDir, "gateways", "Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(deployDir, "gateways", "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var envoy any
	if err := yaml.Unmarshal(raw, &envoy); err != nil {
		t.Fatal(err)
	}
	opened := map[string]string{}
	for _, m := range regexp.MustCompile(`@(academy|tracker) path (.*)`).FindAllStringSubmatch(string(caddyfile), -1) {
		for _, path := range strings.Fields(m[2]) {
			opened[path] = m[1]
		}
	}
	if len(opened) < 12 {
		t.Fatalf("the Caddyfile opens only %v", opened)
	}
	for _, route := range find(envoy, "routes") {
		r, _ := route.(map[string]any)
		match, _ := r["match"].(map[string]any)
		to, _ := r["route"].(map[string]any)
		if to == nil {
			continue
		}
		path := fmt.Sprint(match["path"])
		if prefix, ok := match["prefix"]; ok {
			path = fmt.Sprint(prefix) + "*"
		}
		if path == "/api/v1/ws" {
			continue // part of /api/v1/*, without a time limit
		}
		if opened[path] != to["cluster"] {
			t.Errorf("envoy leads %s to %v, Caddy to %q", path, to["cluster"], opened[path])
		}
		delete(opened, path)
	}
	for path := range opened {
		t.Errorf("envoy does not open %s", path)
	}
}

// find gives the items of the first list under a key, however deep.
func find(in any, key string) []any {
	switch v := in.(type) {
	case map[string]any:
		if list, ok := v[key].([]any); ok {
			return list
		}
		for _, item := range v {
			if found := find(item, key); found != nil {
				return found
			}
		}
	case []any:
		for _, item := range v {
			if found := find(item, key); found != nil {
				return found
			}
		}
	}
	return nil
}

func TestEnvoyTakesItsConfiguration(t *testing.T) {
	envoy, err := exec.LookPath("envoy")
	if err != nil {
		t.Skip("no program envoy is installed; Debian 12 packages none")
	}
	out, err := exec.CommandContext(t.Context(), envoy, "--mode", "validate", "-c", filepath.Join(deployDir, "gateways", "envoy.yaml")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
