package auth

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Access says what the middleware asks of a request.
type Access int

// The kinds of access, from the strictest.
const (
	// SignedIn needs a token in the Authorization header.
	SignedIn Access = iota
	// QueryToken also takes it from ?token= or BearerProtocol, for WebSockets of
	// browsers.
	QueryToken
	// Public needs none, and looks at none.
	Public
)

// Middleware puts the actor of each request into its context, and answers with
// refuse where there is none. A token in the query is cut out of the URL, so
// that nothing behind it can log it.
func Middleware(verifier Verifier, access func(*http.Request) Access, refuse func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			need := access(r)
			if need == Public {
				next.ServeHTTP(w, r)
				return
			}
			if actor, ok := FromContext(r.Context()); ok {
				// A call in process brings the actor of the socket it came by.
				if err := recheck(r.Context(), verifier, actor); err != nil {
					refuse(w, r, err)
					return
				}
				next.ServeHTTP(w, r)
				return
			}
			token, err := bearer(r.Header)
			if need == QueryToken {
				if other := elsewhere(r); token == "" && other != "" {
					token, err = other, nil
				}
			}
			if err != nil {
				refuse(w, r, err)
				return
			}
			actor, err := verifier.Verify(r.Context(), token)
			if err != nil {
				refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(WithActor(r.Context(), actor)))
		})
	}
}

// recheck looks again at an actor who was let in before.
func recheck(ctx context.Context, verifier Verifier, actor Actor) error {
	if err := actor.check(time.Now()); err != nil {
		return err
	}
	if again, ok := verifier.(Rechecker); ok {
		return again.Recheck(ctx, actor)
	}
	return nil
}

// check fails for nobody, and for somebody whose token has ended meanwhile.
func (a Actor) check(now time.Time) error {
	switch {
	case a.IsSystem():
		return nil
	case a.UserID == "":
		return ErrNoToken.New()
	case !a.ExpiresAt.IsZero() && now.After(a.ExpiresAt.Add(Leeway)):
		return ErrExpired.New()
	default:
		return nil
	}
}

// bearer is the token of the Authorization header.
func bearer(header http.Header) (string, error) {
	values := header.Values("Authorization")
	if len(values) == 0 {
		return "", ErrNoToken.New()
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", ErrNoToken.New()
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", ErrNoToken.New()
	}
	return token, nil
}

// takeToken moves ?token= out of the request.
func takeToken(r *http.Request) string {
	query := r.URL.Query()
	token := query.Get("token")
	if !query.Has("token") {
		return ""
	}
	query.Del("token")
	// The request is changed in place on purpose: what is logged later is this one.
	clean := *r.URL
	clean.RawQuery = query.Encode()
	r.URL = &clean
	if r.RequestURI != "" {
		r.RequestURI = (&url.URL{Path: clean.Path, RawPath: clean.RawPath, RawQuery: clean.RawQuery}).String()
	}
	return token
}
