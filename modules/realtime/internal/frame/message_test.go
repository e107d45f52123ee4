package frame_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/realtime/internal/frame"
)

func TestAFrameIsReadByAnyWebSocketClientWhateverItsLength(t *testing.T) {
	lengths := []int{0, 1, 20, 60, 100, 200, 65_300, 65_535, 65_600, 200_000}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		conn, err := websocket.Accept(hijacked{w, lengths}, r, nil)
		if err == nil {
			_, _, _ = conn.Read(context.Background())
			_ = conn.CloseNow()
		}
	}))
	t.Cleanup(server.Close)
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(1 << 20)
	for _, n := range lengths {
		_, data, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var m frame.Message
		var text string
		if json.Unmarshal(data, &m) != nil || json.Unmarshal(m.Payload, &text) != nil || len(text) != n || m.Seq != int64(n) {
			t.Errorf("length %d arrived as %d bytes: %.80s", n, len(data), data)
		}
	}
}

func TestAPayloadThatIsNoJSONIsStillAnnounced(t *testing.T) {
	bytes := frame.Message{Type: "goal.created", Payload: json.RawMessage("{"), Seq: 7, Timestamp: time.Unix(0, 0).UTC()}.Bytes()
	var m frame.Message
	if err := json.Unmarshal(bytes[2:], &m); err != nil || m.Seq != 7 || string(m.Payload) != "null" {
		t.Errorf("got %s, %v", bytes, err)
	}
	if m := frame.New("x", "", func() {}); string(m.Payload) != "null" {
		t.Errorf("got %s", m.Payload)
	}
	if m := frame.New("x", "", json.RawMessage(nil)); string(m.Payload) != "{}" {
		t.Errorf("got %s", m.Payload)
	}
}
