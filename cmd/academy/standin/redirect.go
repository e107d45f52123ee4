package standin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
)

var errRedirectMissing = errors.New("redirect_uri is missing")

// parseRedirect refuses what must never be a redirect target, whatever the
// allow-list says.
func parseRedirect(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errRedirectMissing
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf("redirect_uri %.200q is not a URL", raw)
	case u.Scheme == "" || u.Host == "" || u.Opaque != "":
		return nil, fmt.Errorf("redirect_uri %.200q must be absolute, as in http://127.0.0.1:8000/app", raw)
	case u.User != nil:
		return nil, fmt.Errorf("redirect_uri of host %.200q must not carry a user name", u.Host)
	case u.Fragment != "":
		return nil, fmt.Errorf("redirect_uri %.200q must not have a fragment", raw)
	}
	return u, nil
}

// redirectTarget returns where a login may go back to: loopback http, VS Code,
// or a configured URI.
func redirectTarget(raw string, allowed []string) (*url.URL, error) {
	u, err := parseRedirect(raw)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "vscode" || u.Scheme == "vscode-insiders" {
		return u, nil
	}
	if u.Scheme == "http" && isLoopback(u.Hostname()) {
		return u, nil
	}
	if slices.ContainsFunc(allowed, func(a string) bool { return samePlace(a, u) }) {
		return u, nil
	}
	return nil, fmt.Errorf("redirect_uri %.200q is not allowed: use loopback http, vscode://, or start the academy with --redirect-uri", raw)
}

func samePlace(allowed string, u *url.URL) bool {
	a, err := url.Parse(allowed)
	return err == nil && a.Scheme == u.Scheme && a.Host == u.Host && a.EscapedPath() == u.EscapedPath()
}

// withTokens adds what a login hands over, keeping the target's own query.
func withTokens(target *url.URL, token, refresh string, state *string) string {
	u := *target
	q := u.Query()
	q.Set("token", token)
	q.Set("refresh_token", refresh)
	q.Del("state")
	if state != nil {
		q.Set("state", *state)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// isLoopback reports whether a host name or address can only be this machine.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// CheckAddress refuses a listen address that other machines can reach, unless
// remote is true: the stand-in's passwords are public.
func CheckAddress(address string, remote bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address %q: write host:port, as in 127.0.0.1:8001", address)
	}
	if remote || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("address %q can be reached from other machines, and the stand-in's passwords are public: "+
		"listen on 127.0.0.1, or pass --allow-remote on a network that you trust", address)
}
