package frame_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"strings"

	"github.com/goals-tracker/tracker/modules/realtime/internal/frame"
)

// hijacked writes frames of payloads of these lengths as soon as the connection
// is a WebSocket.
type hijacked struct {
	http.ResponseWriter
	lengths []int
}

// Hijack implements http.Hijacker.
func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	go func() {
		for _, n := range h.lengths {
			body, _ := json.Marshal(strings.Repeat("x", n)) //nolint:errchkjson // a text
			_, _ = conn.Write(append(frame.Message{Type: "t", Payload: body, Seq: int64(n)}.Bytes(), frame.Ping()...))
		}
	}()
	return conn, buffered, nil
}
