package webhooks

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/events"
)

// A name may lead elsewhere when it is connected to than when it was checked:
// so what counts is the address that the connection is made to.
func TestAConnectionToTheServersOwnNetworksIsRefusedWhereverItsNameCameFrom(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	t.Cleanup(server.Close)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		address := strings.Replace(server.URL, "127.0.0.1", host, 1)
		for _, allow := range []string{"", "127.0.0.0/8"} {
			cfg := events.WebhooksConfig{}
			if allow != "" {
				cfg.Allow = []string{allow}
			}
			g, err := newGuard(cfg)
			if err != nil {
				t.Fatal(err)
			}
			requests = 0
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			client := g.client(10 * time.Second)
			response, err := client.Do(request)
			if err == nil {
				_ = response.Body.Close()
			}
			client.CloseIdleConnections()
			if allow == "" && (!errors.Is(err, errRefused) || requests != 0) {
				t.Errorf("%s: %v after %d requests", host, err, requests)
			}
			if allow != "" && (err != nil || requests != 1) {
				t.Errorf("%s, which is allowed: %v after %d requests", host, err, requests)
			}
		}
	}
}

func TestPublicAddressesMayBeReached(t *testing.T) {
	g := &guard{}
	for _, text := range []string{"93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"} {
		if g.refused(netip.MustParseAddr(text)) {
			t.Errorf("%s is refused", text)
		}
	}
	if _, err := newGuard(events.WebhooksConfig{Allow: []string{"10.0.0.1"}}); err == nil {
		t.Error("an address is taken for a network")
	}
}
