package ws_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// raw is a client that keeps to no rule.
func raw(t testing.TB, r *replica, user string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nAuthorization: Bearer %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(key), token(t, user, time.Hour))
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil) //nolint:bodyclose // a WebSocket's goes on
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: %v, %v", response, err)
	}
	return conn, reader
}

// masked is a client's frame.
func masked(first byte, payload string) []byte {
	var length []byte
	switch n := len(payload); {
	case n < 126:
		length = []byte{0x80 | byte(n)}
	case n < 1<<16:
		length = []byte{0x80 | 126, byte(n >> 8), byte(n)}
	default:
		length = []byte{0x80 | 127, 0, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	return append(append(append([]byte{first}, length...), 0, 0, 0, 0), payload...) // a mask of zeros
}

func TestMessagesThatBreakTheRulesEndOnlyTheirConnection(t *testing.T) {
	r := start(t, postgrestest.DB(t), func(o *options) { o.MaxMessage = 64 << 10 })
	good := dial(t, r, "/ws", "bob", time.Hour)
	for name, test := range map[string]struct {
		kind websocket.MessageType
		data string
		code websocket.StatusCode // 0: refused, and the connection goes on
	}{
		"too long":         {websocket.MessageText, `{"type":"ping","payload":"` + strings.Repeat("x", 70<<10) + `"}`, websocket.StatusMessageTooBig},
		"invalid UTF-8":    {websocket.MessageText, "{\"type\":\"ping\",\"correlation_id\":\"\xff\"}", websocket.StatusInvalidFramePayloadData},
		"binary":           {websocket.MessageBinary, `{"type":"ping"}`, 0},
		"no JSON":          {websocket.MessageText, "hello", 0},
		"no object":        {websocket.MessageText, `[1]`, 0},
		"no type":          {websocket.MessageText, `{"payload":{}}`, 0},
		"empty":            {websocket.MessageText, ``, 0},
		"deep":             {websocket.MessageText, `{"type":"goal.create","payload":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, 0},
		"deep, not closed": {websocket.MessageText, `{"type":"goal.create","payload":` + strings.Repeat(`{"a":`, 10000), 0},
		"deep metadata":    {websocket.MessageText, `{"type":"goal.create","payload":{"title":"x","metadata":` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000) + `}}`, 0},
		"a long name":      {websocket.MessageText, `{"type":"` + strings.Repeat("x", 5000) + `"}`, 0},
		"a long id":        {websocket.MessageText, `{"type":"ping","correlation_id":"` + strings.Repeat("x", 5000) + `"}`, 0},
		"a NUL":            {websocket.MessageText, `{"type":"goal.create","payload":{"title":"a\u0000b"}}`, 0},
		"types mixed up":   {websocket.MessageText, `{"type":"goal.create","payload":"text"}`, 0},
	} {
		c := dial(t, r, "/ws", "ada", time.Hour)
		c.next("hello")
		if err := c.conn.Write(t.Context(), test.kind, []byte(test.data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if test.code != 0 {
			if end := c.closed(); end.Code != test.code {
				t.Errorf("%s: closed with %v, want %d", name, end, test.code)
			}
			continue
		}
		if m := c.next("error"); m.field("code") != "invalid_argument" {
			t.Errorf("%s: got %s", name, m.Payload)
		}
		c.send("ping", "p", nil)
		c.next("pong")
		_ = c.conn.CloseNow()
	}
	good.send("ping", "p", nil)
	good.next("pong")
}

func TestTenThousandCommandsAtOnceHoldUpNobody(t *testing.T) {
	r := start(t, postgrestest.DB(t), func(o *options) { o.Rate, o.Burst, o.Queue = 20_000, 200, 20_000 }) // as its own events are many, too
	flood := dial(t, r, "/ws", "ada", time.Hour)
	bob := dial(t, r, "/ws", "bob", time.Hour)
	sent := make(chan error, 1)
	go func() {
		for i := range 10_000 {
			text := fmt.Sprintf(`{"type":"goal.create","correlation_id":"%s","payload":{"title":"%d"}}`, uuid.NewString(), i)
			if err := flood.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	answers, bobs := 0, 0
	for answers < 10_000 {
		m, err := flood.read()
		if err != nil {
			t.Fatalf("after %d answers: %v", answers, err)
		}
		switch {
		case m.Type == "goal.create.ok":
			answers++
		case m.Type == "error" && m.field("reason") == "too_many_commands":
			answers++ // bounded: it is told so, and may send it again
		case m.Type == "error":
			t.Fatalf("got %s", m.Payload)
		}
		if answers%2000 == 1000 && bobs < answers/2000+1 {
			bob.create("meanwhile")
			bobs++
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if bobs < 5 {
		t.Errorf("bob was answered %d times", bobs)
	}
}

func TestAClientThatReadsNoRepliesIsClosed(t *testing.T) {
	t.Parallel()
	r := start(t, postgrestest.DB(t), func(o *options) { o.Rate, o.Burst, o.WriteTimeout = 1e6, 1e6, time.Second })
	conn, _ := raw(t, r, "ada")
	ping := masked(0x81, `{"type":"ping","payload":"`+strings.Repeat("x", 30000)+`"}`)
	for {
		if _, err := conn.Write(ping); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal("it is still connected")
			}
			return
		}
	}
}

func TestAClientThatVanishedIsNoticed(t *testing.T) {
	t.Parallel()
	r := start(t, postgrestest.DB(t), func(o *options) { o.Heartbeat = 300 * time.Millisecond })
	_, reader := raw(t, r, "ada") // answers no ping
	answers := dial(t, r, "/ws", "ada", time.Hour)
	go func() { // its library answers pings while it reads
		for {
			if _, err := answers.read(); err != nil {
				return
			}
		}
	}()
	got, err := io.ReadAll(reader)
	if err != nil || !strings.Contains(string(got), "hello") || !strings.Contains(string(got), "\x89\x00") {
		t.Errorf("it got %q, %v; want hello, pings and the end", got, err)
	}
	answers.send("ping", "p", nil)
}

// Whatever bytes a client sends: the server goes on, and nothing of the client
// is left behind.
func FuzzAnyBytesOfAClientHarmNobody(f *testing.F) {
	for _, seed := range [][]byte{
		nil, {0x81}, {0x81, 0x80}, masked(0x81, `{"type":"ping"}`), masked(0x01, `{"type":`), masked(0x82, "\x00"),
		append(masked(0x01, `{"type":`), masked(0x80, `"ping"}`)...), masked(0x89, "ping"), masked(0x8a, "pong"),
		masked(0x88, "\x03\xe8"), masked(0x88, "\x00"), masked(0x88, "\x03\xe8\xff"), masked(0xf1, "reserved bits"), masked(0x83, "opcode"),
		masked(0x09, "a fragmented ping"), masked(0x80, "continues nothing"), {0x81, 0x05, 'n', 'o', 'm', 's', 'k'},
		{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4},
		masked(0x81, `{"type":"resume","payload":{"after_seq":9223372036854775807}}`), masked(0x81, `{"type":"resume","payload":{"after_seq":1e400}}`),
		masked(0x81, `{"type":"auth","payload":{"token":"`+strings.Repeat("a", 10000)+`"}}`),
	} {
		f.Add(seed)
	}
	r := start(f, postgrestest.DB(f), nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := runtime.NumGoroutine()
		conn, reader := raw(t, r, "ada")
		_, _ = conn.Write(data)
		_ = conn.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, reader); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Fatalf("the server did not end it: %v", err)
		}
		good := dial(t, r, "/ws", "bob", time.Hour)
		good.send("ping", "p", nil)
		good.next("pong")
		_ = good.conn.Close(websocket.StatusNormalClosure, "")
		for wait := 0; runtime.NumGoroutine() > before+10; wait++ {
			if wait > 1000 {
				t.Fatalf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}
