package agents_test

import (
	"cmp"
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/agentstest"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/ragtest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sandbox"
)

const (
	english = courses.PythonBasicsEN
	spanish = courses.PythonBasicsES
)

var (
	ada    = goalstest.Learner("ada", english)
	eva    = goalstest.Learner("eva", spanish)
	bob    = goalstest.Learner("bob", english)
	tess   = goalstest.Teacher("tess", english)
	root   = auth.Actor{UserID: "root", Roles: []auth.Role{auth.Admin}}
	system = auth.System("test")
)

func TestMain(m *testing.M) {
	sandbox.Init()
	code := m.Run()
	if shared.host != nil {
		_ = shared.host.Close()
	}
	validationtest.CleanUp()
	os.Exit(code)
}

// shared is the plugin host of all tests: none does harm to it.
var shared struct {
	sync.Once
	host *pluginhost.Host
	err  error
}

func python(t testing.TB) *pluginhost.Host {
	t.Helper()
	shared.Do(func() {
		path, err := validationtest.PythonBinary(context.Background())
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

// bundle is all modules that agents rest on, for real.
type bundle struct {
	*testing.T
	db         *postgres.DB
	log        *events.Log
	goals      goals.Service
	tasks      tasks.Service
	rag        rag.Service
	validation *validationtest.Kit
	agents     *agentstest.Kit
	// ingested are the courses whose material is there.
	ingested map[string]bool
	// refusal is what the policy of courses says, nil for leave.
	refusal error
}

// MayUse implements goals.CoursePolicy.
func (b *bundle) MayUse(context.Context, auth.Actor, string) error { return b.refusal }

func setup(t *testing.T, models func(*postgres.DB) llm.Service) *bundle {
	t.Helper()
	return setupProving(t, models, false)
}

// setupProving is setup whose plans are proven, with the plugins and the sandbox
// that judge.
func setupProving(t *testing.T, models func(*postgres.DB) llm.Service, prove bool) *bundle {
	t.Helper()
	if prove {
		return setupWith(t, models, nil)
	}
	return setupWith(t, models, agentstest.Trusting{})
}

// setupWith is setup with a prover; nil is the real one.
func setupWith(t *testing.T, models func(*postgres.DB) llm.Service, prover validation.Prover) *bundle {
	t.Helper()
	b := &bundle{T: t, ingested: map[string]bool{}}
	b.db, b.log = eventstest.New(t)
	b.goals = goalstest.Under(b.db, b.log, b)
	b.tasks = taskstest.New(b.db, b.log, b.goals)
	b.rag = ragtest.New(b.db, ragtest.Members{"ada": {english}, "bob": {english}, "eva": {spanish}})
	b.validation = validationtest.New(t, b.db, b.log, b.tasks, validationtest.Options{Host: python(t), Config: validation.DefaultConfig(), Pool: prover == nil})
	parts := agentstest.Parts{DB: b.db, Log: b.log, Goals: b.goals, Tasks: b.tasks, Validation: b.validation.Service, Rag: b.rag}
	if models != nil {
		parts.Models = models(b.db)
	}
	if parts.Prover = prover; prover == nil {
		parts.Prover = b.validation.Prover
	}
	if _, ok := prover.(absent); ok {
		parts.Config = agents.DefaultConfig()
		parts.Config.RetryAfter = time.Millisecond
	}
	b.agents = agentstest.New(t, parts)
	return b
}

func do[T any](b *bundle, actor auth.Actor, fn func(context.Context, *postgres.Tx) (T, error)) (T, error) {
	return goalstest.Do(b.Context(), b.db, actor, fn)
}

func must[T any](b *bundle, actor auth.Actor, fn func(context.Context, *postgres.Tx) (T, error)) T {
	b.Helper()
	value, err := do(b, actor, fn)
	if err != nil {
		b.Fatal(err)
	}
	return value
}

// material makes sure that a sample course is there.
func (b *bundle) material(id string) {
	b.Helper()
	if b.ingested[id] {
		return
	}
	b.ingested[id] = true
	c, err := courses.Find(id)
	if err != nil {
		b.Fatal(err)
	}
	ragtest.Ingest(b.T, b.rag, id, c.FS())
}

// goal makes a goal on a sample course, or on none.
func (b *bundle) goal(actor auth.Actor, course, title string) goals.Goal {
	b.Helper()
	b.material(cmp.Or(course, english))
	return goalstest.Create(b.T, b.db, b.goals, actor, course, title)
}

// plan asks for a plan, and works until nothing is due.
func (b *bundle) plan(actor auth.Actor, r agents.PlanRequest) agents.Run {
	b.Helper()
	run := must(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) { return b.agents.PlanTx(ctx, tx, r) })
	b.agents.Drain(b.T)
	return b.run(actor, run.ID)
}

func (b *bundle) run(actor auth.Actor, id string) agents.Run {
	b.Helper()
	run, err := b.agents.Get(b.Context(), actor, id)
	if err != nil {
		b.Fatal(err)
	}
	return run
}

func (b *bundle) approve(actor auth.Actor, id string, keys ...string) agents.Run {
	b.Helper()
	must(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.ApproveTx(ctx, tx, id, agents.Approval{Keys: keys})
	})
	b.agents.Drain(b.T)
	return b.run(actor, id)
}

// tasksOf reads all tasks of a goal, hidden files included.
func (b *bundle) tasksOf(goalID string) (list []tasks.Task) {
	b.Helper()
	page, err := b.tasks.List(b.Context(), system, tasks.Query{GoalID: goalID, Size: 100})
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range page.Tasks {
		whole, err := b.tasks.Get(b.Context(), system, t.ID)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, whole)
	}
	return list
}

func (b *bundle) types(stream, id string) []string {
	b.Helper()
	history, err := b.log.Show(b.Context(), stream+":"+id)
	if err != nil {
		b.Fatal(err)
	}
	var types []string
	for _, e := range history {
		types = append(types, e.Type)
	}
	return types
}

func titles(p *agents.Plan) (list []string) {
	if p != nil {
		for _, t := range p.Tasks {
			list = append(list, t.Title)
		}
	}
	return list
}

func has(list []string, title string) bool { return slices.Contains(list, title) }
