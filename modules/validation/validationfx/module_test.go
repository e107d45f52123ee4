package validationfx_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationfx"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	code := m.Run()
	validationtest.CleanUp()
	os.Exit(code)
}

// The module as the server runs it: wired by fx, woken by River's tickets.
func TestTheWiredModuleJudgesWhatIsSubmitted(t *testing.T) {
	db, log := eventstest.New(t)
	g := goalstest.New(db, log)
	ts := taskstest.New(db, log, g)
	cfg := validation.DefaultConfig()
	cfg.KeyFile = filepath.Join(t.TempDir(), "keys", "validation.key")
	var service validation.Service
	app := fxtest.New(t,
		fx.NopLogger,
		fx.Supply(db, log, cfg, jobs.DefaultConfig(), slog.New(slog.DiscardHandler), validationtest.Python(t)),
		fx.Provide(postgres.NewListener, bus.New, jobs.NewInserter, jobs.NewRegistry, jobs.NewRunner),
		fx.Provide(func() tasks.Service { return ts }),
		validationfx.Module,
		fx.Populate(&service),
		fx.Invoke(fx.Annotate(func(services []corerpc.Service) {
			if len(services) != 1 {
				t.Errorf("%d Connect services", len(services))
			}
		}, fx.ParamTags(`group:"rpc.services"`))),
		fx.Invoke(func(lc fx.Lifecycle, r *jobs.Runner) { lc.Append(fx.Hook{OnStart: r.Start, OnStop: r.Stop}) }),
		fx.Invoke(func(*events.Log, *pluginhost.Host) {}),
	)
	app.RequireStart()
	t.Cleanup(app.RequireStop)
	service.Ready(t.Context())

	ada := goalstest.Learner("ada")
	goal := goalstest.Create(t, db, g, ada, "", "Learn Python")
	task := taskstest.Create(t, db, ts, ada, goal.ID, tasks.New{Last: true, Details: tasks.Details{
		Title: "One", Type: tasks.TypeCode, Language: "python",
		Validation: &tasks.Validation{Tests: []tasks.File{tasks.NewFile("test_main.py", "import main\n\ndef test_x():\n    assert main.x == 1\n", true)}},
	}})[0]
	var s validation.Snapshot
	began := time.Now()
	err := db.InTx(t.Context(), postgres.As(ada), func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = service.SubmitTx(ctx, tx, validationtest.Files(task.ID, "main.py", "x = 1\n"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for {
		run, err := service.Run(t.Context(), ada, s.RunID)
		if err != nil {
			t.Fatal(err)
		}
		if run.Status == validation.StatusDone {
			if run.Verdict != "passed" {
				t.Errorf("verdict %s: %+v", run.Verdict, run.Report)
			}
			t.Logf("verdict after %s: %+v", time.Since(began).Round(time.Millisecond), run.Report.Timings)
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("after 30 s the run is %s", run.Status)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if key, err := os.ReadFile(cfg.KeyFile); err != nil || len(key) < 32 {
		t.Errorf("the key was not kept: %d bytes, %v", len(key), err)
	}
}

func TestAKeyThatIsTooShortStopsTheStartWithAdvice(t *testing.T) {
	db, log := eventstest.New(t)
	ts := taskstest.New(db, log, goalstest.New(db, log))
	cfg := validation.DefaultConfig()
	cfg.KeyFile = filepath.Join(t.TempDir(), "validation.key")
	if err := os.WriteFile(cfg.KeyFile, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	app := fx.New(
		fx.NopLogger,
		fx.Supply(db, log, cfg, slog.New(slog.DiscardHandler), validationtest.Python(t)),
		fx.Provide(postgres.NewListener, bus.New, jobs.NewInserter, jobs.NewRegistry),
		fx.Provide(func() tasks.Service { return ts }),
		validationfx.Module,
	)
	if err := app.Err(); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("got %v", err)
	}
}
