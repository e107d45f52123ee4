package ws_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// written is a log that many may write.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestATokenIsTakenFromHeaderSubprotocolOrQueryAndNeverRepeated(t *testing.T) {
	var log written
	r := start(t, postgrestest.DB(t), func(o *options) {
		o.logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	good := token(t, "ada", time.Hour)
	for name, test := range map[string]struct {
		query    string
		header   string
		offered  []string
		status   int
		protocol string
	}{
		"header":                         {header: "Bearer " + good, status: 101},
		"subprotocol":                    {offered: []string{"bearer", good}, status: 101, protocol: "bearer"},
		"subprotocol beside ours":        {offered: []string{"goals.v1", "bearer", good}, status: 101, protocol: "goals.v1"},
		"subprotocol, ours last":         {offered: []string{"bearer", good, "goals.v1"}, status: 101, protocol: "goals.v1"},
		"query":                          {query: "?token=" + good, status: 101},
		"query and ours":                 {query: "?token=" + good, offered: []string{"goals.v1"}, status: 101, protocol: "goals.v1"},
		"none":                           {status: 401},
		"subprotocol without a token":    {offered: []string{"goals.v1", "bearer"}, status: 401},
		"subprotocol with a bad token":   {offered: []string{"bearer", "bad"}, status: 401},
		"a good one but a bad header":    {query: "?token=" + good, header: "Bearer bad", status: 401},
		"a position that can't be":       {query: "?token=" + good + "&after_seq=-1", status: 400},
		"a position that is no number":   {query: "?token=" + good + "&after_seq=x", status: 400},
		"an expired token in the header": {header: "Bearer " + token(t, "ada", -time.Hour), status: 401},
	} {
		o := &websocket.DialOptions{Subprotocols: test.offered, HTTPHeader: http.Header{}}
		if test.header != "" {
			o.HTTPHeader.Set("Authorization", test.header)
		}
		c, response, err := open(t, r, "/ws"+test.query, o)
		if response.status != test.status {
			t.Errorf("%s: got %v, %v", name, response, err)
			continue
		}
		if strings.Contains(strings.Join(response.header["Sec-Websocket-Protocol"], ","), good) {
			t.Errorf("%s: the answer holds the token", name)
		}
		if c != nil {
			if c.conn.Subprotocol() != test.protocol {
				t.Errorf("%s: the subprotocol is %q, want %q", name, c.conn.Subprotocol(), test.protocol)
			}
			c.next("hello")
		}
	}
	if said := log.String(); !strings.Contains(said, "path=/ws") || strings.Contains(said, good) || strings.Contains(said, good[strings.LastIndex(good, ".")+1:]) {
		t.Errorf("the log holds a token, or no line about /ws:\n%s", said)
	}
}

func TestOnlyPagesOfAllowedOriginsOpenAWebSocket(t *testing.T) {
	r := start(t, postgrestest.DB(t), func(o *options) {
		o.origins = []string{"https://learn.example.org", "vscode-webview://*", "http://localhost:*"}
	})
	for origin, allowed := range map[string]bool{
		"":                               true, // no browser
		r.url:                            true, // a page of this server
		"https://learn.example.org":      true,
		"vscode-webview://1a2b3c":        true,
		"http://localhost:5173":          true,
		"https://evil.example":           false,
		"https://learn.example.org.evil": false,
		"http://learn.example.org":       false,
		"null":                           false,
	} {
		o := &websocket.DialOptions{HTTPHeader: http.Header{}}
		if origin != "" {
			o.HTTPHeader.Set("Origin", origin)
		}
		_, response, err := open(t, r, "/api/v1/ws?token="+token(t, "ada", time.Hour), o)
		if got := err == nil; got != allowed || !allowed && response.status != http.StatusForbidden {
			t.Errorf("origin %q: %v, %v", origin, response, err)
		}
	}
	// Where no origin is configured, none is allowed but one's own.
	strict := start(t, postgrestest.DB(t), nil)
	_, response, err := open(t, strict, "/ws?token="+token(t, "ada", time.Hour), &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://evil.example"}}})
	if err == nil || response.status != http.StatusForbidden {
		t.Errorf("got %v, %v", response, err)
	}
}

func TestItWorksBehindAProxy(t *testing.T) {
	r := start(t, postgrestest.DB(t), nil)
	target, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target); p.SetXForwarded() }})
	t.Cleanup(proxy.Close)
	c := dial(t, &replica{url: proxy.URL}, "/ws", "ada", time.Hour)
	goal := c.create("through a proxy")
	if m := c.next("goal.created"); m.field("goal_id") != goal {
		t.Errorf("got %s", m.Payload)
	}
	_ = c.conn.Close(websocket.StatusNormalClosure, "") // so that the proxy can end
}

func TestAPersonHasABoundedNumberOfConnections(t *testing.T) {
	r := start(t, postgrestest.DB(t), func(o *options) { o.MaxConnections = 2 })
	first := dial(t, r, "/ws", "ada", time.Hour)
	first.next("hello")
	dial(t, r, "/ws", "ada", time.Hour).next("hello")
	address := "/ws?token=" + token(t, "ada", time.Hour)
	if _, response, err := open(t, r, address, nil); err == nil || response.status != http.StatusTooManyRequests {
		t.Fatalf("a third one: %v, %v", response, err)
	}
	dial(t, r, "/ws", "bob", time.Hour).next("hello") // not Ada's
	_ = first.conn.Close(websocket.StatusNormalClosure, "")
	for {
		_, response, err := open(t, r, address, nil)
		if err == nil {
			return // there is room again
		}
		if response.status != http.StatusTooManyRequests {
			t.Fatalf("after one was closed: %v, %v", response, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Frames are made once for all clients, and what a few bytes unpack to would be
// held in memory: nothing is compressed.
func TestNoCompressionIsAgreedOn(t *testing.T) {
	r := start(t, postgrestest.DB(t), nil)
	c, answer, err := open(t, r, "/ws?token="+token(t, "ada", time.Hour), &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	if agreed := answer.header.Get("Sec-WebSocket-Extensions"); agreed != "" {
		t.Errorf("it agreed on %q", agreed)
	}
	c.create("plain")
	c.next("goal.created")
}
