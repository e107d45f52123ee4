package pluginproto

import (
	"context"
	"crypto/tls"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Dial connects a host to a plugin's unix socket. Without the plugin's
// certificate in tlsConfig (not all languages' gRPC speaks mTLS) it relies on
// the socket's folder, which is closed to other users.
//
// It is used instead of go-plugin's own client, whose broker lets a plugin make
// the host hold as many goroutines as it likes.
func Dial(socket string, tlsConfig *tls.Config) (*grpc.ClientConn, error) {
	creds := insecure.NewCredentials()
	if tlsConfig != nil && tlsConfig.RootCAs != nil {
		creds = credentials.NewTLS(tlsConfig)
	}
	return grpc.NewClient("passthrough:///localhost",
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithMaxHeaderListSize(64<<10),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithNoProxy(),
		grpc.WithIdleTimeout(0),
	)
}
