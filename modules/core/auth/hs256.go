package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// HS256 verifies tokens that are signed with a secret shared with the academy.
// No other algorithm is looked at, whatever the token's header says.
type HS256 struct {
	keys   jwt.VerificationKeySet
	named  map[string][]byte
	parser *jwt.Parser
}

// NewHS256 takes the shared secrets. Several are for rotation: a token that
// fits any of them holds, so the new one is added first and the old one
// removed when its last token has expired.
func NewHS256(secrets ...string) (*HS256, error) {
	v := &HS256{parser: Checks{}.parser(jwt.SigningMethodHS256.Alg()), named: map[string][]byte{}}
	for _, secret := range secrets {
		if secret == "" {
			return nil, errors.New("an HS256 secret is empty; set SECRET_KEY to the academy's")
		}
		v.keys.Keys = append(v.keys.Keys, []byte(secret))
	}
	if len(v.keys.Keys) == 0 {
		return nil, errors.New("no HS256 secret; set SECRET_KEY to the academy's")
	}
	return v, nil
}

// Name adds a secret for tokens whose header names it as kid; those must fit
// it, and no other token is tried with it.
func (v *HS256) Name(id, secret string) error {
	if id == "" || secret == "" {
		return fmt.Errorf("auth.secret_keys: the key %q needs a name and a value", id)
	}
	v.named[id] = []byte(secret)
	return nil
}

// Checking is the same verifier with further checks of claims.
func (v *HS256) Checking(checks Checks) *HS256 {
	return &HS256{keys: v.keys, named: v.named, parser: checks.parser(jwt.SigningMethodHS256.Alg())}
}

// Verify implements Verifier; it asks nobody.
func (v *HS256) Verify(_ context.Context, token string) (Actor, error) {
	return verify(v.parser, token, func(t *jwt.Token) (any, error) {
		if id, ok := t.Header["kid"].(string); ok {
			if key, known := v.named[id]; known {
				return key, nil
			}
		}
		return v.keys, nil
	}, "HS256")
}
