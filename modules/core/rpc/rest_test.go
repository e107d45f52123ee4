package rpc_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/goals-tracker/tracker/modules/core/errs"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

func TestRESTReachesTheHandlerWithWhatWasMeant(t *testing.T) {
	b := setup(t)
	for name, c := range map[string]struct {
		method, target, body string
		status               int
		want                 proto.Message
	}{
		"create": {"POST", "/api/v1/goals", `{"title":"t","priority":"high","metadata":{"a": 1}}`, 201,
			&goalsv1.CreateGoalRequest{Title: "t", Priority: goalsv1.Priority_PRIORITY_HIGH, Metadata: `{"a":1}`}},
		"create with a slash at the end": {"POST", "/api/v1/goals/", `{"title":"t"}`, 201, &goalsv1.CreateGoalRequest{Title: "t"}},
		"get":                            {"GET", "/api/v1/goals/" + goalID, "", 200, &goalsv1.GetGoalRequest{Id: goalID}},
		"get with a slash at the end":    {"GET", "/api/v1/goals/" + goalID + "/", "", 200, &goalsv1.GetGoalRequest{Id: goalID}},
		"list":                           {"GET", "/api/v1/goals", "", 200, &goalsv1.ListGoalsRequest{}},
		"list with a slash at the end":   {"GET", "/api/v1/goals/", "", 200, &goalsv1.ListGoalsRequest{}},
		"short enums in the query": {"GET", "/api/v1/goals?status=pending&status=in_progress&page_size=5&course_id=c%201", "", 200,
			&goalsv1.ListGoalsRequest{Status: []goalsv1.GoalStatus{1, 2}, PageSize: 5, CourseId: "c 1"}},
		"enums with a comma":         {"GET", "/api/v1/goals?status=pending,blocked", "", 200, &goalsv1.ListGoalsRequest{Status: []goalsv1.GoalStatus{1, 4}}},
		"full enums in the query":    {"GET", "/api/v1/goals?status=GOAL_STATUS_PENDING", "", 200, &goalsv1.ListGoalsRequest{Status: []goalsv1.GoalStatus{1}}},
		"patch":                      {"PATCH", "/api/v1/goals/" + goalID, `{"title":"t","version":3}`, 200, &goalsv1.UpdateGoalRequest{Id: goalID, Title: proto.String("t"), Version: proto.Int64(3)}},
		"put":                        {"PUT", "/api/v1/goals/" + goalID, `{"priority":"low"}`, 200, &goalsv1.UpdateGoalRequest{Id: goalID, Priority: goalsv1.Priority_PRIORITY_LOW.Enum()}},
		"null in a patch clears":     {"PATCH", "/api/v1/goals/" + goalID, `{"title":"t","due_at":null}`, 200, &goalsv1.UpdateGoalRequest{Id: goalID, Title: proto.String("t"), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"title", "due_at"}}}},
		"an empty list clears":       {"PATCH", "/api/v1/goals/" + goalID, `{"validation_criteria":[]}`, 200, &goalsv1.UpdateGoalRequest{Id: goalID, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"validation_criteria"}}}},
		"a mask":                     {"PATCH", "/api/v1/goals/" + goalID, `{"update_mask":"title,due_at","title":"x"}`, 200, &goalsv1.UpdateGoalRequest{Id: goalID, Title: proto.String("x"), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"title", "due_at"}}}},
		"a verb":                     {"POST", "/api/v1/goals/" + goalID + ":start", `{"version":2}`, 200, &goalsv1.StartGoalRequest{Id: goalID, Version: proto.Int64(2)}},
		"a verb without body":        {"POST", "/api/v1/goals/" + goalID + ":start", ``, 200, &goalsv1.StartGoalRequest{Id: goalID}},
		"progress, by its old name":  {"PATCH", "/api/v1/goals/" + goalID + "/progress", `{"progress_percentage":12.5}`, 200, &goalsv1.SetProgressRequest{Id: goalID, Progress: 12.5}},
		"delete":                     {"DELETE", "/api/v1/goals/" + goalID, "", 204, &goalsv1.DeleteGoalRequest{Id: goalID}},
		"delete with a version":      {"DELETE", "/api/v1/goals/" + goalID + "?version=9007199254740993", "", 204, &goalsv1.DeleteGoalRequest{Id: goalID, Version: proto.Int64(9007199254740993)}},
		"the path wins over an id":   {"POST", "/api/v1/goals/" + goalID + ":start", `{"id":"other"}`, 200, &goalsv1.StartGoalRequest{Id: goalID}},
		"head":                       {"HEAD", "/api/v1/goals/" + goalID, "", 200, &goalsv1.GetGoalRequest{Id: goalID}},
		"a name that connect claims": {"GET", "/api/v1/goals?user_id=connect", "", 200, &goalsv1.ListGoalsRequest{UserId: "connect"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.do(c.method, c.target, c.body, "Connect-Protocol-Version: 1")
			if got.status != c.status {
				t.Fatalf("status %d, body %s", got.status, got.body)
			}
			if last := b.goals.last(t); !proto.Equal(last, c.want) {
				t.Errorf("got %v, want %v", last, c.want)
			}
			if (got.body == "") != (c.status == 204 || c.method == "HEAD") {
				t.Errorf("body %q", got.body)
			}
		})
	}
}

func TestRESTAnswersInWireForm(t *testing.T) {
	b := setup(t)
	got := b.do("POST", "/api/v1/goals", `{"title":"t"}`)
	want := `{"id":"` + goalID + `","user_id":"learner-1","title":"Learn FastAPI","description":"","status":"in_progress","priority":"high","progress":0,"ai_generated":false,"validation_criteria":[],"metadata":{"a":[1,2]},"created_at":"2023-11-14T22:13:20.123456Z","version":9007199254740993,"blocked_reason":"","course_deleted":false}`
	if got.body != want {
		t.Errorf("got %s", got.body)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Location": "/api/v1/goals/" + goalID, "X-Content-Type-Options": "nosniff"} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q", name, got.header.Get(name))
		}
	}
	if got := b.do("GET", "/api/v1/goals", ""); !strings.HasPrefix(got.body, `{"goals":[{"id":`) || !strings.HasSuffix(got.body, `],"next_page_token":""}`) {
		t.Errorf("got %s", got.body)
	}
	if got := b.do("DELETE", "/api/v1/goals/"+goalID, ""); got.header.Get("Content-Type") != "" || got.header.Get("Content-Length") != "" {
		t.Errorf("got %v", got.header)
	}
}

func TestBadRESTRequestsAreProblemsAndReachNobody(t *testing.T) {
	b := setup(t)
	deep := `{"title":"t","metadata":` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100) + "}"
	for name, c := range map[string]struct {
		method, target, body string
		headers              []string
		status               int
		reason, field        string
	}{
		"unknown field":       {"POST", "/api/v1/goals", `{"titel":"x"}`, nil, 400, "invalid_input", "titel"},
		"unknown enum":        {"POST", "/api/v1/goals", `{"title":"t","priority":"huge"}`, nil, 400, "invalid_input", "priority"},
		"missing title":       {"POST", "/api/v1/goals", `{}`, nil, 400, "invalid_input", "title"},
		"no body":             {"POST", "/api/v1/goals", ``, nil, 400, "invalid_input", "title"},
		"criterion empty":     {"POST", "/api/v1/goals", `{"title":"t","validation_criteria":["a",""]}`, nil, 400, "invalid_input", "validation_criteria[1]"},
		"title too long":      {"POST", "/api/v1/goals", `{"title":"` + strings.Repeat("x", 501) + `"}`, nil, 400, "invalid_input", "title"},
		"metadata no object":  {"POST", "/api/v1/goals", `{"title":"t","metadata":"{}"}`, nil, 400, "invalid_input", "metadata"},
		"deep JSON":           {"POST", "/api/v1/goals", deep, nil, 400, "malformed_json", ""},
		"malformed":           {"POST", "/api/v1/goals", `{"title":`, nil, 400, "malformed_json", ""},
		"not UTF-8":           {"POST", "/api/v1/goals", "{\"title\":\"\xff\"}", nil, 400, "malformed_json", ""},
		"NUL":                 {"POST", "/api/v1/goals", `{"title":"a\u0000b"}`, nil, 400, "malformed_json", ""},
		"oversize":            {"POST", "/api/v1/goals", `{"title":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "request_too_large", ""},
		"form":                {"POST", "/api/v1/goals", `title=x`, []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "unsupported_media_type", ""},
		"latin1":              {"POST", "/api/v1/goals", `{"title":"x"}`, []string{"Content-Type: application/json; charset=iso-8859-1"}, 415, "unsupported_media_type", ""},
		"brotli":              {"POST", "/api/v1/goals", `{"title":"x"}`, []string{"Content-Encoding: br"}, 415, "unsupported_media_type", ""},
		"gzip that is none":   {"POST", "/api/v1/goals", `{"title":"x"}`, []string{"Content-Encoding: gzip"}, 415, "unsupported_media_type", ""},
		"unknown parameter":   {"GET", "/api/v1/goals?statuss=pending", "", nil, 400, "invalid_input", "statuss"},
		"unknown enum there":  {"GET", "/api/v1/goals?status=pending&status=lost", "", nil, 400, "invalid_input", "status"},
		"parameter twice":     {"GET", "/api/v1/goals?page_size=1&page_size=2", "", nil, 400, "invalid_input", "page_size"},
		"text for a number":   {"GET", "/api/v1/goals?page_size=many", "", nil, 400, "invalid_input", "page_size"},
		"number too big":      {"GET", "/api/v1/goals?page_size=101", "", nil, 400, "invalid_input", "page_size"},
		"NUL in the query":    {"GET", "/api/v1/goals?course_id=a%00b", "", nil, 400, "invalid_input", "course_id"},
		"not UTF-8 there":     {"GET", "/api/v1/goals?course_id=%ff", "", nil, 400, "invalid_input", "course_id"},
		"broken escape":       {"GET", "/api/v1/goals?course_id=%zz", "", nil, 400, "invalid_input", ""},
		"connect in disguise": {"GET", "/api/v1/goals?connect=v1&encoding=json&message=%7B%7D", "", nil, 400, "invalid_input", "*"},
		"not UTF-8 in path":   {"GET", "/api/v1/goals/%ff", "", nil, 400, "invalid_input", ""},
		"NUL in the path":     {"GET", "/api/v1/goals/a%00", "", nil, 400, "invalid_input", ""},
		"no UUID":             {"GET", "/api/v1/goals/seven", "", nil, 400, "invalid_input", "id"},
		"body where none is":  {"DELETE", "/api/v1/goals/" + goalID, `{"version":1}`, nil, 400, "invalid_input", ""},
		"no such address":     {"GET", "/api/v1/gols", "", nil, 404, "no_such_address", ""},
		"no such verb":        {"POST", "/api/v1/goals/" + goalID + ":explode", "{}", nil, 404, "no_such_address", ""},
		"root of the API":     {"GET", "/api/v1", "", nil, 404, "no_such_address", ""},
		"elsewhere":           {"GET", "/nowhere", "", nil, 404, "no_such_address", ""},
		"wrong method":        {"PATCH", "/api/v1/goals", `{}`, nil, 405, "method_not_allowed", ""},
		"no token":            {"GET", "/api/v1/goals", "", []string{"Authorization:"}, 401, "token_missing", ""},
		"bad token":           {"GET", "/api/v1/goals", "", []string{"Authorization: Bearer x"}, 401, "token_malformed", ""},
		"token in the query":  {"GET", "/api/v1/goals?token=x", "", []string{"Authorization:"}, 401, "token_missing", ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := b.goals.calls()
			got := b.do(c.method, c.target, c.body, c.headers...)
			if got.status != c.status || got.header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("status %d, %v, body %s", got.status, got.header, got.body)
			}
			problem := got.json(t)
			if problem["reason"] != c.reason || problem["type"] != "urn:tracker:error:"+c.reason || problem["status"] != float64(c.status) {
				t.Errorf("got %s", got.body)
			}
			if id := problem["request_id"]; id == "" || id != got.header.Get("X-Request-Id") {
				t.Errorf("request id %v, header %q", id, got.header.Get("X-Request-Id"))
			}
			field := ""
			if fields, ok := problem["fields"].([]any); ok {
				field = fields[0].(map[string]any)["field"].(string)
			}
			if field != c.field && c.field != "*" {
				t.Errorf("field %q, want %q: %s", field, c.field, got.body)
			}
			if b.goals.calls() != before {
				t.Error("the handler was reached")
			}
			spanish := b.do(c.method, c.target, c.body, append(c.headers, "Accept-Language: es-CO,es;q=0.9,en;q=0.8")...).json(t)
			if spanish["detail"] == problem["detail"] || spanish["title"] == problem["title"] {
				t.Errorf("not Spanish: %v", spanish)
			}
		})
	}
	if got := b.do("PATCH", "/api/v1/goals", `{}`); got.header.Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("Allow: %q", got.header.Get("Allow"))
	}
	if got := b.do("OPTIONS", "/api/v1/goals/"+goalID, ``); got.status != 204 || got.header.Get("Allow") != "DELETE, GET, HEAD, PATCH, PUT" {
		t.Errorf("OPTIONS: %d %q", got.status, got.header.Get("Allow"))
	}
}

func TestAModulesErrorIsAProblemWithItsFacts(t *testing.T) {
	b := setup(t)
	b.goals.err = errs.StaleVersion.New(3, 7).WithDetail("version", "7")
	got := b.do("PATCH", "/api/v1/goals/"+goalID, `{"title":"x","version":3}`)
	problem := got.json(t)
	if got.status != 409 || problem["code"] != "aborted" || problem["reason"] != "stale_version" || problem["details"].(map[string]any)["version"] != "7" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if es := b.do("PATCH", "/api/v1/goals/"+goalID, `{"title":"x"}`, "Accept-Language: es").json(t); !strings.HasPrefix(es["detail"].(string), "Ha cambiado mientras tanto") {
		t.Errorf("got %v", es["detail"])
	}
	b.goals.err = errNoGoal.New(goalID)
	if got := b.do("GET", "/api/v1/goals/"+goalID, ""); got.status != 404 || got.json(t)["reason"] != "goal_not_found" {
		t.Errorf("%d %s", got.status, got.body)
	}
	b.goals.err = errs.Busy.New("The planner").After(1500 * time.Millisecond)
	if got := b.do("GET", "/api/v1/goals/"+goalID, ""); got.status != 503 || got.header.Get("Retry-After") != "2" {
		t.Errorf("%d %v %s", got.status, got.header, got.body)
	}
	b.goals.err = errors.New("pq: password of tracker is hunter2")
	got = b.do("GET", "/api/v1/goals/"+goalID, "")
	if got.status != 500 || strings.Contains(got.body, "hunter2") || !strings.Contains(got.body, got.header.Get("X-Request-Id")) {
		t.Errorf("%d %s", got.status, got.body)
	}
	if !strings.Contains(b.logs.String(), "hunter2") {
		t.Error("the log doesn't know why")
	}
}

func TestACompressedBodyIsReadAndStillBounded(t *testing.T) {
	b := setup(t)
	pack := func(text string) string {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return packed.String()
	}
	if got := b.do("POST", "/api/v1/goals", pack(`{"title":"t"}`), "Content-Encoding: gzip"); got.status != 201 {
		t.Errorf("%d %s", got.status, got.body)
	}
	bomb := pack(`{"title":"` + strings.Repeat("x", 8<<20) + `"}`)
	if got := b.do("POST", "/api/v1/goals", bomb, "Content-Encoding: gzip"); got.status != 413 {
		t.Errorf("bomb: %d %s", got.status, got.body)
	}
}

func TestABodyOfUnknownLengthIsBoundedToo(t *testing.T) {
	b := setup(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.http.URL+"/api/v1/goals", struct{ *strings.Reader }{strings.NewReader(`{"title":"` + strings.Repeat("x", 2<<20) + `"}`)})
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = -1
	r.Header.Set("Authorization", "Bearer "+token(t, "u"))
	resp, err := b.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusRequestEntityTooLarge || b.goals.calls() != 0 {
		t.Errorf("%d, %d calls", resp.StatusCode, b.goals.calls())
	}
}
