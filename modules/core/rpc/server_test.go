package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	_ "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	_ "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

type (
	rpcConfig = rpc.Config
	rpcDeps   = rpc.Deps
)

func TestProbesAreOpenAndSayNoMoreThanNeeded(t *testing.T) {
	b := setup(t, func(_ *rpc.Config, d *rpc.Deps) {
		d.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
	})
	for target, want := range map[string]string{
		"/healthz": `{"status":"alive"}`, "/readyz": `{"checks":{"database":"ok"},"status":"ready"}`, "/metrics": "up 1\n",
	} {
		if got := b.do("GET", target, "", "Authorization:"); got.status != 200 || got.body != want {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
	}
	b.ready = errors.New("hunter2")
	if got := b.do("GET", "/readyz", ""); got.status != 503 || got.body != `{"checks":{"database":"failing"},"status":"not_ready"}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := b.do("GET", "/healthz", ""); got.status != 200 {
		t.Errorf("alive depends on the database: %d", got.status)
	}
}

func TestACheckThatHangsOrPanicsIsFailing(t *testing.T) {
	b := setup(t, func(_ *rpc.Config, d *rpc.Deps) {
		d.Checks = []rpc.Check{
			{Name: "hangs", Check: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			{Name: "panics", Check: func(context.Context) error { panic("x") }},
		}
	})
	start := time.Now()
	if got := b.do("GET", "/readyz", ""); got.status != 503 || strings.Count(got.body, "failing") != 2 || time.Since(start) > 5*time.Second {
		t.Errorf("%d %s after %s", got.status, got.body, time.Since(start))
	}
}

func TestEveryAnswerHasARequestID(t *testing.T) {
	b := setup(t)
	if got := b.do("GET", "/api/v1/goals", "", "X-Request-Id: my-id.1"); got.header.Get("X-Request-Id") != "my-id.1" {
		t.Errorf("got %q", got.header.Get("X-Request-Id"))
	}
	for _, bad := range []string{"a b", strings.Repeat("x", 200), `a"b`} {
		if got := b.do("GET", "/api/v1/goals", "", "X-Request-Id: "+bad).header.Get("X-Request-Id"); got == bad || len(got) != 36 {
			t.Errorf("%q: got %q", bad, got)
		}
	}
	seen := ""
	b.goals.act = func(ctx context.Context) { seen = rpc.RequestID(ctx) }
	b.do("GET", "/api/v1/goals", "", "X-Request-Id: my-id.2")
	if seen != "my-id.2" {
		t.Errorf("the handler saw %q", seen)
	}
}

func TestTheAccessLogTellsWhoCalledWhatAndNeverTheToken(t *testing.T) {
	route := rpc.Route{Pattern: "GET /ws", QueryToken: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, _ := auth.FromContext(r.Context())
		_, _ = w.Write([]byte(actor.UserID + " " + r.URL.RawQuery + " " + r.RequestURI))
	})}
	b := setup(t, func(_ *rpc.Config, d *rpc.Deps) { d.Routes = []rpc.Route{route} })
	tok := token(t, "learner-2")
	got := b.do("GET", "/ws?token="+tok+"&a=1", "", "Authorization:")
	if got.status != 200 || got.body != "learner-2 a=1 /ws?a=1" {
		t.Errorf("%d %s", got.status, got.body)
	}
	b.do("GET", "/ws?token=damaged."+tok, "", "Authorization:")
	b.do("GET", "/api/v1/goals?token="+tok, "")
	b.do("GET", "/api/v1/goals/"+goalID, "")
	logs := b.logs.String()
	for _, part := range strings.Split(tok, ".") {
		if strings.Contains(logs, part) {
			t.Fatalf("the log holds the token: %s", logs)
		}
	}
	for _, want := range []string{`"user":"learner-2"`, `"path":"/ws"`, `"procedure":"/tracker.goals.v1.GoalsService/GetGoal"`, `"status":401`} {
		if !strings.Contains(logs, want) {
			t.Errorf("no %s in %s", want, logs)
		}
	}
}

func TestRoutesAskForSignInUnlessTheyAreOpen(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	crash := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("hunter2") })
	b := setup(t, func(_ *rpc.Config, d *rpc.Deps) {
		d.Routes = []rpc.Route{{Pattern: "/closed", Handler: ok}, {Pattern: "/app/", Handler: ok, Public: true}, {Pattern: "/crash", Handler: crash, Public: true}}
	})
	for target, want := range map[string]int{"/closed": 401, "/app/x": 204, "/crash": 500} {
		if got := b.do("GET", target, "", "Authorization:"); got.status != want || strings.Contains(got.body, "hunter2") {
			t.Errorf("%s: %d %s", target, got.status, got.body)
		}
	}
	if got := b.do("GET", "/closed", ""); got.status != 204 {
		t.Errorf("%d", got.status)
	}
}

func TestBrowsersOfAllowedOriginsGetIn(t *testing.T) {
	b := setup(t)
	for origin, allowed := range map[string]bool{
		"vscode-webview://1a2b3c": true, "http://localhost:5173": true, "http://127.0.0.1:8000": true, "https://evil.example": false, "http://localhost.evil.example": false,
	} {
		got := b.do("OPTIONS", "/api/v1/goals", "", "Authorization:", "Origin: "+origin, "Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: authorization,content-type,idempotency-key")
		if (got.header.Get("Access-Control-Allow-Origin") == origin) != allowed {
			t.Errorf("%s: %v", origin, got.header)
		}
		if allowed && !strings.Contains(got.header.Get("Access-Control-Allow-Methods"), "PATCH") {
			t.Errorf("%s: %v", origin, got.header)
		}
	}
	got := b.do("GET", "/api/v1/goals", "", "Origin: http://localhost:5173")
	if !strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "X-Request-Id") || got.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("got %v", got.header)
	}
	closed := setup(t, func(cfg *rpc.Config, _ *rpc.Deps) { cfg.AllowedOrigins = nil })
	if got := closed.do("GET", "/api/v1/goals", "", "Origin: http://localhost:5173"); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("got %v", got.header)
	}
}

func TestOpenAPICoversEveryBinding(t *testing.T) {
	b := setup(t)
	got := b.do("GET", "/openapi.yaml", "", "Authorization:")
	if got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var doc struct {
		OpenAPI    string                               `yaml:"openapi"`
		Paths      map[string]map[string]map[string]any `yaml:"paths"`
		Components struct {
			Schemas map[string]map[string]any `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal([]byte(got.body), &doc); err != nil {
		t.Fatal(err)
	}
	bindings := rpc.Bindings(b.server.Services()...)
	if doc.OpenAPI != "3.1.0" || len(bindings) != 12 {
		t.Errorf("%s with %d bindings", doc.OpenAPI, len(bindings))
	}
	ids := map[any]bool{}
	for _, binding := range bindings {
		op := doc.Paths[binding.Path][strings.ToLower(binding.Method)]
		if op == nil || op["x-procedure"] != binding.Procedure {
			t.Errorf("%s %s is missing", binding.Method, binding.Path)
			continue
		}
		if ids[op["operationId"]] {
			t.Errorf("operationId %v is used twice", op["operationId"])
		}
		ids[op["operationId"]] = true
		if _, hasBody := op["requestBody"]; hasBody != binding.Body {
			t.Errorf("%s %s: body %t", binding.Method, binding.Path, hasBody)
		}
		for _, name := range binding.Vars {
			if !strings.Contains(mustJSON(t, op["parameters"]), `"in":"path","name":"`+name+`"`) {
				t.Errorf("%s %s: parameter %s is missing", binding.Method, binding.Path, name)
			}
		}
	}
	// Every reference leads somewhere.
	for _, piece := range strings.Split(got.body, "$ref: ")[1:] {
		name, local := strings.CutPrefix(strings.Trim(strings.Fields(piece)[0], `'"`), "#/components/schemas/")
		if local && doc.Components.Schemas[name] == nil {
			t.Errorf("nothing at %s", name)
		}
	}
	status, _ := doc.Components.Schemas["goals.v1.Goal"]["properties"].(map[string]any)
	if text := mustJSON(t, status["status"]); text != `{"enum":["pending","in_progress","completed","blocked","cancelled"],"type":"string"}` {
		t.Errorf("status: %s", text)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryEventHasASchemaThatItsPayloadFits(t *testing.T) {
	b := setup(t)
	index := b.do("GET", "/schemas/", "", "Authorization:")
	if !strings.Contains(index.body, "/schemas/goal.created.json") || !strings.Contains(index.body, "/schemas/validation.completed.json") {
		t.Fatalf("%d %s", index.status, index.body)
	}
	compiler := jsonschema.NewCompiler()
	for name := range rpc.EventTypes() {
		got := b.do("GET", "/schemas/"+name+".json", "")
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := compiler.AddResource("mem:///"+name, doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := compiler.Compile("mem:///" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	schema, err := compiler.Compile("mem:///goal.created")
	if err != nil {
		t.Fatal(err)
	}
	payload, err := wire.Marshal(&goalsv1.GoalCreated{GoalId: goalID, Details: &goalsv1.GoalDetails{Title: "t", Priority: 2, Metadata: `{"a":1}`}})
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(payload)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: %v", payload, err)
	}
	wrong, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"details":{"priority":"PRIORITY_HIGH"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(wrong) == nil {
		t.Error("a full enum name fits the schema")
	}
	if got := b.do("GET", "/schemas/no.such.json", ""); got.status != 404 {
		t.Errorf("%d", got.status)
	}
}

func TestTheTablesCoverTheWholeAPI(t *testing.T) {
	all := rpc.Services()
	commands := rpc.Commands(all...)
	if commands["goal.create"] != "/tracker.goals.v1.GoalsService/CreateGoal" {
		t.Errorf("got %v", commands)
	}
	for name, procedure := range commands {
		if rpc.Methods(all...)[procedure] == nil {
			t.Errorf("%s: no procedure %s", name, procedure)
		}
	}
	created := map[string]string{}
	for _, b := range rpc.Bindings(all...) {
		if !strings.HasPrefix(b.Path, "/api/v1/") || b.Method == "" {
			t.Errorf("%s %s", b.Method, b.Path)
		}
		if b.Creates() {
			created[b.Method+" "+b.Path] = b.Procedure
		}
	}
	want := []string{
		"POST /api/v1/goals", "POST /api/v1/goals/{goal_id}/plan", "POST /api/v1/tasks",
		"POST /api/v1/tasks/{task_id}/hints", "POST /api/v1/tasks/{task_id}/snapshots", "POST /api/v1/webhooks",
	}
	if got := slices.Sorted(maps.Keys(created)); !slices.Equal(got, want) {
		t.Errorf("201 at %v, want %v", got, want)
	}
}
