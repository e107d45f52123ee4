package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
	"github.com/goals-tracker/tracker/modules/goals/goalsfx"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/realtime/realtimefx"
	"github.com/goals-tracker/tracker/modules/tasks/tasksfx"
)

// toReplica is a question to a replica: where to serve what, or what it holds.
type toReplica struct {
	Start, Secret string
	Memory        bool
	// Collected is Memory after garbage was collected.
	Collected bool
}

type fromReplica struct {
	Address string
	Memory  memory
}

// replicaMain is a replica's process, until there are no more questions.
func replicaMain(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	var stop func(context.Context) error
	defer func() {
		if stop != nil {
			err = errors.Join(err, stop(context.WithoutCancel(ctx)))
		}
	}()
	return serveChild(in, out, func(q toReplica) (a fromReplica, err error) {
		if q.Memory {
			a.Memory, err = ownMemory(q.Collected)
			return a, err
		}
		a.Address, stop, err = startReplica(ctx, q.Start, q.Secret)
		return a, err
	})
}

// startReplica serves goals and pushes on a database, as the server does.
func startReplica(ctx context.Context, url, secret string) (address string, stop func(context.Context) error, err error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: url, StatementTimeout: statementTimeout})
	if err != nil {
		return "", nil, err
	}
	verifier, err := auth.NewHS256(secret)
	if err != nil {
		return "", nil, err
	}
	var server *rpc.Server
	logger := quiet()
	app := fx.New(
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Supply(db, logger, events.DefaultConfig(), realtime.DefaultConfig()),
		fx.Provide(postgres.NewListener, bus.New, jobs.NewInserter, rpc.NewCaller, func() auth.Verifier { return verifier }), fx.Invoke(hear),
		eventsfx.Module, goalsfx.Module, tasksfx.Module, realtimefx.Module,
		fx.Provide(fx.Annotate(func(caller *rpc.Caller, services []rpc.Service, routes []rpc.Route) (*rpc.Server, error) {
			return rpc.NewServer(rpc.Config{AllowedOrigins: rpc.DefaultOrigins(), Logger: logger},
				rpc.Deps{Verifier: verifier, Caller: caller, Services: services, Routes: routes})
		}, fx.ParamTags(``, `group:"rpc.services"`, `group:"rpc.routes"`))),
		fx.Invoke(push),
		fx.Populate(&server),
	)
	if err := app.Err(); err != nil {
		return "", nil, fmt.Errorf("wire a replica: %w", err)
	}
	if err := app.Start(ctx); err != nil {
		return "", nil, fmt.Errorf("start a replica: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, errors.Join(err, app.Stop(ctx))
	}
	web := server.HTTP("")
	go func() { _ = web.Serve(listener) }() // until it is closed
	return listener.Addr().String(), func(ctx context.Context) error {
		err := errors.Join(web.Close(), app.Stop(ctx))
		db.Close()
		return err
	}, nil
}

// push runs the hub and the bus as long as the replica runs.
func push(lc fx.Lifecycle, hub *realtimefx.Hub, b *bus.Bus) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	lc.Append(fx.StartStopHook(
		func() {
			running.Go(func() { b.Run(ctx) })
			running.Go(func() { _ = hub.Run(ctx) })
		},
		func() { cancel(); running.Wait() },
	))
}
