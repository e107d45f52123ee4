package standin

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
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
	method jwt.SigningMethod
	sign   any
	verify any
	kid    string
	public *rsa.PublicKey // nil with HS256
	name   string
	ttl    time.Duration
	now    func() time.Time
}

func newIssuer(c Config) (*issuer, error) {
	i := &issuer{name: c.Issuer, ttl: c.TokenTTL, now: c.Now}
	if c.Algorithm == HS256 {
		i.method, i.sign, i.verify = jwt.SigningMethodHS256, []byte(c.SecretKey), []byte(c.SecretKey)
		return i, nil
	}
	key := c.PrivateKey
	if key == nil {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, fmt.Errorf("generate the RS256 key: %w", err)
		}
	}
	i.method, i.sign, i.verify, i.public = jwt.SigningMethodRS256, key, &key.PublicKey, &key.PublicKey
	i.kid = thumbprint(i.public)
	return i, nil
}

func (i *issuer) issue(u User) (string, error) {
	now := i.now()
	token := jwt.NewWithClaims(i.method, Claims{
		UserID: u.ID, Email: u.Email, Roles: u.Roles, CourseIDs: u.courseIDs(),
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: i.name, Subject: u.ID, ID: rand.Text(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(i.ttl)),
		},
	})
	if i.kid != "" {
		token.Header["kid"] = i.kid
	}
	signed, err := token.SignedString(i.sign)
	if err != nil {
		return "", fmt.Errorf("sign a token for user %s: %w", u.ID, err)
	}
	return signed, nil
}

func (i *issuer) check(token string) (Claims, error) {
	var claims Claims
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return i.verify, nil },
		jwt.WithValidMethods([]string{i.method.Alg()}), jwt.WithExpirationRequired(),
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
	if i.public == nil {
		return []jwk{}
	}
	n, e := rsaParts(i.public)
	return []jwk{{KeyType: "RSA", Use: "sig", Algorithm: RS256, KeyID: i.kid, N: n, E: e}}
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
