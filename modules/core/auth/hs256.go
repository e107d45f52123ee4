package auth

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

// HS256 verifies tokens that are signed with a secret shared with the academy.
// No other algorithm is looked at, whatever the token's header says.
type HS256 struct {
	keys   jwt.VerificationKeySet
	parser *jwt.Parser
}

// NewHS256 takes the shared secrets. Several are for rotation: a token that
// fits any of them holds, so the new one is added first and the old one
// removed when its last token has expired.
func NewHS256(secrets ...string) (*HS256, error) {
	v := &HS256{parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(Leeway),
		jwt.WithStrictDecoding(),
	)}
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

// Verify implements Verifier; it asks nobody.
func (v *HS256) Verify(_ context.Context, token string) (Actor, error) {
	if len(token) > MaxToken {
		return Actor{}, ErrMalformed.New()
	}
	var claims tokenClaims
	_, err := v.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return v.keys, nil })
	if err != nil {
		return Actor{}, tokenError(err)
	}
	return claims.claims().Actor()
}

// tokenError says what is wrong with a token; jwt's own texts may hold pieces
// of it and stay away.
func tokenError(err error) *errs.Error {
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return ErrMalformed.New()
	case strings.Contains(err.Error(), "signing method") && errors.Is(err, jwt.ErrTokenSignatureInvalid),
		errors.Is(err, jwt.ErrTokenUnverifiable):
		return ErrAlgorithm.New("HS256")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return ErrSignature.New()
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return ErrClaim.New("exp")
	case errors.Is(err, jwt.ErrTokenExpired):
		return ErrExpired.New()
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return ErrNotYet.New()
	default:
		return ErrMalformed.New()
	}
}

// tokenClaims are the claims as they stand in a JWT.
type tokenClaims struct {
	jwt.RegisteredClaims
	UserID    identifier   `json:"user_id"`
	Email     string       `json:"email"`
	Roles     []string     `json:"roles"`
	CourseIDs []identifier `json:"course_ids"`
}

func (c tokenClaims) claims() Claims {
	out := Claims{UserID: string(c.UserID), Email: c.Email, Roles: c.Roles}
	if out.UserID == "" {
		out.UserID = c.Subject
	}
	for _, id := range c.CourseIDs {
		out.CourseIDs = append(out.CourseIDs, string(id))
	}
	if c.ExpiresAt != nil {
		out.ExpiresAt = c.ExpiresAt.Time
	}
	return out
}

// identifier is an opaque id; issuers that count their users write a number.
type identifier string

// UnmarshalJSON takes a string or a whole number.
func (id *identifier) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*id = identifier(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	if _, err := number.Int64(); err != nil {
		return err
	}
	*id = identifier(number.String())
	return nil
}
