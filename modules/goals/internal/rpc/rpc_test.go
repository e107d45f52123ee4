package rpc_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/goals/internal/rpc"
	"github.com/goals-tracker/tracker/modules/goals/internal/service"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1/goalsv1connect"
)

var (
	ada  = goalstest.Learner("ada", "c1")
	bob  = goalstest.Learner("bob")
	tess = goalstest.Teacher("tess", "c1")
)

// joined lets people use the courses of their token only.
type joined struct{}

func (joined) MayUse(_ context.Context, actor auth.Actor, courseID string) error {
	if actor.Joined(courseID) {
		return nil
	}
	return academy.ErrNotYourCourse.New(courseID)
}

type bundle struct {
	goalstest.Server
	db  *postgres.DB
	log *events.Log
}

func setup(t *testing.T) bundle {
	t.Helper()
	db := postgrestest.DB(t)
	log := events.New(db, events.Config{}, slog.New(slog.DiscardHandler))
	log.Fold(service.Fold{})
	log.Fold(service.ProgressFold{})
	return bundle{goalstest.Serve(t, rpc.New(db, service.New(db, log, joined{})).Service()), db, log}
}

func expect(t *testing.T, got goalstest.Reply, status int, fields ...string) {
	t.Helper()
	if got.Status != status {
		t.Errorf("status %d, want %d: %s", got.Status, status, got.Body)
	}
	for _, field := range fields {
		if !strings.Contains(got.Body, field) {
			t.Errorf("the answer lacks %s: %s", field, got.Body)
		}
	}
}

func TestAGoalsLifeOverREST(t *testing.T) {
	b := setup(t)
	made := b.Do(ada, "POST", "/api/v1/goals", `{"title":"Learn FastAPI","course_id":"c1","priority":"high","metadata":{"b":[1,2.50],"a":{}},"due_at":"2027-01-02T03:04:05Z"}`)
	expect(t, made, 201, `"status":"pending"`, `"priority":"high"`, `"metadata":{"a":{},"b":[1,2.50]}`, `"version":1`, `"user_id":"ada"`, `"progress":0`)
	at := "/api/v1/goals/" + made.Text("id")
	expect(t, b.Do(ada, "GET", at, ""), 200, `"title":"Learn FastAPI"`)
	expect(t, b.Do(tess, "GET", at, ""), 200)
	expect(t, b.Do(bob, "GET", at, ""), 404, "goal_not_found")
	expect(t, b.Do(ada, "POST", at+":complete", "", "Accept-Language: es"), 409, "goal_status", "solo uno en curso se puede completar")
	expect(t, b.Do(ada, "POST", at+":start", ""), 200, `"status":"in_progress"`, `"version":2`, `"started_at"`)
	expect(t, b.Do(ada, "PATCH", at, `{"title":"Learn more","version":1}`), 409, "stale_version", `"version":"2"`)
	expect(t, b.Do(ada, "PATCH", at, `{"title":"Learn more","version":2}`), 200, `"title":"Learn more"`, `"version":3`, `"priority":"high"`)
	expect(t, b.Do(ada, "PATCH", at+"/progress", `{"progress_percentage":40}`), 200, `"progress":40`, `"version":3`)
	expect(t, b.Do(ada, "POST", at+":block", `{"reason":"ill"}`), 200, `"blocked_reason":"ill"`)
	expect(t, b.Do(tess, "POST", at+":start", ""), 403, "forbidden")
	expect(t, b.Do(ada, "POST", at+":start", ""), 200)
	expect(t, b.Do(ada, "POST", at+":complete", ""), 200, `"progress":100`)
	expect(t, b.Do(ada, "POST", at+":reopen", ""), 200)
	expect(t, b.Do(ada, "POST", at+":cancel", ""), 200, `"status":"cancelled"`)
	expect(t, b.Do(ada, "GET", "/api/v1/goals?status=cancelled&course_id=c1", ""), 200, `"next_page_token":""`, made.Text("id"))
	expect(t, b.Do(ada, "DELETE", at+"?version=1", ""), 409, "stale_version")
	expect(t, b.Do(ada, "DELETE", at, ""), 204)
	expect(t, b.Do(ada, "GET", at, ""), 404)
	expect(t, b.Do(ada, "POST", "/api/v1/goals", `{"title":"x","course_id":"c9"}`), 403, "not_your_course")
	expect(t, b.Do(ada, "POST", "/api/v1/goals", `{"title":"x","metadata":{"a":1e300}}`), 400, "metadata")
}

func TestAGoalStaysOnItsCourseWhenItsOwnerMayNotUseThatAnyMore(t *testing.T) {
	b := setup(t)
	made := b.Do(ada, "POST", "/api/v1/goals", `{"title":"t","course_id":"c1"}`)
	at := "/api/v1/goals/" + made.Text("id")
	left := goalstest.Learner("ada")
	expect(t, b.Do(left, "PUT", at, `{"title":"renamed","course_id":"c1"}`), 200, "renamed", `"course_id":"c1"`)
	expect(t, b.Do(left, "PATCH", at, `{"course_id":"c9"}`), 403, "not_your_course")
	expect(t, b.Do(bob, "PATCH", at, `{"course_id":"c1"}`), 404, "goal_not_found")
}

func TestAMaskNamesWhatChangesAndWhatIsCleared(t *testing.T) {
	b := setup(t)
	made := b.Do(ada, "POST", "/api/v1/goals", `{"title":"t","description":"d","course_id":"c1","priority":"low","validation_criteria":["v"],"metadata":{"m":1},"due_at":"2027-01-02T03:04:05Z"}`)
	at := "/api/v1/goals/" + made.Text("id")
	expect(t, b.Do(ada, "PATCH", at, `{"title":"new","description":"ignored","update_mask":"title"}`), 200, `"title":"new"`, `"description":"d"`)
	cleared := b.Do(ada, "PATCH", at, `{"update_mask":"description,course_id,priority,validation_criteria,metadata,due_at"}`)
	expect(t, cleared, 200, `"description":""`, `"priority":"medium"`, `"validation_criteria":[]`, `"metadata":{}`, `"version":3`)
	for _, name := range []string{"course_id", "due_at"} {
		if _, there := cleared.JSON[name]; there {
			t.Errorf("%s was not cleared: %s", name, cleared.Body)
		}
	}
	b.Do(ada, "PATCH", at, `{"due_at":"2027-01-02T03:04:05Z"}`)
	if back := b.Do(ada, "PUT", at, `{"due_at":null,"title":"again"}`); back.JSON["due_at"] != nil || back.Text("title") != "again" {
		t.Errorf("null did not clear: %s", back.Body)
	}
	for _, path := range []string{"status", "id", "version", "metadata.a", "*", "nonsense"} {
		expect(t, b.Do(ada, "PATCH", at, fmt.Sprintf(`{"update_mask":%q}`, path)), 400, "update_mask")
	}
	expect(t, b.Do(ada, "PATCH", at, `{"update_mask":"title"}`), 400, `"field":"title"`)
	expect(t, b.Do(ada, "PATCH", at, `{}`), 200, `"version":5`)
}

func TestTheSameOnConnect(t *testing.T) {
	b := setup(t)
	client := goalsv1connect.NewGoalsServiceClient(http.DefaultClient, b.URL, connect.WithInterceptors(connect.UnaryInterceptorFunc(
		func(next connect.UnaryFunc) connect.UnaryFunc {
			return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
				req.Header().Set("Authorization", "Bearer "+goalstest.Token(t, ada))
				return next(ctx, req)
			}
		})))
	course, title, stale := "c1", "t", int64(7)
	g, err := client.CreateGoal(t.Context(), &goalsv1.CreateGoalRequest{Title: "x", CourseId: &course, Metadata: `{"a":1}`})
	if err != nil || g.GetStatus() != goalsv1.GoalStatus_GOAL_STATUS_PENDING || g.GetMetadata() != `{"a":1}` || g.GetCourseId() != "c1" {
		t.Fatalf("%v, %v", g, err)
	}
	_, err = client.UpdateGoal(t.Context(), &goalsv1.UpdateGoalRequest{Id: g.GetId(), Title: &title, Version: &stale})
	if connect.CodeOf(err) != connect.CodeAborted {
		t.Errorf("stale: %v", err)
	}
	g, err = client.UpdateGoal(t.Context(), &goalsv1.UpdateGoalRequest{Id: g.GetId(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"course_id"}}})
	if err != nil || g.CourseId != nil {
		t.Errorf("cleared: %v, %v", g, err)
	}
	if g, err = client.StartGoal(t.Context(), &goalsv1.StartGoalRequest{Id: g.GetId()}); err != nil || g.GetStartedAt() == nil {
		t.Errorf("started: %v, %v", g, err)
	}
	list, err := client.ListGoals(t.Context(), &goalsv1.ListGoalsRequest{Status: []goalsv1.GoalStatus{goalsv1.GoalStatus_GOAL_STATUS_IN_PROGRESS}})
	if err != nil || len(list.GetGoals()) != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
}

func TestARepeatedCreateMakesOneGoal(t *testing.T) {
	b := setup(t)
	var wg sync.WaitGroup
	replies := make([]goalstest.Reply, 8)
	for i := range replies {
		wg.Go(func() { replies[i] = b.Do(ada, "POST", "/api/v1/goals", `{"title":"once"}`, "Idempotency-Key: k1") })
	}
	wg.Wait()
	replayed := 0
	for _, r := range replies {
		expect(t, r, 201, replies[0].Text("id"))
		if r.Header.Get("Idempotency-Replayed") == "true" {
			replayed++
		}
	}
	if replayed != len(replies)-1 {
		t.Errorf("%d of %d answers say that they are repeated", replayed, len(replies))
	}
	expect(t, b.Do(ada, "POST", "/api/v1/goals", `{"title":"other"}`, "Idempotency-Key: k1"), 400, "idempotency_key_reused")
	expect(t, b.Do(bob, "POST", "/api/v1/goals", `{"title":"bob's"}`, "Idempotency-Key: k1"), 201)
	at := "/api/v1/goals/" + replies[0].Text("id")
	for range 2 {
		expect(t, b.Do(ada, "POST", at+":start", "", "Idempotency-Key: k2"), 200, `"version":2`)
	}
	for range 2 {
		expect(t, b.Do(ada, "DELETE", at, "", "Idempotency-Key: k3"), 204)
	}
	var goals, events int
	if err := b.db.Pool().QueryRow(t.Context(), "SELECT (SELECT count(*) FROM goals.goals WHERE user_id = 'ada'), (SELECT count(*) FROM events.events WHERE subject_id = 'ada')").Scan(&goals, &events); err != nil || goals != 0 || events != 3 {
		t.Errorf("%d goals and %d events are there, want 0 and 3 (%v)", goals, events, err)
	}
}

func TestARefusedCallKeepsItsKeyFree(t *testing.T) {
	b := setup(t)
	made := b.Do(ada, "POST", "/api/v1/goals", `{"title":"x"}`)
	at := "/api/v1/goals/" + made.Text("id") + ":complete"
	expect(t, b.Do(ada, "POST", at, "", "Idempotency-Key: k"), 409)
	expect(t, b.Do(ada, "POST", "/api/v1/goals/"+made.Text("id")+":start", ""), 200)
	expect(t, b.Do(ada, "POST", at, "", "Idempotency-Key: k"), 200)
}

func TestEveryPagesTokenLeadsOn(t *testing.T) {
	b := setup(t)
	for i := range 25 {
		b.Do(ada, "POST", "/api/v1/goals", fmt.Sprintf(`{"title":"%d"}`, i))
	}
	first := b.Do(ada, "GET", "/api/v1/goals", "")
	if list, _ := first.JSON["goals"].([]any); len(list) != 20 {
		t.Errorf("the first page has %d, want the default of 20", len(list))
	}
	second := b.Do(ada, "GET", "/api/v1/goals?page_token="+first.Text("next_page_token"), "")
	if list, _ := second.JSON["goals"].([]any); len(list) != 5 || second.Text("next_page_token") != "" {
		t.Errorf("the second page has %d and the token %q", len(list), second.Text("next_page_token"))
	}
	expect(t, b.Do(bob, "GET", "/api/v1/goals?page_token="+first.Text("next_page_token"), ""), 400, errs.BadPageToken.Reason)
	expect(t, b.Do(ada, "GET", "/api/v1/goals?page_size=101", ""), 400)
}
