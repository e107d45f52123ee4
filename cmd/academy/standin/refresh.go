package standin

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

var (
	errRefreshUnknown = errors.New("the refresh token is unknown or has expired: log in again")
	errRefreshReused  = errors.New("the refresh token was used before, so every token of that login is revoked: log in again")
)

// refreshTokens rotates refresh tokens: each works once, and a second use
// means that somebody else holds a copy, so the whole login is revoked. It
// keeps hashes only.
type refreshTokens struct {
	ttl time.Duration
	now func() time.Time

	mu     sync.Mutex
	tokens map[[sha256.Size]byte]*refreshToken
}

type refreshToken struct {
	userID  string
	login   string // shared by all tokens that descend from one login
	expires time.Time
	used    bool
}

func newRefreshTokens(ttl time.Duration, now func() time.Time) *refreshTokens {
	return &refreshTokens{ttl: ttl, now: now, tokens: map[[sha256.Size]byte]*refreshToken{}}
}

// start gives the first refresh token of a new login.
func (r *refreshTokens) start(userID string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(userID, rand.Text())
}

// rotate spends a token and gives the next one of its login.
func (r *refreshTokens) rotate(token string) (userID, next string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	spent, found := r.tokens[sha256.Sum256([]byte(token))]
	switch {
	case !found || !r.now().Before(spent.expires):
		return "", "", errRefreshUnknown
	case spent.used:
		r.drop(func(t *refreshToken) bool { return t.login == spent.login && !t.used })
		return "", "", errRefreshReused
	}
	spent.used = true
	return spent.userID, r.add(spent.userID, spent.login), nil
}

// revoke ends all logins of a user.
func (r *refreshTokens) revoke(userID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(func(t *refreshToken) bool { return t.userID == userID })
}

func (r *refreshTokens) add(userID, login string) string {
	now := r.now()
	r.drop(func(t *refreshToken) bool { return !now.Before(t.expires) })
	token := rand.Text() + rand.Text()
	r.tokens[sha256.Sum256([]byte(token))] = &refreshToken{userID: userID, login: login, expires: now.Add(r.ttl)}
	return token
}

func (r *refreshTokens) drop(gone func(*refreshToken) bool) {
	for key, t := range r.tokens {
		if gone(t) {
			delete(r.tokens, key)
		}
	}
}
