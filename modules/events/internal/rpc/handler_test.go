package rpc_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/events/internal/rpc"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1/eventsv1connect"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

// people are the callers, by token.
var people = map[string]auth.Actor{
	"ada":   {UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}},
	"bob":   {UserID: "bob", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}},
	"tim":   {UserID: "tim", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}},
	"tina":  {UserID: "tina", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c2"}},
	"admin": {UserID: "admin", Roles: []auth.Role{auth.Admin}},
}

type world struct {
	clients map[string]eventsv1connect.EventsServiceClient
	goals   map[string]uuid.UUID
	tasks   map[string]uuid.UUID
	all     int
}

// setup has ada with goals in c1 and in none, bob with one in c1, each with a task.
func setup(t *testing.T) world {
	t.Helper()
	db, log := eventstest.New(t)
	w := world{clients: map[string]eventsv1connect.EventsServiceClient{}, goals: map[string]uuid.UUID{}, tasks: map[string]uuid.UUID{}}
	for _, g := range []struct{ name, user, course string }{{"ada c1", "ada", "c1"}, {"ada", "ada", ""}, {"bob c1", "bob", "c1"}} {
		goal, task := uuid.New(), uuid.New()
		w.goals[g.name], w.tasks[g.name] = goal, task
		err := db.InTx(t.Context(), postgres.Call{Actor: people[g.user], RequestID: "r1"}, func(_ context.Context, tx *postgres.Tx) error {
			s := events.Stream{Type: "goal", ID: goal.String(), SubjectID: g.user, CourseID: g.course}
			log.Append(tx, s, 0,
				&goalsv1.GoalCreated{GoalId: s.ID, Details: &goalsv1.GoalDetails{Title: g.name, Metadata: `{"n":1}`}},
				&goalsv1.GoalStarted{GoalId: s.ID})
			s.Type, s.ID = "task", task.String()
			log.Append(tx, s, 0, &tasksv1.TaskCreated{TaskId: s.ID, GoalId: goal.String()}, &tasksv1.TaskStarted{TaskId: s.ID})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.all += 4
	}
	for name, actor := range people {
		_, handler := rpc.Service(db, log).New(connect.WithInterceptors(as(actor)))
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		w.clients[name] = eventsv1connect.NewEventsServiceClient(server.Client(), server.URL)
	}
	return w
}

// as signs a caller in, as the server's middleware does.
func as(actor auth.Actor) connect.Interceptor {
	return connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			return next(auth.WithActor(ctx, actor), req)
		}
	})
}

func (w world) list(t *testing.T, who string, req *eventsv1.ListEventsRequest) []*eventsv1.Event {
	t.Helper()
	resp, err := w.clients[who].ListEvents(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetEvents()
}

func TestEachSeesTheirOwnAndTeachersTheirCourses(t *testing.T) {
	w := setup(t)
	adas := w.goals["ada c1"].String()
	for _, c := range []struct {
		who  string
		req  *eventsv1.ListEventsRequest
		want int
	}{
		{"ada", &eventsv1.ListEventsRequest{}, 8},
		{"ada", &eventsv1.ListEventsRequest{CourseId: "c1"}, 4},
		{"ada", &eventsv1.ListEventsRequest{GoalId: adas}, 4},
		{"ada", &eventsv1.ListEventsRequest{TaskId: w.tasks["ada c1"].String()}, 2},
		{"ada", &eventsv1.ListEventsRequest{GoalId: adas, Type: []string{"task.started", "goal.started"}}, 2},
		{"ada", &eventsv1.ListEventsRequest{GoalId: w.goals["bob c1"].String()}, 0},
		{"bob", &eventsv1.ListEventsRequest{}, 4},
		{"bob", &eventsv1.ListEventsRequest{GoalId: adas}, 0},
		{"tim", &eventsv1.ListEventsRequest{}, 8},
		{"tim", &eventsv1.ListEventsRequest{CourseId: "c1"}, 8},
		{"tim", &eventsv1.ListEventsRequest{CourseId: "c2"}, 0},
		{"tim", &eventsv1.ListEventsRequest{GoalId: w.goals["ada"].String()}, 0},
		{"tina", &eventsv1.ListEventsRequest{}, 0},
		{"tina", &eventsv1.ListEventsRequest{CourseId: "c1"}, 0},
		{"admin", &eventsv1.ListEventsRequest{}, w.all},
	} {
		if got := w.list(t, c.who, c.req); len(got) != c.want {
			t.Errorf("%s asks for %v: %d events, want %d", c.who, c.req, len(got), c.want)
		}
	}
}

func TestAnEventIsShownWhole(t *testing.T) {
	w := setup(t)
	e := w.list(t, "ada", &eventsv1.ListEventsRequest{})[0]
	var data struct {
		GoalID  string `json:"goal_id"`
		Details struct {
			Metadata map[string]int `json:"metadata"`
		} `json:"details"`
	}
	if err := json.Unmarshal([]byte(e.GetData()), &data); err != nil {
		t.Fatal(err)
	}
	id := w.goals["ada c1"].String()
	if data.GoalID != id || data.Details.Metadata["n"] != 1 || e.GetType() != "goal.created" || e.GetStreamId() != "goal:"+id ||
		e.GetVersion() != 1 || e.GetPosition() < 1 || e.GetUserId() != "ada" || e.GetCourseId() != "c1" || e.GetActor() != "ada" ||
		e.GetRequestId() != "r1" || e.GetOccurredAt().AsTime().IsZero() || uuid.Validate(e.GetId()) != nil {
		t.Errorf("got %v", e)
	}
}

func TestPagesJoinToTheWholeListInBothOrders(t *testing.T) {
	w := setup(t)
	for _, descending := range []bool{false, true} {
		for size := int32(1); size <= 9; size++ {
			req := &eventsv1.ListEventsRequest{PageSize: size, Descending: descending}
			var positions []int64
			for {
				resp, err := w.clients["ada"].ListEvents(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range resp.GetEvents() {
					positions = append(positions, e.GetPosition())
				}
				if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
					break
				}
				if len(resp.GetEvents()) != int(size) {
					t.Errorf("a page of %d events with %d asked for", len(resp.GetEvents()), size)
				}
			}
			if descending {
				slices.Reverse(positions)
			}
			if len(positions) != 8 || !slices.IsSorted(positions) || len(slices.Compact(positions)) != 8 {
				t.Errorf("pages of %d, descending %t: %v", size, descending, positions)
			}
		}
	}
}

func TestATokenOfAnotherListIsRefused(t *testing.T) {
	w := setup(t)
	resp, err := w.clients["ada"].ListEvents(t.Context(), &eventsv1.ListEventsRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	token := resp.GetNextPageToken()
	for i, req := range []*eventsv1.ListEventsRequest{
		{PageToken: token, Descending: true},
		{PageToken: token, Type: []string{"goal.created"}},
		{PageToken: token, CourseId: "c1"},
		{PageToken: token + "x"},
		{GoalId: "no uuid"},
	} {
		if _, err := w.clients["ada"].ListEvents(t.Context(), req); err == nil {
			t.Errorf("request %d was taken", i)
		}
	}
}
