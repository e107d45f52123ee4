package webhooks

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/goals-tracker/tracker/modules/events"
)

// inwards is a resolver that says of every name that it is this machine.
func inwards(t *testing.T) *net.Resolver {
	t.Helper()
	var listener net.ListenConfig
	conn, err := listener.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		for buf := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			if reply, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
}

// Names that lead inwards, spellings that some resolvers take for addresses, and
// letters that become digits and dots when a name is looked up.
func TestNoNameOrSpellingOfLoopbackIsReached(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	t.Cleanup(server.Close)
	send := func(allow []string, host string) error {
		t.Helper()
		g, err := newGuard(events.WebhooksConfig{AllowHTTP: true, Allow: allow})
		if err != nil {
			t.Fatal(err)
		}
		g.resolver = inwards(t)
		client := g.client(10 * time.Second)
		defer client.CloseIdleConnections()
		if transport, ok := client.Transport.(*http.Transport); !ok || transport.Proxy != nil {
			t.Error("a proxy of the environment would look names up where nobody looks at them")
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.Replace(server.URL, "127.0.0.1", host, 1), nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		return err
	}
	for _, host := range []string{
		"rebound.example.org", "xn--mnchen-3ya.example", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "127。0。0。1", "①②⑦.⓪.⓪.①",
		"ⓛocalhost", "LOCALHOST", "localhost.", "[::ffff:127.0.0.1]", "[::]", "[::1]", "0.0.0.0",
	} {
		if err := send(nil, host); err == nil {
			t.Errorf("%s answered", host)
		}
	}
	if requests != 0 {
		t.Errorf("%d requests came", requests)
	}
	// The resolver does lead there.
	if err := send([]string{"127.0.0.0/8"}, "rebound.example.org"); err != nil || requests != 1 {
		t.Errorf("where it is allowed: %v after %d requests", err, requests)
	}
}
