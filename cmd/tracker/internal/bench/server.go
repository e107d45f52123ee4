package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalsfx"
	"github.com/goals-tracker/tracker/modules/tasks/tasksfx"
)

// server is the product as far as goals need it, with everything that stands
// before a handler: sign-in, validation, idempotency, CORS, the access log.
type server struct {
	db    *postgres.DB
	app   *fx.App
	log   *events.Log
	goals goals.Service
	rpc   *rpc.Server
	web   *http.Server
	// address is host:port.
	address string
	// token signs the learner in.
	token string
}

func newServer(db *postgres.DB) (*server, error) {
	secret := rand.Text()
	verifier, err := auth.NewHS256(secret)
	if err != nil {
		return nil, err
	}
	s := &server{db: db}
	if s.token, err = token(secret); err != nil {
		return nil, err
	}
	logger := quiet()
	s.app = fx.New(
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Supply(db, logger, events.DefaultConfig()),
		fx.Provide(postgres.NewListener, jobs.NewInserter), fx.Invoke(hear),
		eventsfx.Module, goalsfx.Module, tasksfx.Module,
		fx.Provide(fx.Annotate(func(services []rpc.Service) (*rpc.Server, error) {
			return rpc.NewServer(rpc.Config{AllowedOrigins: rpc.DefaultOrigins(), Logger: logger}, rpc.Deps{Verifier: verifier, Services: services})
		}, fx.ParamTags(`group:"rpc.services"`))),
		fx.Populate(&s.log, &s.goals, &s.rpc),
	)
	if err := s.app.Err(); err != nil {
		return nil, fmt.Errorf("wire the server: %w", err)
	}
	return s, nil
}

// hear runs the listener as long as the server runs.
func hear(lc fx.Lifecycle, listener *postgres.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lc.Append(fx.StartStopHook(
		func() { go func() { defer close(done); listener.Run(ctx) }() },
		func() { cancel(); <-done },
	))
}

// startServer serves, and follows the log as a server does.
func startServer(ctx context.Context, db *postgres.DB) (*server, error) {
	s, err := newServer(db)
	if err != nil {
		return nil, err
	}
	if err := s.app.Start(ctx); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := s.listen(ctx); err != nil {
		return nil, errors.Join(err, s.app.Stop(ctx))
	}
	return s, nil
}

func (s *server) listen(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	s.web = s.rpc.HTTP(s.address)
	go func() { _ = s.web.Serve(listener) }() // until close; the clients notice anything else
	return nil
}

func (s *server) close() { _ = s.web.Close() }

func (s *server) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	s.close()
	return s.app.Stop(ctx)
}

func token(secret string) (string, error) { return tokenOf(secret, learner) }

func tokenOf(secret, user string) (string, error) {
	claims := jwt.MapClaims{"user_id": user, "roles": []string{string(auth.Student)}, "course_ids": []string{course}, "exp": time.Now().Add(12 * time.Hour).Unix()}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}

const (
	learner = "learner-1"
	course  = "python-basics"
	// perLearner is how many goals each learner has before anything is measured.
	perLearner = 200
	learners   = 10
)

// seed gives each of some learners their goals, each by a call of its own, so
// that what is measured happens among others' rows: on empty tables PostgreSQL
// plans scans of the whole, and keeps to them for a while.
func (s *server) seed(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range learners {
		actor := auth.Actor{UserID: fmt.Sprintf("learner-%d", i+1), Roles: []auth.Role{auth.Student}, CourseIDs: []string{course}}
		group.Go(func() error {
			for n := range perLearner {
				call := postgres.Call{Actor: actor, Key: uuid.Must(uuid.NewV7()).String(), Procedure: "seed", Hash: []byte("seed"), RequestID: "seed"}
				err := s.db.InTx(ctx, call, func(ctx context.Context, tx *postgres.Tx) error {
					tx.Seal([]byte("seed"))
					_, err := s.goals.CreateTx(ctx, tx, goals.New{Details: goals.Details{
						Title: fmt.Sprintf("%s %d", title, n+1), Description: description, CourseID: course,
						Priority: "high", Criteria: criteria, Metadata: goals.Metadata(metadata),
					}})
					return err
				})
				if err != nil {
					return fmt.Errorf("make goals to list: %w", err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// What a goal of the bench says; its size is that of a real one.
const (
	title       = "Learn FastAPI"
	description = "Build a small REST service with FastAPI: routes, models, dependencies, tests, and a container that runs it."
	metadata    = `{"source":"vscode","workspace":{"name":"fastapi-first-steps","folders":["app","tests"]},"tags":["python","web","api"],"hours_per_week":6.5}`
)

var criteria = []string{"Every route has a test", "The service starts in a container"}
