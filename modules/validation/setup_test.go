package validation_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	if url := os.Getenv(workerURL); url != "" {
		playWorker(url)
		return
	}
	code := m.Run()
	if shared.host != nil {
		_ = shared.host.Close()
	}
	validationtest.CleanUp()
	os.Exit(code)
}

// shared is the plugin host of tests that do no harm to it.
var shared struct {
	sync.Once
	host *pluginhost.Host
	err  error
}

func python(t testing.TB) *pluginhost.Host {
	t.Helper()
	shared.Do(func() {
		path, err := validationtest.PythonBinary(t.Context())
		if err != nil {
			shared.err = err
			return
		}
		shared.host, shared.err = validationtest.Host(path)
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.host
}

type bundle struct {
	*validationtest.Kit
	t     testing.TB
	log   *events.Log
	goals goals.Service
	tasks tasks.Service
}

func setup(t testing.TB, o validationtest.Options) *bundle {
	t.Helper()
	db, log := eventstest.New(t)
	b := &bundle{t: t, log: log, goals: goalstest.New(db, log)}
	b.tasks = taskstest.New(db, log, b.goals)
	if o.Host == nil {
		o.Host = python(t)
	}
	b.Kit = validationtest.New(t, db, log, b.tasks, o)
	return b
}

var (
	ada  = goalstest.Learner("ada", "c1")
	bob  = goalstest.Learner("bob", "c1")
	cleo = goalstest.Learner("cleo", "c2")
	miss = goalstest.Teacher("miss", "c1")
)

// task makes a task of the actor with tests: pairs of path and content.
func (b *bundle) task(actor auth.Actor, tests ...string) tasks.Task {
	b.t.Helper()
	course := ""
	if len(actor.CourseIDs) > 0 {
		course = actor.CourseIDs[0]
	}
	goal := goalstest.Create(b.t, b.DB, b.goals, actor, course, "Learn Python")
	news := tasks.New{Last: true, Details: tasks.Details{Title: "Double a number", Type: tasks.TypeCode, Language: "python"}}
	if len(tests) > 0 {
		news.Validation = &tasks.Validation{}
	}
	for i := 0; i+1 < len(tests); i += 2 {
		news.Validation.Tests = append(news.Validation.Tests, tasks.NewFile(tests[i], tests[i+1], true))
	}
	return taskstest.Create(b.t, b.DB, b.tasks, actor, goal.ID, news)[0]
}

func (b *bundle) status(taskID string) tasks.Status {
	b.t.Helper()
	t, err := b.tasks.Get(b.t.Context(), auth.System("test"), taskID)
	if err != nil {
		b.t.Fatal(err)
	}
	return t.Status
}

// types are the types of a stream's events.
func (b *bundle) types(stream string) string {
	b.t.Helper()
	return eventstest.TypesOf(b.stream(stream))
}

// stream is a stream's history.
func (b *bundle) stream(stream string) []events.Event {
	b.t.Helper()
	got, _, err := b.log.Read(b.t.Context(), b.DB.As(auth.System("test")), events.Filter{For: auth.System("test"), StreamName: stream, Limit: 1000})
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *bundle) count(sql string, args ...any) (n int) {
	b.t.Helper()
	if err := b.DB.Pool().QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *bundle) do(actor auth.Actor, fn func(ctx context.Context, tx *postgres.Tx) error) {
	b.t.Helper()
	if err := b.DB.InTx(b.t.Context(), postgres.As(actor), fn); err != nil {
		b.t.Fatal(err)
	}
}

// fake judges what its name says: a submission's first file.
type fake struct {
	mu    sync.Mutex
	seen  []string
	judge func(ctx context.Context, content string) (judging.Verdict, error)
}

var errPlatform = errors.New("the machine is on fire")

func (f *fake) Versions(context.Context, string) (string, map[string]string, error) {
	return "1.0.0", map[string]string{"python": "3"}, nil
}

func (f *fake) Judge(ctx context.Context, job judge.Job, stage func(string)) (judge.Result, error) {
	content := strings.TrimSpace(string(job.Submission.Files[0].Content))
	f.mu.Lock()
	f.seen = append(f.seen, content)
	f.mu.Unlock()
	stage("test")
	verdict, err := judging.VerdictPassed, error(nil)
	if f.judge != nil {
		verdict, err = f.judge(ctx, content)
	}
	if err != nil {
		return judge.Result{}, err
	}
	return judge.Result{Plugin: job.Plugin, PluginVersion: "1.0.0", Report: &judging.Report{Verdict: verdict, Score: 1}}, nil
}

func (f *fake) order() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.seen, " ")
}

// eventually waits until ok is true.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("after %s it still does not hold: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func fast() validation.Config {
	return validation.Config{Lease: 400 * time.Millisecond, SweepEvery: 200 * time.Millisecond, RetryAfter: time.Millisecond, Concurrency: 2}
}
