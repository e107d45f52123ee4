package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/llm"
	llmrpc "github.com/goals-tracker/tracker/modules/llm/internal/rpc"
	"github.com/goals-tracker/tracker/modules/llm/internal/service"
	"github.com/goals-tracker/tracker/modules/llm/internal/store"
)

// people are the tokens that hold, by themselves.
type people map[string]auth.Actor

func (p people) Verify(_ context.Context, token string) (auth.Actor, error) {
	actor, ok := p[token]
	if !ok {
		return actor, errors.New("unknown token")
	}
	return actor, nil
}

type bundle struct {
	t   *testing.T
	db  *postgres.DB
	url string
}

func setup(t *testing.T) bundle {
	t.Helper()
	db := postgrestest.DB(t)
	models := func(context.Context) []llm.Model {
		return []llm.Model{{Source: llm.Source{Provider: "llm-openai", Model: "gpt-4o-mini", Remote: true}, Generates: true, ContextTokens: 128000}}
	}
	account := service.New(llm.DefaultConfig(), db, store.NewUsage(db), models)
	server, err := rpc.NewServer(rpc.Config{Logger: slog.New(slog.DiscardHandler)}, rpc.Deps{
		Verifier: people{
			"ada":  {UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}},
			"bob":  {UserID: "bob", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}},
			"tess": {UserID: "tess", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}},
			"tom":  {UserID: "tom", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c2"}},
			"root": {UserID: "root", Roles: []auth.Role{auth.Admin}},
		},
		Services: []rpc.Service{llmrpc.Service(db, account)},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(nil)
	h.Config = server.HTTP("")
	h.Start()
	t.Cleanup(h.Close)
	return bundle{t, db, h.URL}
}

// expect sends a request and checks the status and what the answer holds; what
// begins with '!' it must not hold.
func (b bundle) expect(who, method, path, body string, status int, holds ...string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+who)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		b.t.Errorf("%s %s %s: %d, want %d: %s %v", who, method, path, resp.StatusCode, status, text, err)
	}
	for _, want := range holds {
		not, is := strings.CutPrefix(want, "!")
		if strings.Contains(string(text), not) == is {
			b.t.Errorf("%s %s %s: want %s in %s", who, method, path, want, text)
		}
	}
}

// spend books a call.
func (b bundle) spend(user, course string, micros int64) {
	b.t.Helper()
	ledger := store.NewUsage(b.db)
	e := llm.Entry{
		Caller: llm.Caller{UserID: user, CourseID: course}, Purpose: llm.Plan, PriceVersion: llm.PriceVersion, CostMicros: micros,
		Source: llm.Source{Provider: "llm-openai", Model: "gpt-4o-mini", Remote: true}, InputTokens: 10, OutputTokens: 5,
	}
	id, err := ledger.Reserve(b.t.Context(), e, llm.Caps{Learner: -1, Course: -1, Team: -1})
	if err == nil {
		err = ledger.Settle(b.t.Context(), id, e)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestLearnersSeeWhatTheirCallsCostAndTeamsWhatTheirsDo(t *testing.T) {
	b := setup(t)
	b.spend("ada", "c1", 300)
	b.spend("ada", "", 20)
	b.spend("bob", "c1", 1000)
	const at = "/api/v1/models/spending"
	b.expect("ada", "GET", at, "", 200, `"cost_micros":320`, `"calls":2`, `"cap":"learner"`, `"spent_micros":320`, `"daily_micros":500000`, "!1000", `"purpose":"plan"`)
	b.expect("ada", "GET", at+"?course_id=c1", "", 403, "models_for_teachers")
	b.expect("ada", "GET", at+"?everybody=true", "", 403, "models_for_admins")
	b.expect("tess", "GET", at+"?course_id=c1&days=1", "", 200, `"cost_micros":1300`, `"calls":2`, `"cap":"course"`, `"daily_micros":-1`, "!ada", "!bob")
	b.expect("tess", "GET", at, "", 200, `"cost_micros":0`, `"lines":[]`)
	b.expect("tom", "GET", at+"?course_id=c1", "", 403)
	b.expect("root", "GET", at+"?everybody=true", "", 200, `"cost_micros":1320`, `"cap":"team"`)
	b.expect("ada", "GET", at+"?days=9999", "", 400, "days")
	b.expect("ada", "GET", "/api/v1/models", "", 200, `"model":"gpt-4o-mini"`, `"remote":true`)
}

func TestALearnerChoosesLocalOnlyForThemselves(t *testing.T) {
	b := setup(t)
	const at = "/api/v1/models/settings"
	b.expect("ada", "GET", at, "", 200, `"local_only":false`, `"daily_micros":500000`)
	b.expect("ada", "PATCH", at, `{"local_only":true}`, 200, `"local_only":true`)
	b.expect("ada", "PATCH", at, `{}`, 200, `"local_only":true`)
	b.expect("bob", "GET", at, "", 200, `"local_only":false`)
	for user, want := range map[string]bool{"ada": true, "bob": false, "": false} {
		if got, err := store.NewTerms(b.db).Terms(t.Context(), llm.Caller{UserID: user}); err != nil || got.LocalOnly != want {
			t.Errorf("%q: %+v, %v", user, got, err)
		}
	}
	b.expect("ada", "PATCH", at, `{"local_only":false}`, 200, `"local_only":false`)
}

func TestACoursesTeamKeepsItsTextsHereAndAdminsItsBudget(t *testing.T) {
	b := setup(t)
	const at = "/api/v1/courses/c1/models"
	b.expect("ada", "GET", at, "", 403)
	b.expect("tom", "PATCH", at, `{"local_only":true}`, 403)
	b.expect("tess", "PATCH", at, `{"local_only":true}`, 200, `"local_only":true`, `"daily_micros":-1`)
	b.expect("tess", "PATCH", at, `{"daily_micros":5}`, 403, "models_for_admins")
	b.expect("root", "PATCH", at, `{"daily_micros":70}`, 200, `"daily_micros":70`, `"local_only":true`)
	b.expect("root", "PATCH", at, `{"daily_micros":-2}`, 400)
	terms, err := store.NewTerms(b.db).Terms(t.Context(), llm.Caller{UserID: "ada", CourseID: "c1"})
	if err != nil || !terms.LocalOnly || terms.Course == nil || *terms.Course != 70 || terms.Learner != nil {
		t.Errorf("got %+v, %v", terms, err)
	}
	b.expect("root", "PATCH", at, `{"reset_daily":true}`, 200, `"daily_micros":-1`, `"local_only":true`)
}

func TestAnAdminGivesALearnerABudgetOfTheirOwn(t *testing.T) {
	b := setup(t)
	const at = "/api/v1/learners/ada/model-budget"
	b.expect("ada", "PUT", at, `{"daily_micros":9000000}`, 403)
	b.expect("tess", "PUT", at, `{"daily_micros":9000000}`, 403)
	b.expect("root", "PUT", at, `{"daily_micros":9000000}`, 200, `"daily_micros":9000000`)
	b.expect("ada", "GET", "/api/v1/models/settings", "", 200, `"daily_micros":9000000`)
	b.expect("bob", "GET", "/api/v1/models/settings", "", 200, `"daily_micros":500000`)
	b.expect("root", "PUT", at, `{}`, 200, `"daily_micros":500000`)
	b.expect("ada", "GET", "/api/v1/models/settings", "", 200, `"daily_micros":500000`)
}

func TestAnswersAreKeptForAWhileAndForOnePerson(t *testing.T) {
	b := setup(t)
	answers, key, ctx := store.NewAnswers(b.db), bytes.Repeat([]byte{1}, 32), t.Context()
	if a, err := answers.Recall(ctx, key); a != nil || err != nil {
		t.Fatalf("got %+v, %v", a, err)
	}
	said := &llm.Answer{Text: "{\"a\":1}", JSON: []byte(`{"a":1}`), Finish: llm.Stopped, Source: llm.Source{Provider: "p", Model: "m", Remote: true}, Usage: llm.Usage{CostMicros: 5}}
	if err := answers.Remember(ctx, "ada", key, said, 3600e9); err != nil {
		t.Fatal(err)
	}
	got, err := answers.Recall(ctx, key)
	if err != nil || got == nil || got.Text != said.Text || string(got.JSON) != `{"a":1}` || got.Source != said.Source || got.Usage.CostMicros != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if err := answers.Remember(ctx, "ada", key, said, 0); err != nil {
		t.Fatal(err)
	}
	if got, err := answers.Recall(ctx, key); got != nil || err != nil {
		t.Errorf("an answer whose time is over: %+v, %v", got, err)
	}
	if err := answers.Remember(ctx, "", bytes.Repeat([]byte{2}, 32), said, 3600e9); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := b.db.As(auth.System("test")).QueryRow(ctx, kept, postgres.Args{}).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d answers are kept, %v: what is over goes", n, err)
	}
}

var kept = postgres.SQL("test.llm_kept", `SELECT count(*) FROM llm.answers`)
