package pluginproto

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// defaultDeadline bounds a call whose host set none.
const defaultDeadline = 2 * time.Minute

// Service is what a plugin's process serves.
type Service struct {
	// Kind is KindValidator or KindLLM.
	Kind string
	// Name and Version of the plugin, for the text that people see who start it
	// by hand.
	Name, Version string
	// Does finishes the sentence "It …": "judges python".
	Does string
	// Versions registers the service on a server, by protocol version.
	Versions map[int]func(*grpc.Server)
}

// Serve serves until the host ends the process. It does not return.
func Serve(s Service) {
	if code, ok := refuse(s, os.Stderr); ok {
		os.Exit(code)
	}
	protect()
	watchHost(os.Getenv(EnvHostPID))
	sets := make(map[int]plugin.PluginSet, len(s.Versions))
	for v, register := range s.Versions {
		sets[v] = plugin.PluginSet{s.Kind: &adapter{register: register}}
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  Handshake(),
		VersionedPlugins: sets,
		GRPCServer:       NewServer,
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard}),
	})
	os.Exit(0)
}

// refuse explains itself to whoever started the plugin without being a host of
// its kind.
func refuse(s Service, w io.Writer) (code int, refused bool) {
	if os.Getenv(CookieKey) != CookieValue {
		_, _ = fmt.Fprintf(w, `%s %s is a %s plugin of Goals Tracker. It %s.
The tracker starts it; by itself it does nothing.

  try it       tracker plugin check %s
  install it   tracker plugin install %s
`, s.Name, s.Version, s.Kind, s.Does, os.Args[0], os.Args[0])
		return 2, true
	}
	if kind := os.Getenv(EnvKind); kind != "" && kind != s.Kind {
		_, _ = fmt.Fprintf(w, "%s is a %s plugin, but the tracker is configured to use it as a %s plugin: change its kind in the configuration\n", s.Name, s.Kind, kind)
		return 3, true
	}
	return 0, false
}

// NewServer makes the gRPC server of a plugin: bounded messages, a deadline on
// every unary call, and panics turned into errors.
func NewServer(opts []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(opts,
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxSendMsgSize(MaxMessage),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(unary),
		grpc.ChainStreamInterceptor(stream),
	)...)
}

// unary answers at the deadline even when the handler does not look at it.
func unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, defaultDeadline)
		defer cancel()
	}
	type answer struct {
		resp any
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: panicked(info.FullMethod, p)}
			}
			done <- a
		}()
		a.resp, a.err = handler(ctx, req)
	}()
	select {
	case a := <-done:
		return a.resp, a.err
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

func stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(info.FullMethod, p)
		}
	}()
	return handler(srv, ss)
}

func panicked(method string, p any) error {
	fmt.Fprintf(os.Stderr, "panic in %s: %v\n%s\n", method, p, debug.Stack())
	return status.Errorf(codes.Internal, "the plugin panicked: %v", p)
}

// watchHost ends the process soon after its host is gone, however it went.
func watchHost(hostPID string) {
	host, err := strconv.Atoi(hostPID)
	if err != nil {
		host = os.Getppid()
	}
	go func() {
		for os.Getppid() == host {
			time.Sleep(500 * time.Millisecond) //nolint:forbidigo // for as long as the process lives
		}
		os.Exit(0)
	}()
}
