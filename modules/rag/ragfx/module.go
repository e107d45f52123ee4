// Package ragfx wires the course material.
package ragfx

import (
	"context"
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/keyfile"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/embed"
	"github.com/goals-tracker/tracker/modules/rag/internal/react"
	ragrpc "github.com/goals-tracker/tracker/modules/rag/internal/rpc"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
	"github.com/goals-tracker/tracker/modules/rag/internal/watch"
	"github.com/goals-tracker/tracker/modules/rag/internal/work"
)

// Module needs a rag.Config and provides rag.Service and its RPC face; where
// jobs run, it gives passages their vectors.
var Module = fx.Module("rag",
	fx.Provide(newService, fx.Private),
	fx.Provide(func(s *service.Service) rag.Service { return s }),
	fx.Provide(fx.Annotate(onCourses, fx.ResultTags(`group:"academy.reactions"`))),
	fx.Invoke(follow, react.Register),
	fx.Provide(func(db *postgres.DB, s rag.Service, cfg rag.Config, logger *slog.Logger) *Watcher {
		return NewWatcher(db, s, cfg.Watch, logger)
	}),
	fx.Provide(fx.Annotate(func(db *postgres.DB, s rag.Service) rpc.Service {
		return ragrpc.New(db, s).Service()
	}, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(func(db *postgres.DB, models llm.Service, cfg rag.Config, logger *slog.Logger) *embed.Filler {
		return embed.New(db, models, cfg, logger.With("part", "rag"), time.Now)
	}, work.NewTickets, fx.Private),
	fx.Provide(func(f *embed.Filler) rag.Filler { return f }),
	fx.Invoke(func(r *jobs.Registry, f *embed.Filler, cfg rag.Config, logger *slog.Logger) {
		work.Register(r, f, cfg, logger)
	}),
)

// onCourses takes the material of courses that the academy deletes out.
func onCourses(s rag.Service) academy.Reaction {
	return academy.Reaction{Name: "rag", Types: []string{academy.CourseDeleted},
		Work: func(ctx context.Context, tx *postgres.Tx, change academy.Change) (bool, error) {
			return false, s.RemoveCourse(ctx, tx, change.CourseID)
		}}
}

// Watcher watches folders of course material.
type Watcher = watch.Watcher

// NewWatcher makes a watcher of folders by course id.
func NewWatcher(db *postgres.DB, s rag.Service, folders map[string]rag.WatchConfig, logger *slog.Logger) *Watcher {
	return watch.New(db, s, folders, logger.With("part", "rag"))
}

type serviceParams struct {
	fx.In
	DB      *postgres.DB
	Members academy.Service
	Models  llm.Service
	Tickets *work.Tickets
	Config  rag.Config
	// Keys are left out where nobody is erased.
	Keys *keyfile.Subjects `optional:"true"`
}

func newService(p serviceParams) (*service.Service, error) {
	key, err := keyfile.Load("rag.key_file", p.Config.KeyFile)
	if err != nil {
		return nil, err
	}
	s := service.New(p.DB, p.Members, p.Config, time.Now).WithModels(p.Models).WithKey(key).WithTickets(p.Tickets).
		WithDeleted(p.Members.CourseDeleted)
	if p.Keys != nil {
		s.WithKeys(p.Keys)
	}
	return s, nil
}

// followParams is what the index of learners' own things takes.
type followParams struct {
	fx.In
	Log     *events.Log
	Service *service.Service
	// Snapshots is left out where nothing is judged.
	Snapshots rag.Snapshots `optional:"true"`
}

func follow(p followParams) { p.Log.Subscribe(react.New(p.Service, p.Snapshots).Subscription()) }

// NewService makes the service without the graph, for commands that only
// ingest or evaluate. It searches by words alone.
func NewService(db *postgres.DB, members academy.Service, cfg rag.Config) rag.Service {
	return service.New(db, members, cfg, time.Now)
}

// NewHybrid makes the service and its filler without the graph, on any models.
func NewHybrid(db *postgres.DB, members academy.Service, models rag.Models, cfg rag.Config, logger *slog.Logger) (rag.Service, rag.Filler) {
	return service.New(db, members, cfg, time.Now).WithModels(models), embed.New(db, models, cfg, logger, time.Now)
}

// FillAtOnce gives all passages of a database that nobody uses yet their
// vectors.
func FillAtOnce(ctx context.Context, db *postgres.DB, models rag.Models, cfg rag.Config, logger *slog.Logger) error {
	return embed.New(db, models, cfg, logger, time.Now).AtOnce(ctx)
}

// Weigh sets what likeness in meaning counts in a space, against 1 for words, in
// place of the built-in weight.
func Weigh(ctx context.Context, db *postgres.DB, space int, weight float64) error {
	return store.Weigh(ctx, db.As(auth.System("operator")), int32(space), weight)
}
