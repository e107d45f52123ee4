package bench

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// toSockets is a question to the process that holds the clients' sockets.
type toSockets struct {
	// Open opens connections and reads on: PerUser of each user at each address.
	// Those of Stalled users are never read from.
	Open           []string
	Secret         string
	Users, Stalled int
	PerUser        int
	// Collect gives the arrivals so far, and forgets them.
	Collect bool
	// Close ends all connections.
	Close bool
}

type fromSockets struct {
	Opened int
	// Held is how many connections are open, and answered as they should so far.
	Held     int
	Arrivals []arrival
}

// arrival is an event at a client.
type arrival struct {
	Goal string
	// At and Began are Unix nanoseconds: of the arrival, and of the event.
	At, Began int64
}

// sockets are raw clients: small, so that ten thousand fit, and quick.
type sockets struct {
	mu       sync.Mutex
	arrivals []arrival
	failed   error
	conns    []net.Conn
	held     atomic.Int64
	closing  atomic.Bool
}

// socketsMain is the clients' process, until there are no more questions.
func socketsMain(ctx context.Context, in io.Reader, out io.Writer) error {
	var s sockets
	defer s.close()
	return serveChild(in, out, func(q toSockets) (a fromSockets, err error) {
		switch {
		case q.Close:
			s.close()
		case q.Collect:
			a.Arrivals, err = s.collect()
		default:
			a.Opened, err = s.open(ctx, q)
		}
		a.Held = int(s.held.Load())
		return a, err
	})
}

func userName(i int) string    { return fmt.Sprintf("watcher-%d", i) }
func stalledName(i int) string { return fmt.Sprintf("stalled-%d", i) }

// openAtOnce bounds how many connections are being made at a time.
const openAtOnce = 32

func (s *sockets) open(ctx context.Context, q toSockets) (opened int, err error) {
	s.closing.Store(false)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(openAtOnce)
	add := func(user string, stalled bool) error {
		signed, err := tokenOf(q.Secret, user)
		if err != nil {
			return err
		}
		for _, address := range q.Open {
			for range q.PerUser {
				opened++
				source := opened % 8
				group.Go(func() error { return s.connect(ctx, address, signed, source, stalled) })
			}
		}
		return nil
	}
	for i := range q.Users {
		if err := add(userName(i), false); err != nil {
			return 0, err
		}
	}
	for i := range q.Stalled {
		if err := add(stalledName(i), true); err != nil {
			return 0, err
		}
	}
	return opened, group.Wait()
}

// narrow makes the system buffer little for a connection: by default it takes
// megabytes before a writer notices that nobody reads.
func narrow(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10),
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536))
	})
	return errors.Join(err, failed)
}

// connect makes a WebSocket, from one of several addresses of this machine, so
// that its ports suffice, and reads from it.
func (s *sockets) connect(ctx context.Context, address, token string, source int, stalled bool) error {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+source))}, Timeout: 30 * time.Second}
	if stalled {
		dialer.Control = narrow
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("connect a WebSocket: %w", err)
	}
	s.mu.Lock()
	s.conns = append(s.conns, conn)
	s.mu.Unlock()
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer %s\r\n\r\n", address, token)
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	reader := bufio.NewReaderSize(conn, 1<<10)
	answer, err := http.ReadResponse(reader, nil) //nolint:bodyclose // a WebSocket's goes on
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		_ = conn.Close()
		return fmt.Errorf("open a WebSocket: %w (%v)", err, answer)
	}
	_ = conn.SetReadDeadline(time.Time{})
	// No resume comes: live events begin.
	if _, err := conn.Write(clientFrame(0x81, `{"type":"ping"}`)); err != nil {
		return fmt.Errorf("open a WebSocket: %w", err)
	}
	if stalled {
		return nil
	}
	s.held.Add(1)
	go s.read(conn, reader)
	return nil
}

// read takes frames until the connection ends.
func (s *sockets) read(conn net.Conn, reader *bufio.Reader) {
	err := func() error {
		last := int64(0)
		for {
			first, payload, err := serverFrame(reader)
			if err != nil {
				return err
			}
			switch first {
			case 0x89: // ping
				if _, err := conn.Write(clientFrame(0x8a, string(payload))); err != nil {
					return err
				}
			case 0x88:
				return fmt.Errorf("the server closed a connection: %.100q", payload)
			case 0x81:
				if last, err = s.take(payload, last); err != nil {
					return err
				}
			}
		}
	}()
	s.held.Add(-1)
	if !s.closing.Load() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failed = errors.Join(s.failed, err)
	}
}

// take notes an event, which must be newer than the last.
func (s *sockets) take(payload []byte, last int64) (int64, error) {
	at := time.Now().UnixNano()
	if !strings.HasPrefix(string(payload[:min(len(payload), 30)]), `{"type":"goal.created"`) {
		return last, nil
	}
	var m struct {
		Payload struct {
			GoalID string `json:"goal_id"`
		} `json:"payload"`
		Timestamp time.Time `json:"timestamp"`
		Seq       int64     `json:"seq"`
	}
	if err := json.Unmarshal(payload, &m); err != nil {
		return last, fmt.Errorf("read event: %w", err)
	}
	if m.Seq <= last {
		return last, fmt.Errorf("event %d came after %d", m.Seq, last)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrivals = append(s.arrivals, arrival{Goal: m.Payload.GoalID, At: at, Began: m.Timestamp.UnixNano()})
	return m.Seq, nil
}

func (s *sockets) collect() ([]arrival, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	arrivals := s.arrivals
	s.arrivals = nil
	return arrivals, s.failed
}

func (s *sockets) close() {
	s.closing.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		_ = conn.Close()
	}
	s.conns, s.arrivals = nil, nil
}

// clientFrame is a short frame under a mask of zeros.
func clientFrame(first byte, payload string) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

// serverFrame reads a whole frame.
func serverFrame(reader *bufio.Reader) (first byte, payload []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(reader, head[:2]); err != nil {
		return 0, nil, err
	}
	first = head[0]
	length := uint64(head[1])
	switch length {
	case 126:
		_, err = io.ReadFull(reader, head[:2])
		length = uint64(binary.BigEndian.Uint16(head[:2]))
	case 127:
		_, err = io.ReadFull(reader, head[:8])
		length = binary.BigEndian.Uint64(head[:8])
	}
	if err != nil || length > 1<<24 {
		return 0, nil, fmt.Errorf("read a frame of %d bytes: %w", length, err)
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(reader, payload)
	return first, payload, err
}
