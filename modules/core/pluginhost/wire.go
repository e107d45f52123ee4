package pluginhost

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/hashicorp/go-plugin"
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

// drainStdio reads what Go plugins write to os.Stdout and os.Stderr once they
// serve: go-plugin sends it over gRPC, and blocks them when nobody reads.
// Stdout is dropped, stderr treated like the process's own. It ends with the
// connection.
func drainStdio(ctx context.Context, conn *grpc.ClientConn, said *tail) {
	stream, err := conn.NewStream(context.WithoutCancel(ctx), &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err != nil {
		return
	}
	if stream.SendMsg(&emptypb.Empty{}) != nil || stream.CloseSend() != nil {
		return
	}
	pipe := newLineFeed(said)
	defer pipe.close()
	for {
		var msg emptypb.Empty // the real type is private to go-plugin
		if stream.RecvMsg(&msg) != nil {
			return
		}
		if channel, data := stdioData(msg.ProtoReflect().GetUnknown()); channel == 2 {
			pipe.write(data)
		}
	}
}

// stdioData reads plugin.StdioData: 1 is the channel (2 is stderr), 2 the data.
func stdioData(b []byte) (channel uint64, data []byte) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0, nil
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.VarintType:
			channel, n = protowire.ConsumeVarint(b)
		case num == 2 && typ == protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return 0, nil
		}
		b = b[n:]
	}
	return channel, data
}
