package auth

import (
	"context"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxToken is how long a token may be, in bytes.
const MaxToken = 8 << 10

// Leeway is how far clocks may differ when a token's times are checked.
const Leeway = 30 * time.Second

// maxID is how many characters an id of the academy may have.
const maxID = 36

// Verifier turns a token into who it speaks for. Its errors are those of
// errors.go, or errs.Busy when another service would have to be asked and
// can't be; none repeats any part of the token.
type Verifier interface {
	Verify(ctx context.Context, token string) (Actor, error)
}

// Introspector asks the issuer what a token says: the port for the academy's
// validation endpoint.
type Introspector interface {
	// Introspect gives the claims of a token that holds, as JSON. One that does not
	// hold is an error of errors.go, or another that its bearer may read; an
	// academy that can't be asked is one of code unavailable.
	Introspect(ctx context.Context, token string) ([]byte, error)
}

// Claims are what a token says of its bearer, whatever its source.
type Claims struct {
	// UserID is the claim user_id, else sub.
	UserID    string
	Email     string
	Roles     []string
	CourseIDs []string
	ExpiresAt time.Time
}

// Actor checks the claims and makes the actor of them. Roles that this server
// doesn't know give no rights and are left out. The times are the verifier's
// to check.
func (c Claims) Actor() (Actor, error) {
	if !UsableID(c.UserID) {
		return Actor{}, ErrClaim.New("user_id")
	}
	if c.ExpiresAt.IsZero() {
		return Actor{}, ErrClaim.New("exp")
	}
	actor := Actor{UserID: c.UserID, ExpiresAt: c.ExpiresAt}
	if len(c.Email) <= 320 && printable(c.Email) {
		actor.Email = c.Email
	}
	for _, name := range c.Roles {
		switch role := Role(name); role {
		case Student, Teacher, Admin:
			if !actor.Has(role) {
				actor.Roles = append(actor.Roles, role)
			}
		}
	}
	for _, id := range c.CourseIDs {
		if !UsableID(id) {
			return Actor{}, ErrClaim.New("course_ids")
		}
	}
	actor.CourseIDs = c.CourseIDs
	return actor, nil
}

// UsableID reports whether an id of the academy can be taken: 1 to 36 characters
// that can stand in a log line, a header and a database.
func UsableID(id string) bool {
	return id != "" && utf8.RuneCountInString(id) <= maxID && printable(id)
}

// printable: text that can stand in a log line, a header and a database.
func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return false
		}
	}
	return true
}
