package rpc_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/core/rpc"
	realtimev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1/realtimev1connect"
)

// bomb is so many bytes of nothing, packed.
func bomb(t *testing.T, size int64) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range size >> 20 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// What a request unpacks to beyond its limit is never unpacked: the refusal can't
// tell how much it would have been.
func TestABodyThatUnpacksToMoreThanTheLimitIsNotUnpacked(t *testing.T) {
	b := setup(t)
	const size = 256 << 20
	packed := bomb(t, size)
	for _, path := range []string{"/tracker.goals.v1.GoalsService/CreateGoal", "/api/v1/goals", "/grpc.health.v1.Health/Check"} {
		for _, kind := range []string{"application/json", "application/proto"} {
			r := b.do(http.MethodPost, path, packed, "Content-Encoding: gzip", "Content-Type: "+kind)
			if r.status == http.StatusOK || r.status >= 500 {
				t.Errorf("%s as %s: %d %s", path, kind, r.status, r.body)
			}
			if strings.Contains(r.body, fmt.Sprint(size)) {
				t.Errorf("%s as %s: all of it was unpacked: %s", path, kind, r.body)
			}
		}
	}
	if n := b.goals.calls(); n != 0 {
		t.Errorf("%d calls reached the handler", n)
	}
	// What fits is taken, also the second time with the same unpacker.
	for range 3 {
		if r := b.do(http.MethodPost, "/tracker.goals.v1.GoalsService/CreateGoal", pack(t, `{"title":"fits"}`), "Content-Encoding: gzip"); r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
}

func pack(t *testing.T, text string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

func TestWhoAnnouncesABodyAndSendsNoneIsLetGo(t *testing.T) {
	b := setup(t, func(cfg *rpc.Config, _ *rpc.Deps) { cfg.BodyTime = 200 * time.Millisecond })
	signedIn := "Authorization: Bearer " + token(t, "learner-1") + "\r\n"
	for name, head := range map[string]string{
		"REST, signed in":       "POST /api/v1/goals HTTP/1.1\r\n" + signedIn,
		"Connect, signed in":    "POST /tracker.goals.v1.GoalsService/CreateGoal HTTP/1.1\r\n" + signedIn,
		"REST, by nobody":       "POST /api/v1/goals HTTP/1.1\r\n",
		"Connect, by nobody":    "POST /tracker.goals.v1.GoalsService/CreateGoal HTTP/1.1\r\n",
		"an open address":       "POST /grpc.health.v1.Health/Check HTTP/1.1\r\n",
		"no address":            "POST /nothing HTTP/1.1\r\n",
		"a probe with a body":   "GET /healthz HTTP/1.1\r\n",
		"a stream, by somebody": "POST /tracker.realtime.v1.RealtimeService/Watch HTTP/1.1\r\n" + signedIn,
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(b.http.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		kind := "application/json"
		if strings.Contains(head, "Watch") {
			kind = "application/connect+json"
		}
		_, _ = io.WriteString(conn, head+"Host: x\r\nContent-Type: "+kind+"\r\nContent-Length: 100\r\n\r\n{")
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second)) // far more than it takes
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Errorf("%s: the connection is held: %v, after %q", name, err, answer)
		}
		if strings.Contains(string(answer), "127.0.0.1") || strings.Contains(string(answer), "i/o timeout") {
			t.Errorf("%s: the answer tells of the machine: %s", name, answer)
		}
		_ = conn.Close()
	}
}

func TestACallMayTakeLongerThanItsBody(t *testing.T) {
	b := setup(t, func(cfg *rpc.Config, _ *rpc.Deps) { cfg.BodyTime = 100 * time.Millisecond })
	b.goals.act = func(ctx context.Context) {
		select {
		case <-ctx.Done():
			t.Error("the call was canceled")
		case <-time.After(400 * time.Millisecond):
		}
	}
	for _, path := range []string{"/api/v1/goals", "/tracker.goals.v1.GoalsService/CreateGoal"} {
		for range 2 { // the second on the same connection
			if r := b.do(http.MethodPost, path, `{"title":"slow"}`); r.status >= 300 {
				t.Errorf("%s: %d %s", path, r.status, r.body)
			}
		}
	}
}

// A proxy that passes on "Upgrade: h2c" must not open a way around itself.
func TestNobodyUpgradesAConnectionToHTTP2(t *testing.T) {
	b := setup(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.http.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Upgrade") != "" {
		t.Errorf("the upgrade was answered with %d %v", answer.StatusCode, answer.Header)
	}
}

func TestHeadersCanNotChangeWhatIsCalled(t *testing.T) {
	b := setup(t)
	for _, name := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"} {
		if r := b.do(http.MethodPost, "/api/v1/goals/"+goalID, "{}", name+": DELETE"); r.status != http.StatusNotImplemented && r.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	for _, path := range []string{"/schemas/../healthz", "/schemas/..%2f..%2fetc%2fpasswd", "/schemas/%2e%2e/%2e%2e/etc/passwd", "/api/v1/goals/..%2f..%2fmetrics"} {
		if r := b.do(http.MethodGet, path, ""); strings.Contains(r.body, "root:") || r.status >= 500 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if b.goals.calls() != 0 && strings.Contains(fmt.Sprint(b.goals.last(t)), "passwd") {
		t.Error("a path got through")
	}
	r := b.do(http.MethodGet, "/api/v1/goals/%0d%0aSet-Cookie:%20a=b", "", "X-Request-Id: one\ttwo", "Origin: null")
	if r.header.Get("Set-Cookie") != "" || r.header.Get("Access-Control-Allow-Origin") != "" || r.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("the answer's headers are %v", r.header)
	}
	for _, line := range strings.Split(strings.TrimSpace(b.logs.String()), "\n") {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "}") {
			t.Errorf("a line of the log is broken: %q", line)
		}
	}
}

// slowWatch says hello, and again much later.
type slowWatch struct{}

func (slowWatch) Watch(ctx context.Context, _ *realtimev1.WatchRequest, stream *connect.ServerStream[realtimev1.WatchResponse]) error {
	for range 2 {
		if err := stream.Send(&realtimev1.WatchResponse{}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(400 * time.Millisecond):
		}
	}
	return nil
}

func TestAStreamLivesLongerThanItsRequestMayTake(t *testing.T) {
	b := setup(t, func(cfg *rpc.Config, deps *rpc.Deps) {
		cfg.BodyTime = 100 * time.Millisecond
		deps.Services[1] = rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return realtimev1connect.NewRealtimeServiceHandler(slowWatch{}, opts...)
		}}
	})
	both := map[string]*http.Protocols{"HTTP/1.1": {}, "HTTP/2": {}}
	both["HTTP/1.1"].SetHTTP1(true)
	both["HTTP/2"].SetUnencryptedHTTP2(true)
	for name, protocols := range both {
		transport := &http.Transport{Protocols: protocols}
		request := connect.NewRequest(&realtimev1.WatchRequest{})
		request.Header().Set("Authorization", "Bearer "+token(t, "learner-1"))
		stream, err := connect.NewClient[realtimev1.WatchRequest, realtimev1.WatchResponse](
			&http.Client{Transport: transport}, b.http.URL+realtimev1connect.RealtimeServiceWatchProcedure).CallServerStream(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for stream.Receive() {
			n++
		}
		if stream.Err() != nil || n != 2 {
			t.Errorf("%s: %d messages, %v", name, n, stream.Err())
		}
		_ = stream.Close()
		transport.CloseIdleConnections()
	}
}
