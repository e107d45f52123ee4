package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/goals-tracker/tracker/modules/core/config"
)

const (
	// maxKeys is how many keys one issuer may publish, and maxKeySet how many bytes
	// they may take: far above any that signs tokens.
	maxKeys   = 64
	maxKeySet = 256 << 10
	// minRSA is the shortest RSA key that holds, in bits.
	minRSA = 2048
)

// KeysFrom says where an issuer's public keys are. One of URL and Issuer is
// required.
type KeysFrom struct {
	// URL is the JWKS itself.
	URL string
	// Issuer is an OIDC issuer, whose discovery document names the JWKS.
	Issuer string
	// Pause is the least time between two requests for keys that are not known,
	// after the first two. Defaults to 5 s.
	Pause time.Duration
	// Timeout bounds one fetch. Defaults to 5 s.
	Timeout time.Duration
	// Client defaults to one of its own that follows no redirects.
	Client *http.Client
}

func (k KeysFrom) name() string {
	if k.URL != "" {
		return k.URL
	}
	return k.Issuer
}

func (k KeysFrom) withDefaults() (KeysFrom, error) {
	if u, err := url.Parse(k.name()); err != nil || !isURL(k.name()) || u.Host == "" || u.User != nil {
		return k, fmt.Errorf("auth.source is jwks, but %q is no address of published keys: set auth.jwks_url, an auth.issuer with OIDC discovery, or USER_SERVICE_URL", config.Address(k.name()))
	}
	if k.Pause == 0 {
		k.Pause = 5 * time.Second
	}
	if k.Timeout == 0 {
		k.Timeout = 5 * time.Second
	}
	if k.Client == nil {
		k.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		if t, ok := http.DefaultTransport.(*http.Transport); ok {
			k.Client.Transport = t.Clone()
		}
	}
	bounded := *k.Client
	bounded.Transport = shortBodies{k.Client.Transport}
	k.Client = &bounded
	return k, nil
}

// fetch reads the key set, by way of discovery where there is an issuer.
func (k KeysFrom) fetch(ctx context.Context) (jwkset.JWKSMarshal, error) {
	var set jwkset.JWKSMarshal
	address := k.URL
	if address == "" {
		var err error
		if address, err = k.discover(ctx); err != nil {
			return set, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return set, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := k.Client.Do(request)
	if err != nil {
		return set, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return set, fmt.Errorf("%s answered %d", address, response.StatusCode)
	}
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return set, err
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return set, fmt.Errorf("%s has no JWKS: %w", address, err)
	}
	if set.Keys == nil {
		return set, fmt.Errorf("%s has no JWKS: its answer names no keys", address)
	}
	if len(set.Keys) > maxKeys {
		return set, fmt.Errorf("%s has %d keys, more than %d", address, len(set.Keys), maxKeys)
	}
	return set, nil
}

// discover asks the issuer where its keys are; go-oidc refuses a document that
// speaks for another issuer.
func (k KeysFrom) discover(ctx context.Context) (string, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, k.Client), k.Issuer)
	if err != nil {
		return "", fmt.Errorf("discover %s: %w", k.Issuer, err)
	}
	var document struct {
		JWKS string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil {
		return "", fmt.Errorf("discover %s: %w", k.Issuer, err)
	}
	if !isURL(document.JWKS) || strings.HasPrefix(k.Issuer, "https://") && !strings.HasPrefix(document.JWKS, "https://") {
		return "", fmt.Errorf("discover %s: its jwks_uri %q can't be used", k.Issuer, document.JWKS)
	}
	return document.JWKS, nil
}

// usableKeys are those that can verify signatures. An id that stands for two
// different keys stands for none: which of them was meant can't be told.
func usableKeys(set jwkset.JWKSMarshal, logger *slog.Logger) []jwkset.JWK {
	var usable []jwkset.JWK
	byID := map[string]any{}
	ambiguous := map[string]bool{}
	for _, published := range set.Keys {
		key, err := usableKey(published)
		if err != nil {
			logger.Warn("a published key is left out", "kid", published.KID, "error", err)
			continue
		}
		other, twice := byID[published.KID]
		switch {
		case !twice || published.KID == "":
			byID[published.KID] = key.Key()
			usable = append(usable, key)
		case !reflect.DeepEqual(other, key.Key()):
			ambiguous[published.KID] = true
		}
	}
	kept := usable[:0]
	for _, key := range usable {
		id := key.Marshal().KID
		if ambiguous[id] {
			logger.Warn("two published keys have the same id, so neither holds", "kid", id)
			continue
		}
		kept = append(kept, key)
	}
	return kept
}

func usableKey(published jwkset.JWKMarshal) (jwkset.JWK, error) {
	if published.USE != "" && published.USE != jwkset.UseSig {
		return jwkset.JWK{}, fmt.Errorf("its use is %q", published.USE)
	}
	if len(published.KEYOPS) > 0 && !slices.Contains(published.KEYOPS, jwkset.KeyOpsVerify) {
		return jwkset.JWK{}, errors.New("its key_ops are not for verifying")
	}
	// Certificates and links to them say nothing here that the key doesn't.
	published.X5U, published.X5C, published.X5T, published.X5TS256 = "", nil, "", ""
	key, err := jwkset.NewJWKFromMarshal(published, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{SkipKeyOps: true})
	if err != nil {
		return key, err
	}
	switch public := key.Key().(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() < minRSA {
			return key, fmt.Errorf("it has %d bits, fewer than %d", public.N.BitLen(), minRSA)
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return key, fmt.Errorf("it is a %T, which is no public key of a signature", public)
	}
	return key, nil
}

// shortBodies ends answers that are longer than any key set.
type shortBodies struct{ next http.RoundTripper }

var errLongAnswer = errors.New("its answer is longer than any key set")

// RoundTrip implements http.RoundTripper.
func (s shortBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	next := s.next
	if next == nil {
		next = http.DefaultTransport
	}
	response, err := next.RoundTrip(r)
	if err == nil {
		response.Body = &shortBody{ReadCloser: response.Body, left: maxKeySet}
	}
	return response, err
}

// CloseIdleConnections lets http.Client reach the transport's.
func (s shortBodies) CloseIdleConnections() {
	if t, ok := s.next.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

type shortBody struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *shortBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errLongAnswer
	}
	return n, err
}
