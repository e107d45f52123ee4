package pluginproto

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func TestAPluginStartedByHandSaysWhatItIsAndWhatToDo(t *testing.T) {
	t.Setenv(CookieKey, "")
	var out bytes.Buffer
	code, refused := refuse(Service{Kind: KindValidator, Name: "validator-x", Version: "1.2.3", Does: "judges x"}, &out)
	if !refused || code == 0 {
		t.Error("it must not serve")
	}
	for _, want := range []string{"validator-x 1.2.3", "validator plugin of Goals Tracker", "It judges x", "tracker plugin check"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in %q", want, out.String())
		}
	}
}

func TestAPluginOfAnotherKindSaysSo(t *testing.T) {
	t.Setenv(CookieKey, CookieValue)
	t.Setenv(EnvKind, KindLLM)
	var out bytes.Buffer
	if _, refused := refuse(Service{Kind: KindValidator, Name: "v"}, &out); !refused || !strings.Contains(out.String(), "change its kind") {
		t.Errorf("%q", out.String())
	}
	t.Setenv(EnvKind, KindValidator)
	if _, refused := refuse(Service{Kind: KindValidator, Name: "v"}, &out); refused {
		t.Error("its own kind must be served")
	}
}

// bad is a service that panics or hangs.
type bad struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (bad) Check(_ context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	switch r.Service {
	case "panic":
		panic("oh no")
	case "hang":
		time.Sleep(5 * time.Second)
	}
	return &grpc_health_v1.HealthCheckResponse{}, nil
}

func (bad) Watch(*grpc_health_v1.HealthCheckRequest, grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	panic("in a stream")
}

func TestPanicsAndHandlersThatIgnoreTheDeadlineAreErrors(t *testing.T) {
	conn, stop, err := InProcess(func(s *grpc.Server) { grpc_health_v1.RegisterHealthServer(s, bad{}) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	client := grpc_health_v1.NewHealthClient(conn)
	if _, err := client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "panic"}); status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "oh no") {
		t.Error(err)
	}
	stream, err := client.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Internal {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "hang"}); status.Code(err) != codes.DeadlineExceeded || time.Since(began) > 2*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	if _, err := client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
		t.Errorf("it must serve on: %v", err)
	}
}

func TestMessagesOverTheBoundAreRefusedOnBothSides(t *testing.T) {
	conn, stop, err := InProcess(func(s *grpc.Server) { grpc_health_v1.RegisterHealthServer(s, bad{}) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	_, err = grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: strings.Repeat("x", MaxMessage+1)})
	if status.Code(err) != codes.ResourceExhausted {
		t.Error(status.Code(err))
	}
}
