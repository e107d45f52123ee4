package companion_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/companion"
	"github.com/goals-tracker/tracker/modules/agents/internal/journey"
	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

// noon of a day.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// streaks answers how many days in a row a learner worked, up to yesterday.
type streaks map[string]int

func (s streaks) Progress(_ context.Context, actor auth.Actor, _ analytics.Who) (analytics.Progress, error) {
	return analytics.Progress{UserID: actor.UserID, StreakDays: s[actor.UserID], LastActiveAt: noon.AddDate(0, 0, -1)}, nil
}

type bundle struct {
	*companion.Companion
	t       *testing.T
	db      *postgres.DB
	log     *events.Log
	streaks streaks
	at      time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db, log := eventstest.New(t)
	s := streaks{}
	return &bundle{companion.New(db, log, s, slog.New(slog.DiscardHandler)), t, db, log, s, noon}
}

// happened is an event of a learner that the journeys are told of.
func (b *bundle) happened(user, kind, id string, data proto.Message) {
	b.t.Helper()
	err := b.db.InTx(b.t.Context(), postgres.As(auth.System("test")), func(ctx context.Context, tx *postgres.Tx) error {
		return journey.Subscription().Handle(ctx, tx, events.Event{
			Type: kind, Data: data, OccurredAt: b.at, Stream: events.Stream{ID: id, SubjectID: user, CourseID: "c1"},
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) task(user, goal, title string) string {
	id, hours := uuid.NewString(), 6.0
	b.happened(user, "task.created", id, &tasksv1.TaskCreated{
		TaskId: id, GoalId: goal, UserId: user, Details: &tasksv1.TaskDetails{Title: title, Concepts: []string{"loops"}, EstimatedHours: &hours},
	})
	return id
}

func (b *bundle) judged(user, task string, v validationv1.Verdict) {
	b.happened(user, "validation.completed", uuid.NewString(), &validationv1.ValidationCompleted{
		TaskId: task, Status: validationv1.RunStatus_RUN_STATUS_DONE, Verdict: v,
	})
}

func (b *bundle) finished(user, task string) {
	b.judged(user, task, validationv1.Verdict_VERDICT_PASSED)
	b.happened(user, "task.completed", task, &tasksv1.TaskCompleted{TaskId: task, CompletedBy: tasksv1.CompletedBy_COMPLETED_BY_VERDICT})
}

func learner(id string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}}
}

// said are the events of a kind that a learner got.
func (b *bundle) said(user, kind string) (all []events.Event) {
	b.t.Helper()
	list, _, err := b.log.Read(b.t.Context(), b.db.As(learner(user)), events.Filter{For: learner(user), Types: []string{kind}, Limit: 100})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func TestAnEvaluationComesWithNewsAndOnceOnly(t *testing.T) {
	b := setup(t)
	goal := uuid.NewString()
	for i := range 3 {
		task := b.task("ada", goal, "Loop")
		if i < 2 {
			b.judged("ada", task, validationv1.Verdict_VERDICT_FAILED)
		}
		if err := b.Evaluate(t.Context(), b.at); err != nil {
			t.Fatal(err)
		}
		if n := len(b.said("ada", "learner.evaluated")); n != 0 {
			t.Fatalf("%d evaluations after %d tasks", n, i)
		}
		b.finished("ada", task)
	}
	b.judged("bob", b.task("bob", goal, "Loop"), validationv1.Verdict_VERDICT_FAILED)
	for range 2 {
		if err := b.Evaluate(t.Context(), b.at.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	got := b.said("ada", "learner.evaluated")
	if len(got) != 1 || len(b.said("bob", "learner.evaluated")) != 0 {
		t.Fatalf("got %d evaluations", len(got))
	}
	data, _ := got[0].Data.(*agentsv1.LearnerEvaluated)
	if data.GetMastery()["loops"] <= 0 || !strings.Contains(data.GetReasons()[0], "last 14 days: 3, at the first try: 1") || data.GetExplained()[0].GetEs() == "" {
		t.Errorf("got %v", data)
	}
	e, err := b.Evaluation(t.Context(), learner("ada"), "", "c1")
	if err != nil || e.Evidence != 3 || e.Mastery["loops"] != data.GetMastery()["loops"] || len(e.Reasons) == 0 {
		t.Errorf("got %+v, %v", e, err)
	}
	tess := auth.Actor{UserID: "tess", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}}
	if _, err := b.Evaluation(t.Context(), tess, "ada", "c1"); err != nil {
		t.Errorf("the teacher: %v", err)
	}
	tess.CourseIDs = []string{"c2"}
	for _, other := range []auth.Actor{tess, learner("bob")} {
		if _, err := b.Evaluation(t.Context(), other, "ada", "c1"); !agents.ErrNoEvaluation.Is(err) {
			t.Errorf("%s got %v", other.UserID, err)
		}
	}
	// A day later one more finished task is news enough.
	b.at = b.at.AddDate(0, 0, 2)
	b.finished("ada", b.task("ada", goal, "Loop"))
	if err := b.Evaluate(t.Context(), b.at.Add(time.Minute)); err != nil || len(b.said("ada", "learner.evaluated")) != 2 {
		t.Errorf("got %d evaluations, %v", len(b.said("ada", "learner.evaluated")), err)
	}
}

func TestTheCoachNudgesOnceAndToTheLearnerAlone(t *testing.T) {
	b := setup(t)
	goal := uuid.NewString()
	b.happened("ada", "goal.created", goal, &goalsv1.GoalCreated{GoalId: goal, Details: &goalsv1.GoalDetails{Title: "Loops", DueAt: timestamppb.New(noon.AddDate(0, 0, 2))}})
	task := b.task("ada", goal, "Loop twice")
	for range 3 {
		b.judged("ada", task, validationv1.Verdict_VERDICT_FAILED)
	}
	b.judged("bob", b.task("bob", uuid.NewString(), "Fine"), validationv1.Verdict_VERDICT_FAILED)
	for range 2 {
		if err := b.Coach(t.Context(), noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	heard, err := b.Nudges(t.Context(), learner("ada"), 10)
	if err != nil || len(heard) != 2 || len(b.said("ada", "coach.nudged")) != 2 {
		t.Fatalf("got %+v, %v", heard, err)
	}
	if heard[0].Kind != agents.NudgeStuck || heard[0].TaskID != task || heard[1].Kind != agents.NudgeDeadline || heard[1].GoalID != goal {
		t.Errorf("got %+v", heard)
	}
	if others, err := b.Nudges(t.Context(), learner("bob"), 10); err != nil || len(others) != 0 {
		t.Errorf("bob heard %+v, %v", others, err)
	}
	b.happened("ada", "goal.deleted", goal, &goalsv1.GoalDeleted{GoalId: goal})
	if err := b.Coach(t.Context(), noon.AddDate(0, 0, 1)); err != nil || len(b.said("ada", "coach.nudged")) != 2 {
		t.Errorf("a deleted goal is spoken of: %v", err)
	}
}

func TestWhatIsNotTheLearnersFaultIsNoTry(t *testing.T) {
	b := setup(t)
	task := b.task("ada", uuid.NewString(), "Loop")
	for range 5 {
		b.judged("ada", task, validationv1.Verdict_VERDICT_PLATFORM_ERROR)
		b.happened("ada", "validation.completed", uuid.NewString(), &validationv1.ValidationCompleted{
			TaskId: task, Status: validationv1.RunStatus_RUN_STATUS_DONE, Verdict: validationv1.Verdict_VERDICT_FAILED,
			Reason: validationv1.RunReason_RUN_REASON_REJUDGED,
		})
	}
	if err := b.Coach(t.Context(), noon.Add(time.Hour)); err != nil || len(b.said("ada", "coach.nudged")) != 0 {
		t.Errorf("got %d nudges, %v", len(b.said("ada", "coach.nudged")), err)
	}
}

func TestALearnerSaysWhenTheCoachMaySpeak(t *testing.T) {
	b := setup(t)
	ada := learner("ada")
	update := func(p agents.CoachPatch) (got agents.CoachSettings, err error) {
		err = b.db.InTx(t.Context(), postgres.As(ada), func(ctx context.Context, tx *postgres.Tx) error {
			got, err = b.UpdateCoachTx(ctx, tx, p)
			return err
		})
		return got, err
	}
	text := func(s string) *string { return &s }
	off, muted := false, []string{agents.NudgeStreak}
	got, err := update(agents.CoachPatch{Enabled: &off, Muted: &muted, QuietFrom: text("21:30"), TimeZone: text("America/Bogota")})
	if err != nil || got.Enabled || got.QuietFrom != 21*60+30 || got.QuietTo != 8*60 || got.TimeZone != "America/Bogota" {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, p := range []agents.CoachPatch{{QuietTo: text("25:00")}, {TimeZone: text("Mars/Olympus")}, {TimeZone: text("Local")}} {
		if _, err := update(p); errs.CodeOf(err) != errs.InvalidArgument {
			t.Errorf("%+v: got %v", p, err)
		} else if e := (*errs.Error)(nil); !errors.As(err, &e) || strings.Contains(e.Spanish, "give a") || strings.Contains(e.Spanish, " is ") || !strings.Contains(e.Spanish, "como") {
			t.Errorf("a Spanish learner reads %+v", e)
		}
	}
	if got, err = b.CoachSettings(t.Context(), ada); err != nil || got.Enabled || len(got.Muted) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	task := b.task("ada", uuid.NewString(), "Loop")
	for range 3 {
		b.judged("ada", task, validationv1.Verdict_VERDICT_FAILED)
	}
	if err := b.Coach(t.Context(), noon.Add(time.Hour)); err != nil || len(b.said("ada", "coach.nudged")) != 0 {
		t.Errorf("it spoke though it is off: %v", err)
	}
}
