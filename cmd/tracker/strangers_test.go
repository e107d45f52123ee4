package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/rpc"
)

// attempt is a stranger's request and its answer.
type attempt struct {
	what    string
	request map[string]any
	status  int
	code    string
	body    []byte
}

func (a attempt) check(t *testing.T, o owned, e expectation) {
	t.Helper()
	ok := false
	switch e {
	case notFound:
		ok = a.status == http.StatusNotFound && a.code == "not_found"
	case denied:
		ok = a.status == http.StatusForbidden && a.code == "permission_denied" || a.status == http.StatusNotFound && a.code == "not_found"
	case refused:
		ok = a.status == http.StatusBadRequest || a.status == http.StatusNotFound
	case ownOnly, open:
		ok = a.status < 300 || a.status == http.StatusNotFound && a.code == "not_found"
	case streamed: // has no single answer
	}
	if !ok {
		t.Errorf("%s: a stranger got %d %s", a.what, a.status, a.body)
	}
	// A refusal may repeat what was asked for, and nothing else.
	asked, err := json.Marshal(a.request)
	if err != nil {
		t.Fatal(err)
	}
	for _, theirs := range append(o.all(), mark) {
		if strings.Contains(string(a.body), theirs) && (a.status < 300 || !strings.Contains(string(asked), theirs)) {
			t.Errorf("%s: the answer to a stranger holds %s of the owner: %s", a.what, theirs, a.body)
		}
	}
}

func TestNobodyReachesAnothersThingsOnAnyFace(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits = limits.Config{} // strangers ask more than anybody may
	w := startWorldOn(t, cfg)
	o := populated(w, mark)
	furnish(w, mark, o.Task)
	strangers := map[string]caller{
		"learner":   w.as("stranger", "student"),
		"classmate": w.as("stranger-in-class", "student", course),
		"teacher":   w.as("stranger-who-teaches", "teacher", "another-course"),
	}
	owner := w.as(mark, "student", course)
	seen, kept := snapshotOf(owner, o), fingerprint(w)
	listed := listedCases(t, w, o)
	everyFace := func(t *testing.T) {
		t.Helper()
		for who, stranger := range strangers {
			stranger.t = t
			procedureCases(t, who, stranger, o)
			asideCases(t, who, stranger, o)
			restCases(t, who, stranger, o)
			commandCases(t, who, stranger, o)
		}
		teacherCases(t, w, o)
		if a := owner.connect("agents.v1.DisputeService/SettleDispute", isolation["agents.v1.DisputeService/SettleDispute"].request(o)); a.status != http.StatusForbidden {
			t.Errorf("a learner settles a dispute of their own: %d %s", a.status, a.body)
		}
		if after := snapshotOf(owner, o); after != seen {
			t.Errorf("a stranger changed something:\n%s\n%s", seen, after)
		}
		if diff := kept.changed(fingerprint(w)); len(diff) > 0 {
			t.Errorf("a stranger changed rows of %v", diff)
		}
	}
	t.Run("as it runs", everyFace)
	// The services' own checks must hold by themselves, as row-level security does
	// where theirs are gone (TestRowLevelSecurityHoldsWithoutAnyFilter).
	disableRowSecurity(t, w)
	t.Run("without row-level security", everyFace)
	anonymousCases(t, w, o, listed)
}

// listedCases holds the table against what is mounted.
func listedCases(t *testing.T, _ *world, _ owned) []string {
	t.Helper()
	var all []string
	methods := rpc.Methods(rpc.Services()...)
	for procedure := range methods {
		name := strings.TrimPrefix(procedure, "/tracker.")
		if _, ok := isolation[name]; !ok {
			t.Errorf("%s is not listed: say what a stranger must get", name)
			continue
		}
		all = append(all, name)
	}
	for name := range isolation {
		if methods["/tracker."+name] == nil {
			t.Errorf("%s is listed but does not exist", name)
		}
	}
	return all
}

func (c caller) connect(name string, request map[string]any) attempt {
	c.t.Helper()
	r := c.send(http.MethodPost, "/tracker."+name, connectJSON(request))
	code, _ := r.field("code").(string)
	return attempt{"Connect " + name, request, r.status, code, r.body}
}

// expected is what a stranger must get; members of the course read its material.
func expected(who, name string) expectation {
	if e, ok := forMembers[name]; ok && who == "classmate" {
		return e
	}
	return isolation[name].expect
}

func procedureCases(t *testing.T, who string, stranger caller, o owned) {
	t.Helper()
	for name, rule := range isolation {
		if rule.expect == streamed {
			continue
		}
		a := stranger.connect(name, rule.request(o))
		a.what += " by " + who
		a.check(t, o.withoutMaterial(who), expected(who, name))
	}
}

func asideCases(t *testing.T, who string, stranger caller, o owned) {
	t.Helper()
	goal, _ := stranger.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "mine"}).field("id").(string)
	for _, aside := range asides {
		a := stranger.connect(aside.procedure, aside.request(o, goal))
		a.what += fmt.Sprintf(" with %v by %s", a.request, who)
		a.check(t, o, aside.expect)
	}
}

// teacherCases: who teaches the learner's course sees much, and acts on nothing
// that is the learner's alone.
func teacherCases(t *testing.T, w *world, o owned) {
	t.Helper()
	teacher := w.as("teacher-tess", "teacher", course)
	teacher.t = t
	for _, name := range learnersAlone {
		a := teacher.connect(name, isolation[name].request(o))
		if a.status != http.StatusForbidden && a.status != http.StatusNotFound {
			t.Errorf("%s by the course's teacher: %d %s", a.what, a.status, a.body)
		}
	}
	if a := teacher.connect("agents.v1.TutorService/GetConversation", map[string]any{"task_id": o.Task}); strings.Contains(string(a.body), mark) {
		t.Errorf("a teacher reads what a learner tells the tutor: %s", a.body)
	}
}

func anonymousCases(t *testing.T, w *world, o owned, listed []string) {
	t.Helper()
	nobody := caller{t: t, url: w.url}
	for _, name := range listed {
		if request := isolation[name].request; request != nil {
			if r := nobody.send(http.MethodPost, "/tracker."+name, connectJSON(request(o))); r.status != http.StatusUnauthorized {
				t.Errorf("%s without a token: %d", name, r.status)
			}
		}
	}
	for _, b := range rpc.Bindings(rpc.Services()...) {
		if method, path, body, _ := restRequest(b, o); path != "" {
			if r := nobody.send(method, path, body); r.status != http.StatusUnauthorized {
				t.Errorf("%s %s without a token: %d", b.Method, b.Path, r.status)
			}
		}
	}
}

// restRequest is what the table asks of a REST address; no path for streams.
func restRequest(b *rpc.Binding, o owned) (method, path string, body any, request map[string]any) {
	rule := isolation[strings.TrimPrefix(b.Procedure, "/tracker.")]
	if rule.request == nil {
		return "", "", nil, nil
	}
	path, request = b.Path, rule.request(o)
	rest := rule.request(o)
	for _, name := range b.Vars {
		value, _ := rest[name].(string)
		path = strings.Replace(path, "{"+name+"}", url.PathEscape(value), 1)
		delete(rest, name)
	}
	if b.Body {
		return b.Method, path, rest, request
	}
	if len(rest) > 0 {
		query := url.Values{}
		for name, value := range rest {
			text, _ := value.(string)
			query.Set(name, text)
		}
		path += "?" + query.Encode()
	}
	return b.Method, path, nil, request
}

// restCases are made from the table of REST addresses.
func restCases(t *testing.T, who string, stranger caller, o owned) {
	t.Helper()
	bindings := rpc.Bindings(rpc.Services()...)
	if len(bindings) < 40 {
		t.Errorf("only %d REST addresses", len(bindings))
	}
	for _, b := range bindings {
		method, path, body, request := restRequest(b, o)
		if path == "" {
			continue
		}
		r := stranger.send(method, path, body)
		code, _ := r.field("code").(string)
		attempt{b.Method + " " + b.Path + " by " + who, request, r.status, code, r.body}.
			check(t, o.withoutMaterial(who), expected(who, strings.TrimPrefix(b.Procedure, "/tracker.")))
	}
}

// commandCases are made from the registry of WebSocket commands.
func commandCases(t *testing.T, who string, stranger caller, o owned) {
	t.Helper()
	commands := rpc.Commands(rpc.Services()...)
	if len(commands) < 14 {
		t.Errorf("only %d commands", len(commands))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(stranger.url, "http", "ws", 1)+"/ws?token="+stranger.token, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(16 << 20)
	for command, procedure := range commands {
		name := strings.TrimPrefix(procedure, "/tracker.")
		request := isolation[name].request(o)
		data, err := json.Marshal(map[string]any{"type": command, "payload": request, "correlation_id": command})
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(ctx, websocket.MessageText, data); err != nil {
			t.Fatal(err)
		}
		a := attempt{what: "command " + command + " by " + who, request: request, status: http.StatusOK}
		for {
			var reply struct {
				Type          string          `json:"type"`
				Payload       json.RawMessage `json:"payload"`
				CorrelationID string          `json:"correlation_id"`
			}
			_, data, err := conn.Read(ctx)
			if err != nil || json.Unmarshal(data, &reply) != nil {
				t.Fatalf("%s: %v", command, err)
			}
			if strings.Contains(string(data), mark) && reply.CorrelationID == "" {
				t.Errorf("a stranger is pushed %s", data)
			}
			if reply.CorrelationID != command {
				continue
			}
			var refusal struct {
				Code string `json:"code"`
			}
			_ = json.Unmarshal(reply.Payload, &refusal)
			if a.body = reply.Payload; reply.Type == "error" {
				a.code, a.status = refusal.Code, map[string]int{"not_found": 404, "permission_denied": 403}[refusal.Code]
			}
			break
		}
		a.check(t, o, expected(who, name))
	}
}

// withoutMaterial is what is the owner's alone; members see the course's material.
func (o owned) withoutMaterial(who string) owned {
	if who == "classmate" {
		o.Document = o.Goal
	}
	return o
}

// snapshotOf is what the owner sees of what a stranger could have changed.
func snapshotOf(owner caller, o owned) string {
	var all strings.Builder
	for _, path := range []string{
		"/goals", "/tasks", "/goals/" + o.Goal, "/tasks/" + o.Task, "/tasks/" + o.Task + "/snapshots", "/agent-runs",
		"/runs/" + o.Run + "/feedback", "/disputes/" + o.Dispute, "/tasks/" + o.Task + "/conversation", "/events?page_size=100", "/courses/" + course + "/documents?page_size=1",
	} {
		all.Write(owner.must(http.MethodGet, "/api/v1"+path, nil).body)
	}
	return all.String()
}

// prints are digests of tables, without rows that name a stranger.
type prints map[string]string

func (p prints) changed(now prints) (tables []string) {
	for table, digest := range p {
		if now[table] != digest {
			tables = append(tables, table)
		}
	}
	slices.Sort(tables)
	return tables
}

func fingerprint(w *world) prints {
	w.t.Helper()
	p := prints{}
	for _, table := range []string{
		"goals.goals", "goals.goal_progress", "tasks.tasks", "tasks.files", "validation.code_snapshots", "validation.runs", "validation.course_policies",
		"validation.rejudgings", "rag.policies", "agents.runs", "agents.feedback", "agents.hints", "agents.disputes", "agents.messages",
		"agents.coach_settings", "llm.learner_settings", "llm.learner_budgets", "llm.course_settings", "events.webhooks", "events.events",
	} {
		var digest string
		err := w.db.Pool().QueryRow(w.t.Context(), "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM "+
			pgx.Identifier(strings.Split(table, ".")).Sanitize()+" t WHERE t::text NOT LIKE '%stranger%'").Scan(&digest)
		if err != nil {
			w.t.Fatalf("%s: %v", table, err)
		}
		p[table] = digest
	}
	return p
}

// disableRowSecurity leaves only what the services check.
func disableRowSecurity(t *testing.T, w *world) {
	t.Helper()
	rows, err := w.db.Pool().Query(t.Context(), `SELECT format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', c.oid::regclass) FROM pg_class c WHERE c.relrowsecurity`)
	if err != nil {
		t.Fatal(err)
	}
	alter, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(alter) < 20 {
		t.Fatalf("%v, %v", alter, err)
	}
	if _, err := w.db.Pool().Exec(t.Context(), strings.Join(alter, ";")); err != nil {
		t.Fatal(err)
	}
}
