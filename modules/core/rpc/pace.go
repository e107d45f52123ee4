package rpc

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"
)

// paced gives the body of each request a time to arrive in, also where nobody
// reads it: without, who sends a length and then nothing holds a connection for
// ever, signed in or not.
func paced(limit time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			clock := http.NewResponseController(w)
			// In process there is no connection, and nothing to wait for.
			if clock.SetReadDeadline(time.Now().Add(limit)) == nil {
				r.Body = &pacedBody{ReadCloser: r.Body, clock: clock, limit: limit}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// pacedBody lifts the deadline when all has come: what the request asks for may
// take longer.
type pacedBody struct {
	io.ReadCloser
	clock *http.ResponseController
	limit time.Duration
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		_ = b.clock.SetReadDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = toConnect(ErrTooSlow.New(b.limit).Because(err), "en")
	}
	return n, err
}

// unpacker is gzip that gives no more than a request may have. Connect's own
// unpacks all of it to tell how much too long it was.
type unpacker struct {
	gzip.Reader
	limit, given int64
}

// unpacking has a service take requests in gzip, up to a limit.
func unpacking(limit int64) connect.HandlerOption {
	return connect.WithCompression("gzip",
		func() connect.Decompressor { return &unpacker{limit: limit} },
		func() connect.Compressor { return gzip.NewWriter(io.Discard) })
}

// Reset implements connect.Decompressor.
func (u *unpacker) Reset(r io.Reader) error {
	u.given = 0
	return u.Reader.Reset(r)
}

// Read implements connect.Decompressor.
func (u *unpacker) Read(p []byte) (int, error) {
	if int64(len(p)) > u.limit-u.given {
		p = p[:max(1, u.limit-u.given)] // one more shows that there is more
	}
	n, err := u.Reader.Read(p)
	if u.given += int64(n); u.given > u.limit {
		return 0, toConnect(ErrTooLarge.New(u.limit), "en")
	}
	return n, err
}
