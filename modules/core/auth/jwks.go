package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

// JWKS verifies tokens that are signed with keys which their issuer publishes.
// Only the algorithms it was made with are looked at, HS256 never among them,
// and no key that a token brings or points to is.
type JWKS struct {
	keys     *keyStore
	find     keyfunc.Keyfunc
	parser   *jwt.Parser
	accepted string
}

// NewJWKS makes the verifier. Keys are fetched when the first token comes.
func NewJWKS(from KeysFrom, algorithms []string, checks Checks, logger *slog.Logger) (*JWKS, error) {
	keys, err := newKeyStore(from, logger)
	if err != nil {
		return nil, err
	}
	find, err := keyfunc.New(keyfunc.Options{Storage: keys})
	if err != nil {
		return nil, err
	}
	return &JWKS{keys: keys, find: find, parser: checks.parser(algorithms...), accepted: strings.Join(algorithms, ", ")}, nil
}

// Verify implements Verifier. An issuer that can't be asked for a key that is
// not known yet is errs.Busy: nobody is let in on a guess.
func (v *JWKS) Verify(ctx context.Context, token string) (Actor, error) {
	return verify(v.parser, token, func(t *jwt.Token) (any, error) {
		find := v.find.KeyfuncCtx(ctx)
		if _, named := t.Header[jwkset.HeaderKID]; !named {
			find = v.anyKey(ctx)
		}
		key, err := find(t)
		var ours *errs.Error
		switch {
		case err == nil || errors.As(err, &ours):
			return key, err
		case errors.Is(err, jwkset.ErrKeyNotFound):
			return nil, ErrSignature.New()
		default:
			return nil, ErrAlgorithm.New(v.accepted)
		}
	}, v.accepted)
}

// anyKey gives the keys that a token without a key id may be signed with: each is
// for the algorithm that it names alone (RFC 8725).
func (v *JWKS) anyKey(ctx context.Context) jwt.Keyfunc {
	return func(t *jwt.Token) (any, error) {
		published, err := v.keys.KeyReadAll(ctx)
		if err != nil {
			return nil, err
		}
		var set jwt.VerificationKeySet
		for _, key := range published {
			if alg := key.Marshal().ALG.String(); alg == "" || alg == t.Method.Alg() {
				set.Keys = append(set.Keys, key.Key())
			}
		}
		if len(set.Keys) == 0 {
			return nil, jwkset.ErrKeyNotFound
		}
		return set, nil
	}
}

// Close ends idle connections to the issuer.
func (v *JWKS) Close() { v.keys.from.Client.CloseIdleConnections() }
