package auth

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

// Checks are what tokens must say beside their times.
type Checks struct {
	// Issuer is the iss that is required; "" takes any.
	Issuer string
	// Audience are the aud of which one is required; none takes any.
	Audience []string
}

// parser reads tokens that are signed with one of the algorithms, and no others.
func (c Checks) parser(algorithms ...string) *jwt.Parser {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(algorithms),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway),
		jwt.WithStrictDecoding(),
	}
	if c.Issuer != "" {
		options = append(options, jwt.WithIssuer(c.Issuer))
	}
	if len(c.Audience) > 0 {
		options = append(options, jwt.WithAudience(c.Audience...))
	}
	return jwt.NewParser(options...)
}

// errCritical: a header that the token calls critical isn't understood here,
// so by RFC 7515 the token must not be taken.
var errCritical = errors.New("the token names critical headers")

// verify reads a token whole: signature, times, claims. accepted names the
// algorithms for the reader of an error.
func verify(parser *jwt.Parser, token string, key jwt.Keyfunc, accepted string) (Actor, error) {
	if len(token) > MaxToken {
		return Actor{}, ErrMalformed.New()
	}
	var claims tokenClaims
	_, err := parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		if _, has := t.Header["crit"]; has {
			return nil, errCritical
		}
		return key(t)
	})
	if err != nil {
		return Actor{}, tokenError(err, accepted)
	}
	return claims.claims().Actor()
}

// tokenError says what is wrong with a token; jwt's own texts may hold pieces
// of it and stay away.
func tokenError(err error, accepted string) error {
	var ours *errs.Error
	switch {
	case errors.As(err, &ours):
		return ours // of whoever was asked for the key
	case errors.Is(err, jwt.ErrTokenMalformed), errors.Is(err, errCritical):
		return ErrMalformed.New()
	case strings.Contains(err.Error(), "signing method") && errors.Is(err, jwt.ErrTokenSignatureInvalid),
		errors.Is(err, jwt.ErrTokenUnverifiable):
		return ErrAlgorithm.New(accepted)
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return ErrSignature.New()
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return ErrClaim.New(missing(err))
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return ErrClaim.New("iss")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return ErrClaim.New("aud")
	case errors.Is(err, jwt.ErrTokenExpired):
		return ErrExpired.New()
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return ErrNotYet.New()
	default:
		return ErrMalformed.New()
	}
}

// missing names the required claim that isn't there.
func missing(err error) string {
	for _, claim := range []string{"iss", "aud"} {
		if strings.Contains(err.Error(), claim+" claim is required") {
			return claim
		}
	}
	return "exp"
}

// tokenClaims are the claims as they stand in a JWT.
type tokenClaims struct {
	jwt.RegisteredClaims
	UserID    ID       `json:"user_id"`
	Email     string   `json:"email"`
	Roles     []string `json:"roles"`
	CourseIDs []ID     `json:"course_ids"`
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

// ReadClaims reads the claims of a token out of JSON, as the academy's
// validation endpoint answers them, and checks their times and what checks
// asks for. A claim that can't be used is an error of errors.go.
func ReadClaims(data []byte, checks Checks) (Claims, error) {
	var claims tokenClaims
	if err := json.Unmarshal(data, &claims); err != nil {
		return Claims{}, ErrMalformed.New()
	}
	options := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(Leeway)}
	if checks.Issuer != "" {
		options = append(options, jwt.WithIssuer(checks.Issuer))
	}
	if len(checks.Audience) > 0 {
		options = append(options, jwt.WithAudience(checks.Audience...))
	}
	if err := jwt.NewValidator(options...).Validate(&claims); err != nil {
		return Claims{}, tokenError(err, "")
	}
	return claims.claims(), nil
}

// ID is an opaque id in the academy's JSON; one that counts its people writes a
// number.
type ID string

// UnmarshalJSON takes a string or a whole number.
func (id *ID) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*id = ID(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	if _, err := number.Int64(); err != nil {
		return err
	}
	*id = ID(number.String())
	return nil
}
