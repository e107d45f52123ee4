package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/sandbox"
)

const (
	testSecret     = "a-secret-key-of-these-tests-0123456789abcdef"
	testServiceKey = "a-service-key-of-these-tests-0123456789abcd"
	course         = "python-basics-en"
)

// programs is where the programs that these tests run were built.
var programs string

func TestMain(m *testing.M) {
	sandbox.Init()
	if version := os.Getenv(playedVersion); version != "" {
		playPlugin(version)
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "tracker-cmd-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		programs = os.Getenv("TRACKER_BIN")
		if programs == "" {
			programs = dir
			for out, pkg := range map[string]string{
				"tracker": ".", "academy": "../academy", "sandbox-init": "../../sandbox/cmd/sandbox-init",
				"plugins/validator-python": "../../plugins/validator-python",
			} {
				build := exec.Command("go", "build", "-o", filepath.Join(dir, out), pkg)
				build.Stderr = os.Stderr
				if err := build.Run(); err != nil {
					fmt.Fprintln(os.Stderr, "build", pkg, err)
					return 1
				}
			}
		}
		return m.Run()
	}())
}

// testConfig are settings of a whole server beside a stand-in academy.
func testConfig(t *testing.T) Config {
	t.Helper()
	academy, err := standin.New(standin.Config{SecretKey: testSecret, ServiceAPIKey: testServiceKey})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(academy)
	t.Cleanup(web.Close)
	cfg := DefaultConfig()
	cfg.DataDir = t.TempDir()
	cfg.Server.Address = "127.0.0.1:0"
	cfg.Server.Dev = true
	cfg.Server.Grace = time.Second
	cfg.Auth.SecretKey = testSecret
	cfg.Academy.URL, cfg.Academy.Key, cfg.Academy.AllowStandIn = web.URL, testServiceKey, true
	cfg.Plugins.Dir = filepath.Join(programs, "plugins")
	cfg.Jobs.PollInterval = 100 * time.Millisecond
	cfg.Limits = limits.Config{} // tests call faster than people do
	return cfg
}

// world is a whole running server in this process.
type world struct {
	t   *testing.T
	db  *postgres.DB
	url string
}

func startWorld(t *testing.T, into ...any) *world {
	t.Helper()
	return startWorldOn(t, testConfig(t), into...)
}

func startWorldOn(t *testing.T, cfg Config, into ...any) *world {
	t.Helper()
	return startReplica(t, postgrestest.DB(t), cfg, into...)
}

// startReplica is one of several servers on one database.
func startReplica(t *testing.T, db *postgres.DB, cfg Config, into ...any) *world {
	t.Helper()
	t.Cleanup(func() { // when it has stopped
		eventstest.CheckSchemas(t, db, events.New(db, cfg.Events, slog.New(slog.DiscardHandler)))
	})
	var server *rpc.Server
	app := fx.New(graph(cfg, db, slog.New(slog.DiscardHandler)), fx.Populate(append(into, &server)...), fx.StopTimeout(time.Minute))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &world{t: t, db: db, url: web.URL}
}

func signed(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	if _, ok := claims["exp"]; !ok {
		claims["exp"] = time.Now().Add(time.Hour).Unix()
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(testSecret))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// as is somebody with roles and courses.
func (w *world) as(user, role string, courses ...string) caller {
	return caller{t: w.t, url: w.url, token: signed(w.t, jwt.MapClaims{"user_id": user, "roles": []string{role}, "course_ids": courses})}
}

// caller speaks HTTP for one person.
type caller struct {
	t     *testing.T
	url   string
	token string
}

// response is an answer with its body read.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (r response) field(name string) any {
	var fields map[string]any
	_ = json.Unmarshal(r.body, &fields)
	return fields[name]
}

func (c caller) send(method, path string, body any, header ...string) response {
	c.t.Helper()
	r, err := c.try(method, path, body, header...)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// try is send where the connection may break.
func (c caller) try(method, path string, body any, header ...string) (response, error) {
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(body)
	default:
		data, err := json.Marshal(body)
		if err != nil {
			return response{}, err
		}
		reader = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, reader)
	if err != nil {
		return response{}, err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if reader != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	return response{answer.StatusCode, answer.Header, data}, err
}

// must sends and wants success.
func (c caller) must(method, path string, body any) response {
	c.t.Helper()
	r := c.send(method, path, body)
	if r.status >= 300 {
		c.t.Fatalf("%s %s: %d %s", method, path, r.status, r.body)
	}
	return r
}

// until repeats a read until it fits.
func until[T any](t *testing.T, within time.Duration, read func() (T, bool)) T {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		got, ok := read()
		if ok {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s it still is %v", within, got)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
