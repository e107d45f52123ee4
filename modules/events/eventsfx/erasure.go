package eventsfx

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/keyfile"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/core/roles"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/erasure"
)

// Erasure erases people.
type Erasure = erasure.Erasure

// Receipt says what was erased.
type Receipt = erasure.Receipt

// VerifyReceipt proves that a receipt is as it was signed, with a public key or,
// for "", with the receipt's own.
func VerifyReceipt(file []byte, publicKey string) (Receipt, error) {
	return erasure.Verify(file, publicKey)
}

// ReceiptKey is the public key of the receipts of a server by its folder; "" when
// there is none.
func ReceiptKey(dir string) (string, error) { return erasure.PublicKeyIn(dir) }

// ErasureModule needs what Module does, an auth.Revocations, a cache.Cache and the
// whole privacy registry. It provides *Erasure and people's keys, and refuses
// those who are erased.
var ErasureModule = fx.Module("erasure",
	fx.Provide(subjectKeys),
	fx.Provide(newErasure),
	fx.Invoke(runErasure),
)

// subjectKeys are the keys of people's pseudonyms.
func subjectKeys(cfg events.Config) (*keyfile.Subjects, error) {
	if cfg.Erasure.Dir == "" {
		return nil, nil //nolint:nilnil // without a folder nobody has a key
	}
	return keyfile.NewSubjects("events.erasure.dir", cfg.Erasure.Dir+"/subjects")
}

type erasureParams struct {
	fx.In
	DB          *postgres.DB
	Log         *events.Log
	Config      events.Config
	Personal    privacy.Registry
	Keys        *keyfile.Subjects
	Cache       *cache.Cache
	Revocations *auth.Revocations
	Logger      *slog.Logger
}

func newErasure(p erasureParams) (*Erasure, error) {
	e, err := erasure.New(erasure.Deps{
		DB: p.DB, Log: p.Log, Personal: p.Personal, Dir: p.Config.Erasure.Dir, Keys: p.Keys, Memory: p.Cache,
		Tell: p.Revocations.Tell, Settle: p.Config.Erasure.Settle, Logger: p.Logger.With("part", "erasure"),
	})
	if err != nil {
		return nil, err
	}
	p.Log.RefuseWhen(e.Erased)
	p.Revocations.Check(e.Erased)
	p.Cache.RefuseWhen(e.Erased)
	return e, nil
}

type runErasureParams struct {
	fx.In
	Erasure  *Erasure
	Listener *postgres.Listener
	Shutdown fx.Shutdowner
	Logger   *slog.Logger
	Roles    roles.Set `optional:"true"`
}

// runErasure knows all tombstones before anybody is let in, and keeps up with
// them; workers carry erasures out.
func runErasure(lifecycle fx.Lifecycle, p runErasureParams) {
	p.Erasure.ListenOn(p.Listener)
	var stop context.CancelFunc
	var running sync.WaitGroup
	lifecycle.Append(fx.Hook{
		OnStart: func(starting context.Context) error {
			if err := errors.Join(p.Erasure.Load(starting), p.Erasure.Register(starting)); err != nil {
				return err
			}
			var ctx context.Context
			ctx, stop = context.WithCancel(context.WithoutCancel(starting)) //nolint:gosec // it outlives the start, and OnStop calls stop
			running.Go(func() {
				// Who doesn't know whom to refuse must not go on to let people in.
				if err := p.Erasure.Run(ctx, p.Roles.Has(roles.Worker)); err != nil {
					p.Logger.Error("the server stops", "error", err)
					_ = p.Shutdown.Shutdown(fx.ExitCode(1))
				}
			})
			return nil
		},
		OnStop: func(context.Context) error { stop(); running.Wait(); return nil },
	})
}
