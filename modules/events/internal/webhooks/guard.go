package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/goals-tracker/tracker/modules/events"
)

// guard keeps webhooks away from what only this server can reach. Names are
// looked at when they are connected to, for they may change their minds.
type guard struct {
	allow     []netip.Prefix
	allowHTTP bool
	// resolver looks names up; nil is the system's.
	resolver *net.Resolver
}

func newGuard(cfg events.WebhooksConfig) (*guard, error) {
	g := &guard{allowHTTP: cfg.AllowHTTP}
	for _, text := range cfg.Allow {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("events.webhooks.allow has %q: write networks such as 10.1.0.0/16", text)
		}
		g.allow = append(g.allow, prefix.Masked())
	}
	return g, nil
}

// public6 is all of IPv6 that is given to anybody; what lies beside it leads
// inwards, or to IPv4 addresses of any kind (::/96, 64:ff9b::/96).
var public6 = netip.MustParsePrefix("2000::/3")

// reserved are networks that are not the public internet, beside those that
// netip knows. 168.63.129.16 is how Azure's machines reach their own host.
var reserved = func() (all []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}()

// refused says whether an address must not be reached.
func (g *guard) refused(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, prefix := range g.allow {
		if prefix.Contains(ip) {
			return false
		}
	}
	if !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() ||
		ip.Is6() && !public6.Contains(ip) {
		return true
	}
	for _, prefix := range reserved {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// errRefused is what a connection to such an address ends with.
var errRefused = errors.New("the address leads to a network that webhooks may not reach (events.webhooks.allow)")

// control is asked for each connection, after names were looked up.
func (g *guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || g.refused(to.Addr()) {
		return errRefused
	}
	return nil
}

// check refuses what can be seen to be wrong before anything is sent.
func (g *guard) check(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || !g.allowHTTP) || strings.ContainsAny(text, " \t\r\n\\") || !usual(u.Port()) {
		return events.ErrWebhookAddress.New(text)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && g.refused(ip) {
		return events.ErrWebhookAddress.New(text)
	}
	if name := strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")); (name == "localhost" || strings.HasSuffix(name, ".localhost")) && g.refused(netip.MustParseAddr("127.0.0.1")) {
		return events.ErrWebhookAddress.New(text)
	}
	return nil
}

// usual is whether something that speaks HTTP may be at a port: those below 1024
// belong to mail, names and the like.
func usual(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || port == "80" || port == "443" || err == nil && n >= 1024 && n <= 65535
}

// client sends to allowed addresses only, by no proxy, and follows nobody
// elsewhere.
func (g *guard) client(timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout, Control: g.control, Resolver: g.resolver}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy: nil,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, address)
			},
			TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
