package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

const (
	// keysFresh is how long published keys are taken without a look for new ones.
	keysFresh = 10 * time.Minute
	// keysHold is how long they hold while the issuer can't be asked.
	keysHold = 24 * time.Hour
	// keysWait is how long a request waits for keys that are being fetched.
	keysWait = 3 * time.Second
)

// errTooOften: keys were looked for a moment ago, so it is not done again yet.
var errTooOften = errors.New("keys were fetched a moment ago")

// keyStore holds an issuer's published keys for keyfunc. A key that is not
// known is looked for at the issuer, but no more often than from.Pause allows,
// however many tokens name keys that nobody has.
type keyStore struct {
	jwkset.Storage
	from   KeysFrom
	logger *slog.Logger
	limit  *rate.Limiter
	flight singleflight.Group

	mu      sync.Mutex
	fetched time.Time
}

func newKeyStore(from KeysFrom, logger *slog.Logger) (*keyStore, error) {
	from, err := from.withDefaults()
	if err != nil {
		return nil, err
	}
	return &keyStore{
		Storage: jwkset.NewMemoryStorage(), from: from, logger: logger,
		limit: rate.NewLimiter(rate.Every(from.Pause), 2),
	}, nil
}

// KeyRead implements jwkset.Storage.
func (s *keyStore) KeyRead(ctx context.Context, id string) (jwkset.JWK, error) {
	if err := s.ready(ctx); err != nil {
		return jwkset.JWK{}, err
	}
	key, err := s.Storage.KeyRead(ctx, id)
	if err == nil || !errors.Is(err, jwkset.ErrKeyNotFound) {
		return key, err
	}
	// The issuer may have begun to sign with a new key.
	switch refreshed := s.refresh(ctx); {
	case errors.Is(refreshed, errTooOften):
		// Too often, since somebody else has just done it: perhaps it is here now.
	case refreshed != nil:
		return jwkset.JWK{}, busy(refreshed)
	}
	return s.Storage.KeyRead(ctx, id)
}

// KeyReadAll implements jwkset.Storage, for tokens that name no key.
func (s *keyStore) KeyReadAll(ctx context.Context) ([]jwkset.JWK, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return s.Storage.KeyReadAll(ctx)
}

// ready sees to it that there are keys. Those that have grown old are fetched
// anew in the background, so that nobody waits for it.
func (s *keyStore) ready(ctx context.Context) error {
	s.mu.Lock()
	age := time.Since(s.fetched)
	s.mu.Unlock()
	switch {
	case age < keysFresh:
		return nil
	case age < keysHold:
		s.flight.DoChan("", s.fetch)
		return nil
	}
	if err := s.refresh(ctx); err != nil {
		return busy(err)
	}
	return nil
}

// refresh fetches the keys; those who ask at the same time share one request.
func (s *keyStore) refresh(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, keysWait)
	defer cancel()
	select {
	case result := <-s.flight.DoChan("", s.fetch):
		return result.Err
	case <-wait.Done():
		return wait.Err()
	}
}

func (s *keyStore) fetch() (any, error) {
	if !s.limit.Allow() {
		return nil, errTooOften
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.from.Timeout) //nolint:forbidigo // many wait for it, so it is nobody's alone
	defer cancel()
	keys, err := s.from.fetch(ctx)
	if err != nil {
		s.logger.Warn("the issuer's published keys can't be read", "source", s.from.name(), "error", err)
		return nil, err
	}
	usable := usableKeys(keys, s.logger)
	if err := s.KeyReplaceAll(ctx, usable); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.fetched = time.Now()
	s.mu.Unlock()
	return nil, nil //nolint:nilnil // the keys are in the store
}

func busy(cause error) error {
	return errs.Busy.New(errs.Say("The academy's sign-in", "El inicio de sesión de la academia")).Because(cause).After(5 * time.Second)
}
