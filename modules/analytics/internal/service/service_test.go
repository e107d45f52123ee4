package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/analytics/internal/react"
	"github.com/goals-tracker/tracker/modules/analytics/internal/service"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// bundle is a log with the projections following it.
type bundle struct {
	db      *postgres.DB
	service *service.Service
	handle  func(context.Context, *postgres.Tx, events.Event) error
	t       *testing.T
	at      time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := postgrestest.DB(t)
	return &bundle{
		db: db, t: t, handle: react.Subscription().Handle,
		service: service.New(db, func() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }),
		at:      time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC),
	}
}

// happened projects one event as the subscription does.
func (b *bundle) happened(kind, user, course, streamType, id string, data proto.Message) {
	b.t.Helper()
	err := b.db.InTx(b.t.Context(), postgres.As(auth.System("test")), func(ctx context.Context, tx *postgres.Tx) error {
		return b.handle(ctx, tx, events.Event{
			Type: kind, Data: data, OccurredAt: b.at,
			Stream: events.Stream{Type: streamType, ID: id, SubjectID: user, CourseID: course},
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) goal(user, course string) string {
	id := uuid.NewString()
	b.happened("goal.created", user, course, "goal", id, &goalsv1.GoalCreated{GoalId: id, UserId: user})
	return id
}

func (b *bundle) task(user, course, goal string, hours float64) string {
	id := uuid.NewString()
	b.happened("task.created", user, course, "task", id, &tasksv1.TaskCreated{
		TaskId: id, GoalId: goal, UserId: user, Details: &tasksv1.TaskDetails{EstimatedHours: &hours}})
	return id
}

func learner(id string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}}
}

func TestProgressFollowsTheEvents(t *testing.T) {
	b := setup(t)
	goal := b.goal("ada", "c1")
	one, two, three := b.task("ada", "c1", goal, 2), b.task("ada", "c1", goal, 1), b.task("ada", "c1", goal, 1)
	b.happened("goal.started", "ada", "c1", "goal", goal, &goalsv1.GoalStarted{GoalId: goal})
	b.happened("snapshot.submitted", "ada", "c1", "snapshot", uuid.NewString(), &validationv1.SnapshotSubmitted{TaskId: one})
	b.happened("validation.completed", "ada", "c1", "run", uuid.NewString(), &validationv1.ValidationCompleted{
		Status: validationv1.RunStatus_RUN_STATUS_DONE, Verdict: validationv1.Verdict_VERDICT_PASSED})
	b.happened("validation.completed", "ada", "c1", "run", uuid.NewString(), &validationv1.ValidationCompleted{
		Status: validationv1.RunStatus_RUN_STATUS_SUPERSEDED})
	hours := 1.5
	b.happened("task.completed", "ada", "c1", "task", one, &tasksv1.TaskCompleted{TaskId: one, ActualHours: &hours})
	b.happened("task.skipped", "ada", "c1", "task", two, &tasksv1.TaskSkipped{TaskId: two})
	_ = three

	got, err := b.service.Progress(t.Context(), learner("ada"), analytics.Who{})
	if err != nil {
		t.Fatal(err)
	}
	want := analytics.Progress{
		UserID: "ada", Goals: map[string]int{"in_progress": 1}, Tasks: map[string]int{"completed": 1, "skipped": 1, "todo": 1},
		Verdicts: map[string]int{"passed": 1}, Percent: 50, EstimatedHours: 4, ActualHours: 1.5,
		StreakDays: 1, LastActiveAt: b.at, Submissions: 1,
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestADeletedGoalTakesItsTasksAlong(t *testing.T) {
	b := setup(t)
	goal := b.goal("ada", "")
	b.task("ada", "", goal, 1)
	b.happened("goal.deleted", "ada", "", "goal", goal, &goalsv1.GoalDeleted{GoalId: goal})
	got, err := b.service.Progress(t.Context(), learner("ada"), analytics.Who{})
	if err != nil || len(got.Goals) != 0 || len(got.Tasks) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAStreakCountsBackFromTodayOrYesterday(t *testing.T) {
	b := setup(t)
	for _, day := range []int{1, 2, 4, 7, 8, 9} {
		b.at = time.Date(2026, 3, day, 23, 59, 59, 0, time.UTC)
		b.goal("ada", "c1")
	}
	got, err := b.service.Progress(t.Context(), learner("ada"), analytics.Who{})
	if err != nil || got.StreakDays != 3 {
		t.Errorf("got %d days, %v; want 3", got.StreakDays, err)
	}
	days, err := b.service.Activity(t.Context(), learner("ada"), analytics.Who{}, 4)
	if err != nil || len(days) != 3 {
		t.Errorf("got %v, %v; want the 7th to the 9th", days, err)
	}
}

func TestOnlyTheTeachersOfACourseSeeItsClass(t *testing.T) {
	b := setup(t)
	b.goal("ada", "c1")
	b.goal("bob", "c1")
	b.goal("bob", "c2")
	teacher := auth.Actor{UserID: "tess", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}}

	class, err := b.service.Course(t.Context(), teacher, "c1")
	if err != nil || len(class) != 2 {
		t.Fatalf("got %v, %v", class, err)
	}
	for _, actor := range []auth.Actor{learner("ada"), {UserID: "tom", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c2"}}} {
		if _, err := b.service.Course(t.Context(), actor, "c1"); !analytics.ErrNotYourCourse.Is(err) {
			t.Errorf("%s: got %v", actor.UserID, err)
		}
	}
	if p, err := b.service.Progress(t.Context(), teacher, analytics.Who{UserID: "bob", CourseID: "c1"}); err != nil || p.Goals["pending"] != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
	for _, who := range []analytics.Who{{UserID: "bob"}, {UserID: "bob", CourseID: "c2"}, {UserID: "nobody", CourseID: "c1"}} {
		if p, err := b.service.Progress(t.Context(), teacher, who); !analytics.ErrNotYourLearner.Is(err) {
			t.Errorf("%+v: got %+v, %v", who, p, err)
		}
	}
	if _, err := b.service.Progress(t.Context(), learner("ada"), analytics.Who{UserID: "bob", CourseID: "c1"}); !analytics.ErrNotYourLearner.Is(err) {
		t.Errorf("got %v", err)
	}
}
