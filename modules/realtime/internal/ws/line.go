package ws

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Buffers of the WebSocket library: frames' headers and control frames. Long
// messages are read past the one, and events are written past the other.
const (
	readBuffer  = 256
	writeBuffer = 256
)

// lingerFor is how long a client may go on sending what is not read any more.
const lingerFor = time.Second

// line is the connection under a WebSocket. The library reads from it and
// answers control frames; messages are written straight to it, as frames that
// were made once for all clients. Every write is a number of whole frames.
type line struct {
	net.Conn
	timeout time.Duration
	// early is what net/http had read beyond the request.
	early []byte
	// mu is held for one write.
	mu sync.Mutex
}

// Read implements net.Conn.
func (l *line) Read(p []byte) (int, error) {
	if len(l.early) == 0 {
		l.early = nil
		return l.Conn.Read(p)
	}
	n := copy(p, l.early)
	l.early = l.early[n:]
	return n, nil
}

// Write implements net.Conn. A client that does not take it in time loses the
// connection.
func (l *line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

// send writes frames, in one system call where the system can.
func (l *line) send(frames net.Buffers) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return err
	}
	_, err := frames.WriteTo(l.Conn)
	return err
}

// linger lets the client read what was sent last: a connection that is closed
// with unread input is reset, and loses it.
func (l *line) linger() {
	if half, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = l.SetReadDeadline(time.Now().Add(lingerFor))
	_, _ = io.Copy(io.Discard, io.LimitReader(l.Conn, 64<<20))
}

// slim hands the library the line with small buffers, so that those of
// net/http, 8 KiB a connection, can go.
type slim struct {
	http.ResponseWriter
	timeout time.Duration
	line    *line
}

// Hijack implements http.Hijacker.
func (s *slim) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	s.line = &line{Conn: conn, timeout: s.timeout}
	if n := buffered.Reader.Buffered(); n > 0 {
		early, err := buffered.Peek(n)
		if err != nil {
			return nil, nil, err
		}
		s.line.early = append([]byte(nil), early...)
	}
	return s.line, bufio.NewReadWriter(bufio.NewReaderSize(s.line, readBuffer), bufio.NewWriterSize(s.line, writeBuffer)), nil
}
