package pluginproto

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

// ReadStdio reads what a Go plugin writes to os.Stdout and os.Stderr once it
// serves, until the connection ends: go-plugin sends it over gRPC, and blocks
// the plugin when nobody reads. Other plugins have no such service.
func ReadStdio(ctx context.Context, conn *grpc.ClientConn, write func(stderr bool, data []byte)) {
	stream, err := conn.NewStream(context.WithoutCancel(ctx), &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err != nil {
		return
	}
	if stream.SendMsg(&emptypb.Empty{}) != nil || stream.CloseSend() != nil {
		return
	}
	for {
		var msg emptypb.Empty // the real type is private to go-plugin
		if stream.RecvMsg(&msg) != nil {
			return
		}
		channel, data := stdioData(msg.ProtoReflect().GetUnknown())
		write(channel == 2, data)
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
