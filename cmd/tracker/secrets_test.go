package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// canaries are values that must show nowhere, by what they stand for.
type canaries map[string]string

func (c canaries) make(name string) string {
	c[name] = "canary-" + strings.ReplaceAll(name, " ", "-") + "-0f3a9c5e7b1d2468"
	return c[name]
}

// found names the canaries that a text holds, plain or encoded as headers have them.
func (c canaries) found(text string) (names []string) {
	for name, value := range c {
		for _, form := range []string{value, url.QueryEscape(value), base64.StdEncoding.EncodeToString([]byte(value))[:len(value)-2]} {
			if form != "" && strings.Contains(text, form) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// echo is a server of others that fails and repeats what it was sent, as some do.
type echo struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	body  strings.Builder
}

func startEcho(t *testing.T, status int) *echo {
	t.Helper()
	e := &echo{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.asked = append(e.asked, r.URL.Path)
		e.body.Write(body)
		e.mu.Unlock()
		message := fmt.Sprintf("you sent %v to %s", r.Header, r.URL)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": message, "code": message}, "detail": message})
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *echo) heard() (paths []string, bodies string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append(paths, e.asked...), e.body.String()
}

// TestNoSecretShowsAnywhere runs a server that logs all it can beside services
// that fail and repeat what they are sent, gives it every secret there is, does
// what people and operators do, and looks for the secrets in all that comes out.
func TestNoSecretShowsAnywhere(t *testing.T) {
	secret, said := canaries{}, canaries{}
	academy, provider, traces, receiver := startEcho(t, 500), startEcho(t, 401), startEcho(t, 200), startEcho(t, 500)
	database := withPassword(t, postgrestest.URL(t), secret.make("database password"))
	away := freeAddress(t)
	key := secret.make("secret key")
	settings := filepath.Join(t.TempDir(), "tracker.yaml")
	if err := os.WriteFile(settings, []byte("auth:\n  secret_keys:\n    k2: "+secret.make("key by id")+"\n"+
		"plugins:\n  settings:\n    "+settingsFor+":\n      headers:\n        X-Gateway-Key: "+secret.make("provider header")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(programs, "plugins", settingsFor)); err != nil {
		settings = "" // built for these tests alone, without plugins for models
	}
	at := freeAddress(t)
	env := []string{
		"TRACKER_SERVER_ADDRESS=" + at, "TRACKER_SERVER_DEV=true", "TRACKER_DATA_DIR=" + t.TempDir(), "TRACKER_PLUGINS_DIR=" + filepath.Join(programs, "plugins"),
		"TRACKER_CONFIG=" + settings, "SECRET_KEY=" + key, "TRACKER_AUTH_PREVIOUS_SECRET_KEY=" + secret.make("previous key"),
		"SERVICE_API_KEY=" + secret.make("service key"), "USER_SERVICE_URL=" + academy.URL, "DATABASE_URL=" + database,
		"REDIS_URL=redis://tracker:" + secret.make("redis password") + "@" + away + "/0", "RABBITMQ_URL=amqp://tracker:" + secret.make("rabbitmq password") + "@" + away + "/",
		"OPENAI_API_KEY=" + secret.make("openai key"), "OPENAI_BASE_URL=" + provider.URL + "/v1", "OPENAI_MODEL=m",
		"ANTHROPIC_API_KEY=" + secret.make("anthropic key"), "ANTHROPIC_BASE_URL=" + provider.URL, "ANTHROPIC_MODEL=m",
		"OLLAMA_API_KEY=" + secret.make("ollama key"), "OLLAMA_HOST=" + provider.URL, "OLLAMA_MODEL=m",
		"TRACKER_TELEMETRY_LOG_LEVEL=debug", "TRACKER_TELEMETRY_OTLP_ENDPOINT=" + traces.URL, "TRACKER_JOBS_POLL_INTERVAL=100ms",
		"TRACKER_EVENTS_WEBHOOKS_ALLOW=127.0.0.0/8", "TRACKER_EVENTS_WEBHOOKS_ALLOW_HTTP=true",
	}
	logged := runProgram(t, "http://"+at+"/readyz", env, filepath.Join(programs, "tracker"), "serve", "--env-file=/dev/null")

	answers := askEverything(t, "http://"+at, key, secret, said, receiver)
	if settings != "" {
		until(t, 2*time.Minute, func() (any, bool) { paths, _ := provider.heard(); return paths, len(paths) > 0 })
	}
	until(t, 2*time.Minute, func() (any, bool) { paths, _ := receiver.heard(); return paths, len(paths) > 0 })
	metrics := caller{t: t, url: "http://" + at}.must(http.MethodGet, "/metrics", nil)
	stored := troubles(t, database)
	commands := runCommands(t, env, secret)
	spans := until(t, 2*time.Minute, func() (string, bool) {
		_, spans := traces.heard()
		return spans, strings.Contains(spans, "RequestHint")
	})
	log := logged()
	if len(log) < 10_000 || !strings.Contains(log, "level=DEBUG") {
		t.Fatalf("%d bytes of log prove nothing", len(log))
	}
	for where, text := range map[string]string{
		"the log": log, "the traces": spans, "the metrics": string(metrics.body), "the database's notes of failures": stored,
		"the answers": answers, "the commands": commands,
	} {
		for _, name := range secret.found(text) {
			t.Errorf("%s show the %s: %s", where, name, around(text, secret[name]))
		}
	}
	for where, text := range map[string]string{"the log": log, "the traces": spans, "the metrics": string(metrics.body)} {
		for _, name := range said.found(text) {
			t.Errorf("%s show the %s that a learner wrote: %s", where, name, around(text, said[name]))
		}
	}
}

// settingsFor is a plugin whose settings may hold a secret.
const settingsFor = "llm-openai"

func around(text, canary string) string {
	at := strings.Index(text, canary)
	if at < 0 {
		return "(encoded)"
	}
	return text[max(0, at-200):min(len(text), at+len(canary)+50)]
}

func withPassword(t *testing.T, address, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String()
}

// askEverything does what people do, well and badly, and gives all answers but
// the one that hands out a webhook's secret.
func askEverything(t *testing.T, address, key string, secret, said canaries, receiver *echo) string {
	t.Helper()
	var answers strings.Builder
	sign := func(name, user, role string) caller {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"user_id": user, "roles": []string{role}, "course_ids": []string{course}, "exp": time.Now().Add(time.Hour).Unix(),
		}).SignedString([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		secret[name] = token
		return caller{t: t, url: address, token: token}
	}
	ask := func(c caller, method, path string, body any, header ...string) response {
		r := c.send(method, path, body, header...)
		answers.Write(r.body)
		_ = r.header.Write(&answers)
		return r
	}
	teacher, me := sign("teacher's token", "tess", "teacher"), sign("learner's token", "ada", "student")
	hook := teacher.must(http.MethodPost, "/api/v1/webhooks", map[string]any{"course_id": course, "url": receiver.URL + "/" + said.make("webhook address"), "types": []string{"goal.created"}})
	secret["webhook secret"], _ = hook.field("secret").(string)
	if secret["webhook secret"] == "" {
		t.Fatalf("no webhook secret in %s", hook.body)
	}

	goal := me.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": said.make("title"), "description": said.make("description"), "course_id": course}).field("id")
	me.must(http.MethodPost, fmt.Sprintf("/api/v1/goals/%v/plan", goal), map[string]any{"wishes": said.make("wish")})
	task := me.must(http.MethodPost, "/api/v1/tasks", map[string]any{"goal_id": goal, "title": said.make("task"), "type": "code", "language": "python",
		"validation": map[string]any{"tests": []map[string]any{{"path": "test_double.py", "content": "# " + said.make("hidden test") + "\n" + doubleTest}}}}).field("id").(string)
	snapshot := submit(me, task, "# "+said.make("code")+"\nraise ValueError('"+said.make("output")+"')\n")
	until(t, time.Minute, func() (any, bool) {
		status := me.must(http.MethodGet, "/api/v1/snapshots/"+snapshot, nil).field("run_status")
		return status, status == "done"
	})
	me.must(http.MethodPost, "/api/v1/tasks/"+task+"/hints", map[string]any{"question": said.make("question")})

	ask(me, http.MethodGet, "/api/v1/me", nil)
	ask(me, http.MethodGet, "/api/v1/courses/"+course, nil)
	ask(me, http.MethodGet, "/api/v1/goals?token="+me.token, nil)
	ask(me, http.MethodPost, "/api/v1/goals", []byte(`{"title":"`+said.make("broken body")), "Idempotency-Key", "k1")
	ask(me, http.MethodPost, "/tracker.goals.v1.GoalsService/CreateGoal", []byte(`{"title":`+said["broken body"]))
	for name, token := range map[string]string{
		"cut token": me.token[:len(me.token)-3], "no token": secret.make("malformed token"), "key as token": key, "another's scheme": "x " + me.token,
	} {
		bad := caller{t: t, url: me.url, token: token}
		if r := ask(bad, http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, r.status)
		}
		ask(bad, http.MethodPost, "/tracker.goals.v1.GoalsService/ListGoals", map[string]any{})
		ask(caller{t: t, url: me.url}, http.MethodGet, "/ws?token="+url.QueryEscape(token), nil)
		ask(caller{t: t, url: me.url}, http.MethodGet, "/ws", nil, "Sec-WebSocket-Protocol", "goals.v1, bearer, "+token)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, options := range []*websocket.DialOptions{nil, {Subprotocols: []string{"goals.v1", "bearer", me.token}}} {
		socket := strings.Replace(me.url, "http", "ws", 1) + "/ws"
		if options == nil {
			socket += "?token=" + me.token
		}
		conn, answer, err := websocket.Dial(ctx, socket, options)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Header.Write(&answers)
		for _, frame := range []string{`{"type":"auth","payload":{"token":"` + me.token + `"}}`, `{"type":"auth","payload":{"token":"` + me.token[:40] + `"},"correlation_id":"last"}`} {
			_ = conn.Write(ctx, websocket.MessageText, []byte(frame))
		}
		for {
			_, data, err := conn.Read(ctx)
			answers.Write(data)
			if err != nil || strings.Contains(string(data), `"last"`) {
				break
			}
		}
		_ = conn.CloseNow()
	}
	return answers.String()
}

// troubles is what the database keeps of jobs, deliveries and calls that failed.
func troubles(t *testing.T, address string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var text string
	err = conn.QueryRow(t.Context(), `SELECT concat(
		(SELECT string_agg(j::text, ' ') FROM river.river_job j), (SELECT string_agg(d.last_error, ' ') FROM events.webhook_deliveries d),
		(SELECT string_agg(w.disabled_reason, ' ') FROM events.webhooks w), (SELECT string_agg(r::text, ' ') FROM agents.runs r),
		(SELECT string_agg(p::text, ' ') FROM events.parked p), (SELECT string_agg(u::text, ' ') FROM llm.usage u))`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// runCommands is what operators' commands print, also of settings that are wrong.
func runCommands(t *testing.T, env []string, secret canaries) string {
	t.Helper()
	var all strings.Builder
	wrong := secret.make("wrong password")
	elsewhere := "postgresql://other:" + wrong + "@127.0.0.1:1/name"
	for _, try := range []struct {
		args []string
		env  []string
	}{
		{args: []string{"config"}},
		{args: []string{"doctor"}},
		{args: []string{"events", "outbox"}},
		{args: []string{"events", "deadletters", "--timeout=1s"}},
		{args: []string{"migrate", "import", "--from", elsewhere}},
		{args: []string{"migrate", "import", "--from", "postgresql://other:" + wrong + "%zz@host/name"}},
		{args: []string{"migrate", "import", "--from", "host=127.0.0.1 port=nothing password=" + wrong}},
		{args: []string{"migrate", "status"}, env: []string{"DATABASE_URL=" + elsewhere}},
		{args: []string{"migrate", "status"}, env: []string{"DATABASE_URL=host=127.0.0.1 port=1 user=x password=" + wrong}},
		{args: []string{"serve"}, env: []string{"DATABASE_URL=postgresql://other:" + wrong + "%zz@host/name"}},
		{args: []string{"serve"}, env: []string{"DATABASE_URL=postgresql://127.0.0.1:1/name?password=" + wrong + "&sslmode=nothing"}},
		{args: []string{"serve"}, env: []string{"REDIS_URL=redis://x:" + wrong + "%zz@host"}},
		{args: []string{"serve"}, env: []string{"RABBITMQ_URL=amqp://x:" + wrong + "%zz@host"}},
		{args: []string{"serve"}, env: []string{"USER_SERVICE_URL=http://x:" + wrong + "%zz@host", "TRACKER_AUTH_SOURCE=jwks"}},
		{args: []string{"serve"}, env: []string{"USER_SERVICE_URL=http://x:" + wrong + "@127.0.0.1:1", "TRACKER_AUTH_SOURCE=jwks"}},
		{args: []string{"serve"}, env: []string{"OPENAI_BASE_URL=http://x:" + wrong + "@host", "SECRET_KEY=" + wrong[:9]}},
		{args: []string{"config"}, env: []string{"DATABASE_URL=" + elsewhere, "USER_SERVICE_URL=http://x:" + wrong + "@host", "TRACKER_MODELS_MIRROR=https://x:" + wrong + "@host/m"}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		cmd := exec.CommandContext(ctx, filepath.Join(programs, "tracker"), append(try.args, "--env-file=/dev/null")...)
		cmd.Env = slices.Concat(os.Environ(), env, try.env)
		out, err := cmd.CombinedOutput()
		if len(try.env) > 0 && try.args[0] != "config" && err == nil {
			t.Errorf("%v took %v", try.args, try.env)
		}
		if ctx.Err() != nil {
			t.Errorf("%v with %v does not end", try.args, try.env)
		}
		cancel()
		fmt.Fprintf(&all, "\n%s: %s", strings.Join(try.args[:1], " "), out)
	}
	return all.String()
}
