package rpc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/rag/internal/pdf/pdftest"
	ragv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/rag/v1/ragv1connect"
)

func TestAnIngestTellsHowFarItIsAndWhatItDid(t *testing.T) {
	server := setup(t)
	client := ragv1connect.NewRagServiceClient(server.Client(), server.URL)
	as := func(who string) context.Context {
		ctx, call := connect.NewClientContext(t.Context())
		call.RequestHeader().Set("Authorization", "Bearer "+who)
		return ctx
	}
	req := &ragv1.IngestCourseRequest{CourseId: "c1", Prune: true, Files: []*ragv1.IngestFile{
		{Path: "hen.md", Content: []byte("---\nunit: 1\nconcepts: [hen]\nprerequisites: [egg]\n---\n# Hen\n\nLays.\n")},
		{Path: "egg.md", Content: []byte("---\nunit: 2\nconcepts: [egg]\nprerequisites: [hen]\n---\n# Egg\n\nHatches.\n")},
		{Path: "omelette.pdf", Content: pdftest.File("Omelette", []pdftest.Line{{Text: "Break it.", Size: 11}})},
		{Path: "x.docx", Content: []byte("PK")},
	}}
	for i := range 420 {
		req.Files = append(req.Files, &ragv1.IngestFile{Path: fmt.Sprintf("notes/%03d.txt", i), Content: fmt.Appendf(nil, "Note %d.", i)})
	}
	stream, err := client.IngestCourse(as("tess"), req)
	if err != nil {
		t.Fatal(err)
	}
	var done []int32
	var result *ragv1.IngestDocumentsResponse
	for stream.Receive() {
		done = append(done, stream.Msg().GetFilesDone())
		result = stream.Msg().GetResult()
		if stream.Msg().GetFilesTotal() != 424 {
			t.Errorf("%d files in all", stream.Msg().GetFilesTotal())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if len(done) < 3 || done[0] == 424 || done[len(done)-1] != 424 {
		t.Errorf("progress %v", done)
	}
	if result.GetAdded() != 423 || len(result.GetProblems()) != 1 || result.GetConcepts() != 2 || len(result.GetCycles()) != 1 {
		t.Errorf("result %v", result)
	}
	stream, err = client.IngestCourse(as("ada"), req)
	if err == nil {
		for stream.Receive() {
			t.Error("a learner's ingest goes on")
		}
		err = stream.Err()
	}
	if connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("a learner gets %v", err)
	}
}

func TestTheConceptGraphAndThePolicyOverREST(t *testing.T) {
	server := setup(t)
	expect := func(who, method, path, body string, status int, fields ...string) {
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
	}
	const file = `{"files":[{"path":"a.md","content":"LS0tCnVuaXQ6IDEKY29uY2VwdHM6IFtsb29wc10KcHJlcmVxdWlzaXRlczogW3ZhcmlhYmxlc10KLS0tCiMgQQoKVGV4dC4K"}]}`
	expect("tess", "POST", "/api/v1/courses/c1/documents", file, 200, `"concepts":2`, `"cycles":[]`)
	expect("ada", "GET", "/api/v1/courses/c1/concepts", "", 200, `"name":"loops"`, `"taught":true`, `"relation":"prerequisite"`, `"unit":1`)
	expect("bob", "GET", "/api/v1/courses/c1/concepts", "", 403, "not_your_course")

	const policy = "/api/v1/courses/c1/material-policy"
	expect("ada", "GET", policy, "", 200, `"default_scope":"course"`, `"peer_snapshots":false`)
	expect("ada", "PATCH", policy, `{"peer_snapshots":true}`, 403, "not_a_teacher")
	expect("bob", "GET", policy, "", 403, "not_your_course")
	expect("tess", "PATCH", policy, `{"peer_snapshots":true}`, 200, `"default_scope":"course"`, `"peer_snapshots":true`)
	expect("tess", "PATCH", policy, `{"default_scope":"global"}`, 200, `"default_scope":"global"`, `"peer_snapshots":true`)
	expect("tess", "PATCH", policy, `{"default_scope":"user"}`, 400)
	expect("ada", "GET", policy, "", 200, `"default_scope":"global"`, `"updated_at"`)
}
