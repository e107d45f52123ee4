package pluginproto

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// InProcess serves a plugin's service in this process, over real gRPC with the
// same limits and interceptors as Serve. It is for tests. stop ends both sides.
func InProcess(register func(*grpc.Server)) (conn *grpc.ClientConn, stop func(), err error) {
	listener := bufconn.Listen(1 << 20)
	server := NewServer(nil)
	register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err = grpc.NewClient("passthrough:///in-process",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
	)
	if err != nil {
		server.Stop()
		return nil, nil, errors.Join(err, <-served)
	}
	return conn, func() {
		_ = conn.Close()
		server.Stop()
		<-served
	}, nil
}
