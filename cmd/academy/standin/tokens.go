package standin

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are what an access token says, and the answer of
// POST /api/auth/validate.
type Claims struct {
	UserID    string   `json:"user_id"`
	Email     string   `json:"email"`
	Roles     []string `json:"roles"`
	CourseIDs []string `json:"course_ids"`
	jwt.RegisteredClaims
}

// issuer signs and checks access tokens with the one configured algorithm.
type issuer struct {
	method   jwt.SigningMethod
	secret   []byte // nil with RS256
	name     string
	audience string
	ttl      time.Duration
	now      func() time.Time

	mu   sync.RWMutex
	pair []signingKey // the newest first; none with HS256
}

// signingKey is an RSA key that signs, or has signed tokens that still hold.
type signingKey struct {
	id      string
	key     *rsa.PrivateKey
	retires time.Time // zero for the one that signs
}

func newIssuer(c Config) (*issuer, error) {
	i := &issuer{name: c.Issuer, audience: c.Audience, ttl: c.TokenTTL, now: c.Now, method: jwt.SigningMethodHS256}
	if c.Algorithm == HS256 {
		i.secret = []byte(c.SecretKey)
		return i, nil
	}
	i.method = jwt.SigningMethodRS256
	if c.PrivateKey == nil {
		return i, i.rotate()
	}
	i.pair = []signingKey{{id: thumbprint(&c.PrivateKey.PublicKey), key: c.PrivateKey}}
	return i, nil
}

var errNothingToRotate = errors.New("tokens are signed with the shared secret: change SECRET_KEY on both sides, or use RS256")

// rotate signs with a fresh key from now on.
func (i *issuer) rotate() error {
	if i.secret != nil {
		return errNothingToRotate
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("generate the RS256 key: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.pair) > 0 {
		i.pair[0].retires = i.now().Add(i.ttl)
	}
	i.pair = append([]signingKey{{id: thumbprint(&key.PublicKey), key: key}}, i.pair...)
	return nil
}

// current are the keys whose tokens may hold, the newest first.
func (i *issuer) current() []signingKey {
	i.mu.RLock()
	defer i.mu.RUnlock()
	var keys []signingKey
	for _, k := range i.pair {
		if k.retires.IsZero() || i.now().Before(k.retires) {
			keys = append(keys, k)
		}
	}
	return keys
}

func (i *issuer) issue(u User) (string, error) {
	now := i.now()
	claims := Claims{
		UserID: u.ID, Email: u.Email, Roles: u.Roles, CourseIDs: u.courseIDs(),
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: i.name, Subject: u.ID, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(i.ttl)),
		},
	}
	if i.audience != "" {
		claims.Audience = jwt.ClaimStrings{i.audience}
	}
	token := jwt.NewWithClaims(i.method, claims)
	var key any = i.secret
	if i.secret == nil {
		newest := i.current()[0]
		token.Header["kid"], key = newest.id, newest.key
	}
	signed, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign a token for user %s: %w", u.ID, err)
	}
	return signed, nil
}

func (i *issuer) check(token string) (Claims, error) {
	var claims Claims
	_, err := jwt.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		if i.secret != nil {
			return i.secret, nil
		}
		for _, k := range i.current() {
			if k.id == t.Header["kid"] {
				return &k.key.PublicKey, nil
			}
		}
		return nil, errors.New("its key is not one of this academy")
	}, jwt.WithValidMethods([]string{i.method.Alg()}), jwt.WithExpirationRequired(),
		jwt.WithIssuer(i.name), jwt.WithTimeFunc(i.now))
	return claims, err
}

// jwk is one RSA public key as RFC 7517 writes it.
type jwk struct {
	KeyType   string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	N         string `json:"n"`
	E         string `json:"e"`
}

// keys is what the JWKS shows: nothing with HS256, whose key is a secret.
func (i *issuer) keys() []jwk {
	current := i.current()
	list := make([]jwk, 0, len(current))
	for _, k := range current {
		n, e := rsaParts(&k.key.PublicKey)
		list = append(list, jwk{KeyType: "RSA", Use: "sig", Algorithm: RS256, KeyID: k.id, N: n, E: e})
	}
	return list
}

// thumbprint is the key's RFC 7638 thumbprint: stable, and derived from
// nothing but the key.
func thumbprint(key *rsa.PublicKey) string {
	n, e := rsaParts(key)
	sum := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func rsaParts(key *rsa.PublicKey) (n, e string) {
	encode := base64.RawURLEncoding.EncodeToString
	return encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
}
