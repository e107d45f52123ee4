package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
	"github.com/goals-tracker/tracker/modules/goals/goalsfx"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/realtime/realtimefx"
)

const secret = "a-secret-key-of-this-test-only-0123456789"

// replica is a real server on a real database: log, goals, hub and mux.
type replica struct {
	url     string
	bus     *bus.Bus
	hub     *realtimefx.Hub
	metrics *prometheus.Registry
	// stop ends it as a signal does, and waits; kill ends it as kill -9 does.
	stop, kill func()
}

type options struct {
	realtime.Config
	revoked *auth.Revocations
	logger  *slog.Logger
	origins []string
	// idle leaves the log unfollowed.
	idle bool
}

func start(t testing.TB, db *postgres.DB, change func(*options)) *replica {
	t.Helper()
	o := options{Config: realtime.DefaultConfig(), revoked: auth.NewRevocations(), logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	var log *events.Log
	var listener *postgres.Listener
	var server *rpc.Server
	r := &replica{metrics: prometheus.NewRegistry()}
	app := fx.New(
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Supply(db, o.logger, o.Config, o.revoked, r.metrics, events.DefaultConfig(), limits.New(limits.Sharing{DB: db, Timeout: 20 * time.Second, Logger: o.logger, Metrics: r.metrics})),
		fx.Provide(postgres.NewListener, bus.New, jobs.NewInserter, rpc.NewCaller, func() (auth.Verifier, error) { return auth.NewHS256(secret) }),
		eventsfx.Module, goalsfx.Module, realtimefx.Module,
		fx.Provide(fx.Annotate(func(verifier auth.Verifier, caller *rpc.Caller, services []rpc.Service, routes []rpc.Route) (*rpc.Server, error) {
			return rpc.NewServer(rpc.Config{Logger: o.logger, AllowedOrigins: o.origins}, rpc.Deps{Verifier: verifier, Caller: caller, Services: services, Routes: routes})
		}, fx.ParamTags(``, ``, `group:"rpc.services"`, `group:"rpc.routes"`))),
		fx.Populate(&log, &listener, &server, &r.bus, &r.hub),
	)
	if err := app.Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { listener.Run(ctx) })
	running.Go(func() { r.bus.Run(ctx) })
	running.Go(func() { _ = log.Run(ctx) })
	if !o.idle {
		running.Go(func() { _ = r.hub.Run(ctx) })
	}
	web := httptest.NewUnstartedServer(server.Handler())
	lines := &cuttable{Listener: web.Listener}
	web.Listener = lines
	web.Start()
	r.url = web.URL
	r.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		web.CloseClientConnections()
		web.Close()
	})
	r.kill = func() {
		lines.cut()
		r.stop()
	}
	t.Cleanup(r.stop)
	return r
}

// cuttable is a listener whose connections can be cut off without a word.
type cuttable struct {
	net.Listener
	mu   sync.Mutex
	open []net.Conn
}

// Accept implements net.Listener.
func (l *cuttable) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.open = append(l.open, conn)
		l.mu.Unlock()
	}
	return conn, err
}

func (l *cuttable) cut() {
	_ = l.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.open {
		_ = conn.Close()
	}
}

func token(t testing.TB, user string, life time.Duration) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"user_id": user, "roles": []string{"student"}, "exp": time.Now().Add(life).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

type message struct {
	Type          string          `json:"type"`
	Payload       json.RawMessage `json:"payload"`
	CorrelationID string          `json:"correlation_id"`
	Seq           int64           `json:"seq"`
}

func (m message) field(name string) any {
	var fields map[string]any
	_ = json.Unmarshal(m.Payload, &fields)
	return fields[name]
}

type client struct {
	t    testing.TB
	conn *websocket.Conn
	// kept are messages that next passed over.
	kept []message
}

func dial(t testing.TB, r *replica, path, user string, life time.Duration) *client {
	t.Helper()
	c, _, err := open(t, r, path+"?token="+token(t, user, life), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open is dial with an address and headers as they come.
func open(t testing.TB, r *replica, address string, o *websocket.DialOptions) (*client, handshake, error) {
	t.Helper()
	conn, response, err := websocket.Dial(t.Context(), strings.Replace(r.url, "http", "ws", 1)+address, o)
	var h handshake
	if response != nil {
		h = handshake{response.StatusCode, response.Header}
	}
	if err != nil {
		return nil, h, err
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t: t, conn: conn}, h, nil
}

// narrow makes the system buffer little for a connection.
func narrow(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10),
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536))
	})
	return errors.Join(err, failed)
}

// handshake is how the server answered.
type handshake struct {
	status int
	header http.Header
}

func (c *client) send(kind, correlationID string, payload any) {
	c.t.Helper()
	data, err := json.Marshal(map[string]any{"type": kind, "payload": payload, "correlation_id": correlationID, "timestamp": time.Now()})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, data); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() (message, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	_, data, err := c.conn.Read(ctx)
	var m message
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	return m, err
}

// next is the next message of a type; others are kept for later.
func (c *client) next(kind string) message {
	c.t.Helper()
	for i, m := range c.kept {
		if m.Type == kind {
			c.kept = append(c.kept[:i:i], c.kept[i+1:]...)
			return m
		}
	}
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if m.Type == kind {
			return m
		}
		c.kept = append(c.kept, m)
	}
}

func (c *client) create(title string) (goalID string) {
	c.t.Helper()
	c.send("goal.create", uuid.NewString(), map[string]any{"title": title})
	goalID, _ = c.next("goal.create.ok").field("id").(string)
	return goalID
}

// closed reads until the server ends the connection, and says how it did.
func (c *client) closed() websocket.CloseError {
	c.t.Helper()
	for {
		m, err := c.read()
		var end websocket.CloseError
		switch {
		case err == nil:
			c.kept = append(c.kept, m)
		case errors.As(err, &end):
			return end
		default:
			c.t.Fatalf("the connection ended without a word: %v", err)
		}
	}
}
