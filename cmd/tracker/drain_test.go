package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// slowUpload begins to make a goal and keeps the rest of the request back.
func slowUpload(me caller) (finish func() (status int, err error)) {
	me.t.Helper()
	address := strings.TrimPrefix(me.url, "http://")
	conn, err := new(net.Dialer).DialContext(me.t.Context(), "tcp", address)
	if err != nil {
		me.t.Fatal(err)
	}
	me.t.Cleanup(func() { _ = conn.Close() })
	body := `{"title":"sent while the server stops"}`
	fmt.Fprintf(conn, "POST /api/v1/goals HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		address, me.token, len(body), body[:10])
	return func() (int, error) {
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(conn, body[10:]); err != nil {
			return 0, err
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return 0, err
		}
		return answer.StatusCode, answer.Body.Close()
	}
}

// stoppedStream opens Watch and says how it ends.
func stoppedStream(me caller) (ended <-chan error) {
	me.t.Helper()
	stream := watchStream(me.t, me)
	if !stream.Receive() || stream.Msg().GetHello() == nil {
		me.t.Fatalf("the stream begins with %v, %v", stream.Msg(), stream.Err())
	}
	out := make(chan error, 1)
	go func() {
		for stream.Receive() {
		}
		out <- stream.Err()
	}()
	return out
}

// screen is an open WebSocket; what comes is read all the time, as browsers do.
func screen(me caller) (send func(string) error, ended <-chan error, seen <-chan string) {
	me.t.Helper()
	conn, _, err := websocket.Dial(me.t.Context(), strings.Replace(me.url, "http", "ws", 1)+"/ws?token="+me.token, nil)
	if err != nil {
		me.t.Fatal(err)
	}
	me.t.Cleanup(func() { _ = conn.CloseNow() })
	out, types := make(chan error, 1), make(chan string, 1000)
	go func() {
		for {
			_, data, err := conn.Read(context.WithoutCancel(me.t.Context()))
			if err != nil {
				out <- err
				return
			}
			var push struct {
				Type string `json:"type"`
			}
			_ = json.Unmarshal(data, &push)
			types <- push.Type
		}
	}()
	return func(text string) error { return conn.Write(me.t.Context(), websocket.MessageText, []byte(text)) }, out, types
}

func awaitType(t *testing.T, seen <-chan string, kind string) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case got := <-seen:
			if got == kind {
				return
			}
		case <-late:
			t.Fatalf("%s did not come", kind)
		}
	}
}

// A rolling restart as a learner meets it: the replica says first that it is not
// ready, answers on for the balancers' sake, then sends everybody elsewhere, and
// what it had begun is done once.
func TestAReplicaThatIsToldToStopSendsScreensElsewhereAndEndsWhatItBegan(t *testing.T) {
	database := postgrestest.URL(t)
	p := startProcess(t, "DATABASE_URL="+database, "TRACKER_SERVER_DRAIN_DELAY=1500ms", "TRACKER_SERVER_GRACE=5s", "TRACKER_JOBS_GRACE=20s")
	me := p.as("ada")
	send, closed, seen := screen(me)
	stream := stoppedStream(me)
	task := codeTask(me, "while it stops")
	finish := slowUpload(me)
	submit(me, task, slow)
	awaitType(t, seen, "validation.started")

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, 20*time.Second, func() (any, bool) {
		r, err := me.try(http.MethodGet, "/readyz", nil)
		return string(r.body), err == nil && r.status == http.StatusServiceUnavailable
	})
	if err := send(`{"type":"ping"}`); err != nil {
		t.Errorf("the screen did not outlive readiness: %v", err)
	}
	awaitType(t, seen, "pong")

	var end websocket.CloseError
	if err := <-closed; !errors.As(err, &end) || end.Code != websocket.StatusServiceRestart || !strings.HasPrefix(end.Reason, "retry_after_ms=") {
		t.Errorf("the screen ended with %v", err)
	}
	var refused *connect.Error
	if err := <-stream; connect.CodeOf(err) != connect.CodeUnavailable || !errors.As(err, &refused) || refused.Meta().Get("Retry-After") == "" {
		t.Errorf("the stream ended with %v", err)
	}
	// Nobody new is let in, but whoever was being answered is.
	if status, err := finish(); err != nil || status != http.StatusCreated {
		t.Errorf("an upload that had begun was answered with %d, %v", status, err)
	}
	select {
	case <-p.exited:
	case <-time.After(60 * time.Second):
		t.Fatal("it did not stop within a minute")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var verdicts string
	if err := conn.QueryRow(t.Context(), "SELECT string_agg(data->>'verdict', ',') FROM events.events WHERE type = 'validation.completed'").Scan(&verdicts); err != nil || verdicts != "passed" {
		t.Errorf("the verdicts are %q, %v; want the one that was being made", verdicts, err)
	}
}

func TestWhoeverSaysItTwiceWaitsForNothing(t *testing.T) {
	p := startProcess(t, "DATABASE_URL="+postgrestest.URL(t), "TRACKER_SERVER_DRAIN_DELAY=10m")
	for range 2 {
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		until(t, 20*time.Second, func() (any, bool) {
			select {
			case <-p.exited:
				return "gone", true
			default:
			}
			r, err := p.as("ada").try(http.MethodGet, "/readyz", nil)
			return string(r.body), err != nil || r.status == http.StatusServiceUnavailable
		})
	}
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		p.kill() // it would wait for ten minutes
		t.Fatal("the second signal did not end it")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}
