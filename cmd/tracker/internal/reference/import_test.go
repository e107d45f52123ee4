package reference_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/reference"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
)

const (
	fastAPI = "6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0001"
	route   = "aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0001"
)

var errBrokenOff = errors.New("broken off")

// host is that of all tests: nothing is judged, so nobody notices another.
var host *pluginhost.Host

func TestMain(m *testing.M) {
	path, err := validationtest.PythonBinary(context.Background())
	if err == nil {
		host, err = validationtest.Host(path)
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	_ = host.Close()
	os.Exit(code)
}

// bundle is an importer on a database of ours and one of the reference's.
type bundle struct {
	reference.Importer
	*testing.T
	url string
	// left is after how many events units of work are broken off; 0 is never.
	left atomic.Int64
}

func setup(t *testing.T) *bundle {
	t.Helper()
	url := postgrestest.Empty(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	fixture, err := os.ReadFile("testdata/reference.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), string(fixture)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	db, log := eventstest.New(t)
	b := &bundle{T: t, url: url}
	for _, kind := range events.Types() {
		log.React(kind, func(context.Context, *postgres.Tx, events.Event) error {
			if b.left.Add(-1) == 0 {
				return errBrokenOff
			}
			return nil
		})
	}
	g := goalstest.New(db, log)
	k := taskstest.New(db, log, g)
	v := validationtest.New(t, db, log, k, validationtest.Options{
		Host: host, Config: validation.DefaultConfig(), NoSandbox: errors.New("nothing is judged here"),
	})
	b.Importer = reference.Importer{DB: db, Log: log, Goals: g, Tasks: k, Validation: v.Service}
	return b
}

func (b *bundle) run() *reference.Report {
	b.Helper()
	report, err := b.Importer.Run(b.Context(), b.url)
	if err != nil {
		b.Fatal(err)
	}
	return report
}

func (b *bundle) goal(id string) goals.Goal {
	b.Helper()
	g, err := b.Goals.Get(b.Context(), auth.System("test"), id)
	if err != nil {
		b.Fatal(err)
	}
	return g
}

func (b *bundle) task(id string) tasks.Task {
	b.Helper()
	t, err := b.Tasks.Get(b.Context(), auth.System("test"), id)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func (b *bundle) count() int {
	b.Helper()
	all, _, err := b.Log.Read(b.Context(), b.DB.As(auth.System("test")), events.Filter{For: auth.System("test"), Limit: 1000})
	if err != nil {
		b.Fatal(err)
	}
	return len(all)
}

func on(text string) time.Time {
	at, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		panic(err)
	}
	return at
}

func TestGoalsAndTasksComeAsTheyStoodAtTheirOwnTimes(t *testing.T) {
	b := setup(t)
	b.run()
	g := b.goal(fastAPI)
	if g.UserID != "ada" || g.CourseID != "py-101" || g.Title != "Learn FastAPI" || g.Priority != goals.PriorityHigh || !g.AIGenerated ||
		g.Status != goals.StatusInProgress || !slices.Equal(g.Criteria, []string{"has tests", "is deployed"}) || g.Metadata.Text() != `{"source":"web"}` ||
		!g.CreatedAt.Equal(on("2025-01-10 09:00:00")) || !g.StartedAt.Equal(on("2025-01-11 08:00:00")) || !g.DueAt.Equal(on("2025-06-30 00:00:00")) {
		t.Errorf("%+v", g)
	}
	k := b.task(route)
	if k.Status != tasks.StatusCompleted || k.CompletedBy != tasks.BySelf || k.Feedback != "Good names." || k.Position != 100 ||
		*k.ActualHours != 3.5 || *k.EstimatedHours != 2 || !k.StartedAt.Equal(on("2025-01-11 08:00:00")) || !k.CompletedAt.Equal(on("2025-01-15 10:00:00")) {
		t.Errorf("%+v", k)
	}
	for id, want := range map[string]goals.Status{
		"6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0002": goals.StatusCompleted, "6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0003": goals.StatusBlocked,
		"6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0005": goals.StatusPending, "6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0007": goals.StatusInProgress,
	} {
		if got := b.goal(id); got.Status != want {
			t.Errorf("%s is %s, want %s", id, got.Status, want)
		}
	}
	page, err := b.Goals.List(t.Context(), goalstest.Learner("bob"), goals.Query{Statuses: []goals.Status{goals.StatusCancelled}})
	if err != nil || len(page.Goals) != 1 || page.Goals[0].Title != "Given up" {
		t.Errorf("the goal whose id is no UUID: %+v, %v", page, err)
	}
	if differ, err := b.Log.Verify(t.Context(), events.VerifyOptions{}); err != nil || len(differ.Differences) > 0 {
		t.Errorf("the folds differ from the log: %+v, %v", differ, err)
	}
}

func TestTheReportSaysWhatWasTakenChangedAndLeft(t *testing.T) {
	r := setup(t).run()
	for table, want := range map[string][4]int{
		"goals": {7, 6, 0, 1}, "tasks": {8, 7, 0, 1}, "code_snapshots": {5, 3, 0, 2}, "events": {4, 3, 0, 1}, "embeddings": {1, 0, 0, 1},
	} {
		got := r.Tables[table]
		if [4]int{got.Read, got.Taken, got.Here, got.Left} != want {
			t.Errorf("%s: %+v, want %v", table, got, want)
		}
	}
	var text strings.Builder
	r.Write(&text)
	for _, want := range []string{
		"was failed, is in_progress: nothing here judged it: 1 (aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0002)",
		"left in goals: its user_id has not 1 to 36 characters: 1",
		"left in tasks: it belongs to another user than its goal: 1 (aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0007)",
		"left in code_snapshots: it belongs to no task: 1", "changed in code_snapshots: file_path made relative: 2",
		"left in events: it names no user", "estimated_hours outside of 0 to 10,000 left out: 1",
		"2 users and 1 courses stay with the academy",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing:\n%s", want, text.String())
		}
	}
}

func TestSnapshotsKeepTheirCodeAndNoVerdictOfAnotherSystem(t *testing.T) {
	b := setup(t)
	b.run()
	page, err := b.Validation.Snapshots(t.Context(), goalstest.Learner("ada"), validation.Query{TaskID: route})
	if err != nil || len(page.Snapshots) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	newest := page.Snapshots[0]
	if newest.Number != 2 || newest.Verdict != "" || newest.RunID != "" || newest.Language != "python" || !newest.CreatedAt.Equal(on("2025-01-15 09:00:00")) {
		t.Errorf("%+v", newest)
	}
	whole, err := b.Validation.Snapshot(t.Context(), goalstest.Learner("ada"), newest.ID)
	if err != nil || len(whole.Files) != 1 || whole.Files[0] != (validation.File{Path: "main.py", Content: "print(2)"}) {
		t.Errorf("%+v, %v", whole, err)
	}
	history, err := b.Log.Show(t.Context(), "history:code_snapshots-"+newest.ID)
	if err != nil || len(history) != 1 || !strings.Contains(string(history[0].Raw), `"validation_feedback":"Good."`) {
		t.Errorf("%v, %v", history, err)
	}
}

func TestEventsBecomeHistoryOfTheirGoalsAndTasks(t *testing.T) {
	b := setup(t)
	b.run()
	read := func(actor auth.Actor) (types []string) {
		all, _, err := b.Log.Read(t.Context(), b.DB.As(actor), events.Filter{For: actor, Types: []string{"history.imported"}, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if strings.Contains(string(e.Raw), `"table":"events"`) {
				types = append(types, string(e.Raw))
			}
		}
		return types
	}
	ada, bob := read(goalstest.Learner("ada")), read(goalstest.Learner("bob"))
	if len(ada) != 2 || len(bob) != 1 {
		t.Fatalf("%q\n%q", ada, bob)
	}
	all := strings.Join(ada, "\n")
	for _, want := range []string{`"event_type":"GOAL_CREATED"`, `"goal_id":"` + fastAPI, `"task_id":"` + route, `a \\u0000 b`} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is missing in %s", want, all)
		}
	}
}

func TestASecondImportTakesOnlyWhatIsNewAndLeavesWhatLearnersDidSince(t *testing.T) {
	b := setup(t)
	b.run()
	ada := goalstest.Learner("ada")
	if _, err := goalstest.Do(t.Context(), b.DB, ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return goals.Goal{}, b.Goals.DeleteTx(ctx, tx, fastAPI, nil)
	}); err != nil {
		t.Fatal(err)
	}
	before := b.count()
	r := b.run()
	if after := b.count(); after != before {
		t.Errorf("%d events became %d", before, after)
	}
	if g := r.Tables["goals"]; g.Here != 6 || g.Taken != 0 {
		t.Errorf("%+v", g)
	}
	if _, err := b.Goals.Get(t.Context(), ada, fastAPI); !goals.ErrNotFound.Is(err) {
		t.Errorf("the deleted goal came back: %v", err)
	}
}

func TestAnImportThatWasBrokenOffGoesOn(t *testing.T) {
	b, whole := setup(t), setup(t)
	whole.run()
	breaks := 0
	for ; ; breaks++ {
		b.left.Store(int64(2*breaks + 1))
		_, err := b.Importer.Run(t.Context(), b.url)
		if err == nil {
			break
		}
		if !errors.Is(err, errBrokenOff) {
			t.Fatal(err)
		}
	}
	if breaks < 5 || b.count() != whole.count() {
		t.Errorf("broken off %d times there are %d events, in one go %d", breaks, b.count(), whole.count())
	}
	for _, id := range []string{fastAPI, "6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0002", "6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0003"} {
		got, want := b.goal(id), whole.goal(id)
		if got.Status != want.Status || got.Version != want.Version || !got.UpdatedAt.Equal(want.UpdatedAt) {
			t.Errorf("%+v\n%+v", got, want)
		}
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	b := setup(t)
	b.DryRun = true
	r := b.run()
	if n := b.count(); n != 0 || r.Tables["goals"].Taken != 6 || r.Tables["tasks"].Taken != 7 {
		t.Errorf("%d events, %+v", n, r.Tables["goals"])
	}
}

func TestAnotherDatabaseIsRefused(t *testing.T) {
	b := setup(t)
	if _, err := b.Importer.Run(t.Context(), postgrestest.Empty(t)); err == nil || !strings.Contains(err.Error(), "has no table goals") {
		t.Errorf("%v", err)
	}
}
