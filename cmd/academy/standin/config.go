package standin

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// The secrets used when none are configured. They are public, and start as
// sample secrets do, so the tracker refuses them outside dev mode.
const (
	SampleSecretKey     = "shared-secret-key-for-development-only"
	SampleServiceAPIKey = "YOUR_SERVICE_API_KEY_for_development_only"
)

// The algorithms an academy can sign with. One academy uses exactly one.
const (
	HS256 = "HS256" // shared SECRET_KEY, the default
	RS256 = "RS256" // own key, public half on /.well-known/jwks.json
)

// maxID is the longest id of a user or a course, in characters.
const maxID = 36

// Config says how an academy stand-in behaves. The zero value works.
type Config struct {
	// SecretKey signs tokens with HS256 and is shared with the tracker.
	// At least 32 bytes. Defaults to SampleSecretKey.
	SecretKey string
	// ServiceAPIKey is what services present as "Authorization: Bearer".
	// Defaults to SampleServiceAPIKey.
	ServiceAPIKey string
	// Algorithm is HS256 or RS256. Defaults to HS256.
	Algorithm string
	// PrivateKey signs with RS256. Defaults to a fresh 2048-bit key.
	PrivateKey *rsa.PrivateKey
	// Issuer is the "iss" claim. Defaults to "pixel-verse-academy". One that is
	// this server's address can be discovered (OIDC).
	Issuer string
	// Audience is the "aud" claim. Defaults to none.
	Audience string
	// Events gets what happens to people and courses. Defaults to nobody.
	Events Publisher
	// TokenTTL is how long an access token lives. Defaults to 1 hour.
	TokenTTL time.Duration
	// RefreshTTL is how long a refresh token lives. Defaults to 30 days.
	RefreshTTL time.Duration
	// RedirectURIs are allowed as redirect_uri beside loopback http and
	// vscode://. Scheme, host and path must match exactly; queries may differ.
	RedirectURIs []string
	// Users are the people it knows. Defaults to SampleUsers().
	Users []User
	// Courses are the courses it knows. Defaults to SampleCourses().
	Courses []Course
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Logger gets one line a request, never a query string. Defaults to none.
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.SecretKey == "" {
		c.SecretKey = SampleSecretKey
	}
	if c.ServiceAPIKey == "" {
		c.ServiceAPIKey = SampleServiceAPIKey
	}
	if c.Algorithm == "" {
		c.Algorithm = HS256
	}
	if c.Issuer == "" {
		c.Issuer = "pixel-verse-academy"
	}
	if c.TokenTTL == 0 {
		c.TokenTTL = time.Hour
	}
	if c.RefreshTTL == 0 {
		c.RefreshTTL = 30 * 24 * time.Hour
	}
	if c.Users == nil {
		c.Users = SampleUsers()
	}
	if c.Courses == nil {
		courses, err := SampleCourses()
		if err != nil {
			return c, err
		}
		c.Courses = courses
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, c.validate()
}

func (c Config) validate() error {
	var errs []error
	if len(c.SecretKey) < 32 {
		errs = append(errs, fmt.Errorf("SECRET_KEY has %d bytes: HS256 needs at least 32; make one with `openssl rand -hex 32`", len(c.SecretKey)))
	}
	if c.Algorithm != HS256 && c.Algorithm != RS256 {
		errs = append(errs, fmt.Errorf("algorithm %q: choose %s or %s", c.Algorithm, HS256, RS256))
	}
	if c.TokenTTL < 0 || c.RefreshTTL < 0 {
		errs = append(errs, fmt.Errorf("token lifetimes %s and %s: both must be positive", c.TokenTTL, c.RefreshTTL))
	}
	for _, uri := range c.RedirectURIs {
		if _, err := parseRedirect(uri); err != nil {
			errs = append(errs, fmt.Errorf("allowed redirect URI: %w", err))
		}
	}
	return errors.Join(errs...)
}
