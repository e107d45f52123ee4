package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	connectcors "connectrpc.com/cors"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
	"connectrpc.com/otelconnect"
	"github.com/rs/cors"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

// Config is the server's section of the configuration.
type Config struct {
	// AllowedOrigins may call from a browser; each may hold one *. Empty allows
	// none. DefaultOrigins is what a server on one's own machine needs.
	AllowedOrigins []string
	// MaxBody is how many bytes a request may have. Defaults to 8 MiB.
	MaxBody int64
	// Timeout is how long a unary call may take. Defaults to 60 s.
	Timeout time.Duration
	// BodyTime is how long the body of a request may take to arrive. Defaults to
	// 60 s.
	BodyTime time.Duration
	// Tracing reports each call to OpenTelemetry's global providers.
	Tracing bool
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

// DefaultOrigins are web views of VS Code and pages of this machine.
func DefaultOrigins() []string {
	return []string{"vscode-webview://*", "http://localhost:*", "http://127.0.0.1:*"}
}

// Check is something that must work before the server is ready.
type Check struct {
	// Name stands in the answer of /readyz: "database".
	Name string
	// Check returns nil when all is well; it is given 2 s.
	Check func(context.Context) error
	// Optional parts may fail while the server is ready: /readyz says so.
	Optional bool
}

// Deps is what the server serves.
type Deps struct {
	// Verifier is required.
	Verifier auth.Verifier
	Services []Service
	Routes   []Route
	Checks   []Check
	// Metrics is served at /metrics, without sign-in; nil serves none.
	Metrics http.Handler
	// Limits refuses people who call too often; nil refuses nobody.
	Limits Admitter
	// Caller is bound to the server, for faces that call procedures in process.
	Caller *Caller
}

// Server is all faces of the API on one handler.
type Server struct {
	cfg      Config
	handler  http.Handler
	services []protoreflect.ServiceDescriptor
}

// NewServer builds the server; it does not listen. It fails when a service is
// unknown to the proto registry or mounted twice.
func NewServer(cfg Config, deps Deps) (*Server, error) {
	if deps.Verifier == nil {
		return nil, errors.New("rpc server: no verifier of tokens")
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 8 << 20
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.BodyTime == 0 {
		cfg.BodyTime = time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Server{cfg: cfg}
	mux := http.NewServeMux()
	refuse := newRefuser()
	guard := func(access auth.Access, procedure func(*http.Request) string, refuse func(http.ResponseWriter, *http.Request, error), next http.Handler) http.Handler {
		return auth.Middleware(deps.Verifier, func(*http.Request) auth.Access { return access }, refuse)(
			noted(admitted(deps.Limits, procedure, refuse, next)))
	}

	mounted, err := s.handlers(deps.Services)
	if err != nil {
		return nil, err
	}
	for path, handler := range mounted {
		mux.Handle(path, bounded(cfg.MaxBody, refuse.procedure, guard(auth.SignedIn, byPath, refuse.procedure, handler)))
	}
	bindings := Bindings(s.services...)
	rest, err := newRest(bindings, mounted, cfg.MaxBody)
	if err != nil {
		return nil, fmt.Errorf("build REST: %w", err)
	}
	guarded := bounded(cfg.MaxBody, refuse.plain, guard(auth.SignedIn, rest.procedure, refuse.plain, rest))
	mux.Handle(restPrefix+"/", guarded)
	mux.Handle(restPrefix, guarded)

	for _, route := range deps.Routes {
		access := auth.SignedIn
		switch {
		case route.Public:
			access = auth.Public
		case route.QueryToken:
			access = auth.QueryToken
		}
		handler := guard(access, none, refuse.plain, route.Handler)
		if route.CheckOrigin {
			handler = s.sameOrigins(refuse.plain, handler)
		}
		if !route.Unbounded {
			handler = bounded(cfg.MaxBody, refuse.plain, handler)
		}
		mux.Handle(route.Pattern, handler)
	}
	s.mountPublic(mux, deps, bindings)
	s.handler = observed(cfg.Logger, paced(cfg.BodyTime, s.cors(mux)))
	if deps.Caller != nil {
		deps.Caller.bind(s.handler, Methods(s.services...))
	}
	return s, nil
}

// Handler is the server without a listener.
func (s *Server) Handler() http.Handler { return s.handler }

// Services are the mounted services; Methods, Commands and Bindings take them.
func (s *Server) Services() []protoreflect.ServiceDescriptor { return s.services }

// HTTP is a server for an address that speaks HTTP/1.1 and, without TLS,
// HTTP/2. Streams and WebSockets stay open for hours, so there is no write
// timeout; slow headers and idle connections are ended.
func (s *Server) HTTP(address string) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Addr:              address,
		Handler:           s.handler,
		Protocols:         protocols,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
}

// handlers makes the Connect handlers, by path.
func (s *Server) handlers(services []Service) (map[string]http.Handler, error) {
	validator, err := protovalidate.New()
	if err != nil {
		return nil, fmt.Errorf("make validator: %w", err)
	}
	interceptors := []connect.Interceptor{&edge{validator: validator, log: s.cfg.Logger, timeout: s.cfg.Timeout}}
	if s.cfg.Tracing {
		tracing, err := otelconnect.NewInterceptor()
		if err != nil {
			return nil, fmt.Errorf("make tracing: %w", err)
		}
		interceptors = append([]connect.Interceptor{tracing}, interceptors...)
	}
	mounted := map[string]http.Handler{}
	for _, service := range services {
		path, handler := service.New(
			connect.WithInterceptors(interceptors...),
			connect.WithReadMaxBytes(int(s.cfg.MaxBody)),
			connect.WithCompressMinBytes(1<<10),
			unpacking(s.cfg.MaxBody),
		)
		name := protoreflect.FullName(strings.Trim(path, "/"))
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
		desc, ok := found.(protoreflect.ServiceDescriptor)
		if err != nil || !ok {
			return nil, fmt.Errorf("service %s is not in the proto registry: %w", name, err)
		}
		if _, twice := mounted[path]; twice {
			return nil, fmt.Errorf("service %s is mounted twice", name)
		}
		mounted[path] = handler
		s.services = append(s.services, desc)
	}
	return mounted, nil
}

// mountPublic mounts what is served without sign-in.
func (s *Server) mountPublic(mux *http.ServeMux, deps Deps, bindings []*Binding) {
	names := make([]string, 0, len(s.services)+1)
	for _, service := range s.services {
		names = append(names, string(service.FullName()))
	}
	health := &health{checks: deps.Checks, services: names, log: s.cfg.Logger}
	const small = 64 << 10
	limited := connect.WithHandlerOptions(connect.WithReadMaxBytes(small), unpacking(small))
	open := func(path string, handler http.Handler) {
		mux.Handle(path, bounded(small, newRefuser().procedure, handler))
	}
	open(grpchealth.NewHandler(health, limited))
	reflector := grpcreflect.NewStaticReflector(append(names, grpchealth.HealthV1ServiceName)...)
	open(grpcreflect.NewHandlerV1(reflector, limited))
	open(grpcreflect.NewHandlerV1Alpha(reflector, limited))
	mux.HandleFunc("GET /healthz", health.alive)
	mux.HandleFunc("GET /readyz", health.ready)
	mux.Handle("GET /openapi.yaml", openAPIHandler(bindings))
	mux.Handle("GET /schemas/", schemasHandler())
	if deps.Metrics != nil {
		mux.Handle("GET /metrics", deps.Metrics)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, ErrNoRoute.New(r.Method, r.URL.Path))
	})
}

// cors lets browsers of the allowed origins in. Tokens come in a header, never
// in a cookie, so no credentials are allowed.
func (s *Server) cors(next http.Handler) http.Handler {
	if len(s.cfg.AllowedOrigins) == 0 {
		return next
	}
	return s.origins().Handler(next)
}

func (s *Server) origins() *cors.Cors {
	return cors.New(cors.Options{
		AllowedOrigins: s.cfg.AllowedOrigins,
		AllowedMethods: append(connectcors.AllowedMethods(), http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete),
		AllowedHeaders: append(connectcors.AllowedHeaders(), "Authorization", "Accept-Language", KeyHeader, RequestIDHeader),
		ExposedHeaders: append(connectcors.ExposedHeaders(), RequestIDHeader, ReplayedHeader, "Location", "Retry-After"),
		MaxAge:         7200,
	})
}

// sameOrigins refuses pages of origins that neither CORS allows nor this server
// is the host of. Who is no browser sends no origin.
func (s *Server) sameOrigins(refuse func(http.ResponseWriter, *http.Request, error), next http.Handler) http.Handler {
	rule := s.origins()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" || len(s.cfg.AllowedOrigins) > 0 && rule.OriginAllowed(r) {
			next.ServeHTTP(w, r)
			return
		}
		if page, err := url.Parse(origin); err == nil && page.Host != "" && strings.EqualFold(page.Host, r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		refuse(w, r, errs.Forbidden.New(errs.Say("this origin is not among server.origins", "este origen no está en server.origins")))
	})
}
