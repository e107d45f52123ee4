package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/core/config"
)

// Source says who vouches for tokens. One holds at a time: a token that another
// source would take is refused.
type Source string

// The sources.
const (
	// Secret: tokens are signed with a key that both sides know (HS256).
	FromSecret Source = "secret"
	// Published: tokens are signed with a private key, whose public half the
	// issuer publishes (JWKS, found by OIDC discovery where its address is not set).
	FromJWKS Source = "jwks"
	// Asked: the academy is asked what each token says.
	FromAcademy Source = "academy"
)

// Config is how tokens are checked.
type Config struct {
	// Source is secret, jwks or academy. Defaults to secret.
	Source Source `koanf:"source"`
	// SecretKey signs the academy's tokens (HS256). Required where the source is
	// secret.
	SecretKey config.Secret `koanf:"secret_key" env:"SECRET_KEY"`
	// PreviousSecretKey still holds while keys are rotated. Defaults to none.
	PreviousSecretKey config.Secret `koanf:"previous_secret_key"`
	// SecretKeys hold too, each for tokens whose header names it as kid. Defaults to
	// none.
	SecretKeys map[string]config.Secret `koanf:"secret_keys"`
	// JWKSURL is where public keys are published. Empty: it is discovered from the
	// issuer where that is an address (OIDC), else it is
	// /.well-known/jwks.json at the academy.
	JWKSURL string `koanf:"jwks_url"`
	// Algorithms are those that published keys sign with. Defaults to RS256, ES256
	// and EdDSA.
	Algorithms []string `koanf:"algorithms"`
	// Issuer must stand in the tokens as iss. Empty: any may.
	Issuer string `koanf:"issuer"`
	// Audience lists what tokens may be for (aud). Empty: anything.
	Audience []string `koanf:"audience"`
	// AskAgain is how long the academy's word on a token holds, at most 60 s and
	// never past its exp. Defaults to 60 s.
	AskAgain time.Duration `koanf:"ask_again"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{Source: FromSecret, Algorithms: []string{"RS256", "ES256", "EdDSA"}, AskAgain: maxAsked}
}

// asymmetric are the algorithms whose keys may be published. HS256 and its
// kind are not among them: a public key would be their secret.
var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// Check refuses settings that no server may run with.
func (c Config) Check() error {
	switch c.Source {
	case FromSecret:
		if c.SecretKey == "" {
			return errors.New("SECRET_KEY is not set: it is the key that the academy signs tokens with, and both must have the same (see .env.example; `make run` makes one for development)")
		}
	case FromJWKS:
		if len(c.Algorithms) == 0 {
			return errors.New("auth.algorithms is empty, so that no token would hold: name RS256, ES256 or EdDSA")
		}
		for _, name := range c.Algorithms {
			if !slices.Contains(asymmetric, name) {
				return fmt.Errorf("auth.algorithms has %q: published keys sign with %s", name, strings.Join(asymmetric, ", "))
			}
		}
	case FromAcademy:
		if c.AskAgain <= 0 || c.AskAgain > maxAsked {
			return fmt.Errorf("auth.ask_again is %s: use more than 0 and at most %s", c.AskAgain, maxAsked)
		}
	default:
		return fmt.Errorf("auth.source is %q: use secret, jwks or academy", c.Source)
	}
	return nil
}

// minSecret is the shortest secret of HS256, in bytes (RFC 7518): whoever has one
// token can try shorter ones at home until one fits.
const minSecret = 32

// CheckStrength refuses secrets that can be guessed.
func (c Config) CheckStrength() error {
	if c.Source != FromSecret {
		return nil
	}
	secrets := map[string]config.Secret{"SECRET_KEY": c.SecretKey, "auth.previous_secret_key": c.PreviousSecretKey}
	for id, secret := range c.SecretKeys {
		secrets["auth.secret_keys."+id] = secret
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if n := len(secrets[name].Reveal()); n > 0 && n < minSecret {
			return fmt.Errorf("%s has %d bytes, HS256 needs %d: whoever has a token could find it by trying; make one with `openssl rand -hex 32` and set it here and at the academy", name, n, minSecret)
		}
	}
	return nil
}

// Sources are what the sources of tokens need beside their settings.
type Sources struct {
	// AcademyURL is the academy's base, for its JWKS; "" when there is none.
	AcademyURL string
	// Academy is asked about tokens; required for the source academy.
	Academy Introspector
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

// New makes the verifier that the settings ask for. It asks nobody yet, so a
// server starts while its academy is down.
func New(cfg Config, from Sources) (Verifier, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if from.Logger == nil {
		from.Logger = slog.Default()
	}
	checks := Checks{Issuer: cfg.Issuer, Audience: cfg.Audience}
	switch cfg.Source {
	case FromJWKS:
		return newPublished(cfg, checks, from)
	case FromAcademy:
		if from.Academy == nil {
			return nil, errors.New("auth.source is academy, but there is none to ask: set USER_SERVICE_URL")
		}
		return NewAsked(from.Academy, checks, cfg.AskAgain), nil
	default:
		return newShared(cfg, checks)
	}
}

func newShared(cfg Config, checks Checks) (Verifier, error) {
	secrets := []string{cfg.SecretKey.Reveal()}
	if previous := cfg.PreviousSecretKey.Reveal(); previous != "" {
		secrets = append(secrets, previous)
	}
	v, err := NewHS256(secrets...)
	if err != nil {
		return nil, err
	}
	for id, secret := range cfg.SecretKeys {
		if err := v.Name(id, secret.Reveal()); err != nil {
			return nil, err
		}
	}
	return v.Checking(checks), nil
}

func newPublished(cfg Config, checks Checks, from Sources) (Verifier, error) {
	source := KeysFrom{URL: cfg.JWKSURL}
	if source.URL == "" && isURL(cfg.Issuer) {
		source.Issuer = cfg.Issuer
	} else if source.URL == "" && from.AcademyURL != "" {
		source.URL = strings.TrimRight(from.AcademyURL, "/") + "/.well-known/jwks.json"
	}
	return NewJWKS(source, cfg.Algorithms, checks, from.Logger)
}

func isURL(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }
