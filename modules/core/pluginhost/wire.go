package pluginhost

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/hashicorp/go-plugin"

	"github.com/goals-tracker/tracker/sdk/pluginproto"
)

func tooLarge(err error) bool {
	return status.Code(err) == codes.ResourceExhausted && strings.Contains(err.Error(), "larger than max")
}

// healthy asks go-plugin's health service. A plugin without one is taken as
// healthy as long as it answers at all.
func (i *instance) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	_, err := grpc_health_v1.NewHealthClient(i.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
	if code := status.Code(err); code == codes.Unimplemented || code == codes.NotFound {
		return nil
	}
	return err
}

// drainStdio reads what the plugin writes through go-plugin: stdout is dropped,
// stderr treated like the process's own. It ends with the connection.
func drainStdio(ctx context.Context, conn *grpc.ClientConn, said *tail) {
	pipe := newLineFeed(said)
	defer pipe.close()
	pluginproto.ReadStdio(ctx, conn, func(stderr bool, data []byte) {
		if stderr {
			pipe.write(data)
		}
	})
}
