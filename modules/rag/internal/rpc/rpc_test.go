package rpc_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/rag"
	ragrpc "github.com/goals-tracker/tracker/modules/rag/internal/rpc"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
	ragv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1/ragv1connect"
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

type noAcademy struct{}

func (noAcademy) Courses(context.Context, string) ([]academy.Membership, error) {
	return nil, academy.ErrNotConfigured.New()
}

func setup(t *testing.T) *httptest.Server {
	t.Helper()
	db := postgrestest.DB(t)
	s := service.New(db, noAcademy{}, rag.DefaultConfig(), time.Now)
	server, err := rpc.NewServer(rpc.Config{Logger: slog.New(slog.DiscardHandler)}, rpc.Deps{
		Verifier: people{
			"ada":  {UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}},
			"bob":  {UserID: "bob", Roles: []auth.Role{auth.Student}},
			"root": {UserID: "root", Roles: []auth.Role{auth.Admin}},
			"tess": {UserID: "tess", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}},
		},
		Services: []rpc.Service{ragrpc.New(db, s).Service()},
	})
	if err != nil {
		t.Fatal(err)
	}
	running := httptest.NewServer(server.Handler())
	t.Cleanup(running.Close)
	return running
}

func do(t *testing.T, server *httptest.Server, who, method, path, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+who)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw), res.Header
}

func TestMaterialsLifeOverREST(t *testing.T) {
	server := setup(t)
	file := func(path, text string) string {
		return fmt.Sprintf(`{"path":%q,"content":%q}`, path, base64.StdEncoding.EncodeToString([]byte(text)))
	}
	body := `{"files":[` + file("lists.md", "# Lists\n\n## Slicing\n\nA slice is a part of a list.\n") + `,` + file("x.md", "caf\xe9") + `]}`
	expect := func(who, method, path, body string, status int, fields ...string) string {
		t.Helper()
		got, answer, _ := do(t, server, who, method, path, body)
		if got != status {
			t.Errorf("%s %s %s: status %d, want %d: %s", who, method, path, got, status, answer)
		}
		for _, field := range fields {
			if !strings.Contains(answer, field) {
				t.Errorf("%s %s: the answer lacks %s: %s", method, path, field, answer)
			}
		}
		return answer
	}
	const documents = "/api/v1/courses/c1/documents"
	expect("ada", "POST", documents, body, 403, "not_a_teacher")
	expect("tess", "POST", documents, body, 200, `"added":1`, `"chunks":1`, `"path":"x.md"`, "not UTF-8")
	expect("tess", "POST", documents, body, 200, `"unchanged":1`, `"added":0`)
	answer := expect("ada", "GET", documents, "", 200, `"kind":"markdown"`, `"title":"Lists"`, `"next_page_token":""`)
	expect("bob", "GET", documents, "", 403, "not_your_course")
	expect("ada", "POST", "/api/v1/search", `{"query":"slices of lists","course_id":"c1"}`, 200,
		`"heading":"Lists > Slicing"`, `"start_line":5`, `"method":"bm25"`, `"kind":"text"`, `"fallback":"no_embedder"`)
	expect("ada", "POST", "/api/v1/search", `{"query":"slices of lists","course_id":"c1","max_tokens":1,"diversity":0.5}`, 200, `"passages":[]`)
	expect("ada", "POST", "/api/v1/search", `{"query":"slices","diversity":2}`, 400, "diversity")
	expect("root", "GET", "/api/v1/index", "", 200, `"passages":1`, `"spaces":[]`, `"fallback":"no_embedder"`)
	expect("ada", "GET", "/api/v1/index", "", 403, "for_admins")
	expect("tess", "GET", "/api/v1/index", "", 403, "for_admins")
	expect("bob", "POST", "/api/v1/search", `{"query":"slices","course_id":"c1"}`, 403, "not_your_course")
	expect("bob", "POST", "/api/v1/search", `{"query":"slices"}`, 200, `"passages":[]`)
	expect("ada", "POST", "/api/v1/search", `{"query":"slices","scope":"user"}`, 200, `"passages":[]`)
	expect("ada", "POST", "/api/v1/search", `{"query":""}`, 400)

	var list struct {
		Documents []struct {
			ID string `json:"id"`
		} `json:"documents"`
	}
	if err := json.Unmarshal([]byte(answer), &list); err != nil || len(list.Documents) != 1 {
		t.Fatal(answer, err)
	}
	at := "/api/v1/documents/" + list.Documents[0].ID
	expect("ada", "GET", at, "", 200, `A slice is a part of a list.`)
	expect("bob", "GET", at, "", 404, "document_not_found")
	expect("bob", "DELETE", at, "", 404, "document_not_found")
	expect("ada", "DELETE", at, "", 403, "not_a_teacher")
	expect("tess", "DELETE", at, "", 204)
	expect("ada", "GET", at, "", 404)
}

func TestAnIngestUnderOneKeyIsDoneOnce(t *testing.T) {
	server := setup(t)
	client := ragv1connect.NewRagServiceClient(server.Client(), server.URL)
	ctx, call := connect.NewClientContext(t.Context())
	call.RequestHeader().Set("Authorization", "Bearer tess")
	call.RequestHeader().Set(rpc.KeyHeader, "k1")
	req := &ragv1.IngestDocumentsRequest{CourseId: "c1", Files: []*ragv1.IngestFile{{Path: "a.txt", Content: []byte("Text.")}}}
	for range 2 {
		answer, err := client.IngestDocuments(ctx, req)
		if err != nil || answer.GetAdded() != 1 || answer.GetUnchanged() != 0 {
			t.Errorf("got %v, %v", answer, err)
		}
	}
}
