// Package client speaks the academy's HTTP.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/goals-tracker/tracker/modules/academy"
)

const (
	// maxAnswer is far above any answer of the contract, in bytes.
	maxAnswer = 1 << 20
	// attempts is how often a question is sent: it changes nothing, so sending it
	// again is safe.
	attempts = 3
	// maxConns is how many questions are open at once; others wait.
	maxConns = 32
)

// standIn marks the answers of the academy's stand-in, whose people and
// passwords everybody knows.
const standIn = "stand-in"

var errStandIn = errors.New("USER_SERVICE_URL leads to the academy's stand-in, which is for development only (server.dev)")

// errNone is the academy's 404.
var errNone = errors.New("the academy has none")

// Client is one academy. It is safe for concurrent use.
type Client struct {
	base    string
	key     string
	timeout time.Duration
	dev     bool
	http    *http.Client
	// Lookups and validations fail apart: people can work on while nobody's name
	// can be looked up, and the other way round.
	lookups, validations *gobreaker.CircuitBreaker[[]byte]
	service              serviceKey
}

// New makes a client; nothing is sent yet.
func New(cfg academy.Config) *Client {
	return &Client{
		base:    strings.TrimRight(cfg.URL, "/"),
		key:     cfg.Key.Reveal(),
		timeout: cfg.Timeout,
		dev:     cfg.AllowStandIn,
		http: &http.Client{Transport: transport(), CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the service key goes nowhere else
		}},
		lookups:     breaker("academy lookups", cfg.Pause),
		validations: breaker("academy validations", cfg.Pause),
		service:     serviceKey{pause: cfg.Pause},
	}
}

func breaker(name string, pause time.Duration) *gobreaker.CircuitBreaker[[]byte] {
	return gobreaker.NewCircuitBreaker[[]byte](gobreaker.Settings{
		Name:         name,
		MaxRequests:  1,
		Timeout:      pause,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 5 },
		IsSuccessful: func(err error) bool { return err == nil || isAnswer(err) || errors.Is(err, context.Canceled) },
	})
}

// isAnswer tells what the academy decided from what kept it from deciding.
func isAnswer(err error) bool {
	var refusal *refusedError
	return errors.Is(err, errNone) ||
		errors.As(err, &refusal) && !refusal.unknownKey() && refusal.status < http.StatusInternalServerError && refusal.status != http.StatusTooManyRequests
}

func (c *Client) get(ctx context.Context, path string, into any) (bool, error) {
	body, err := c.ask(ctx, c.lookups, http.MethodGet, path, nil)
	if errors.Is(err, errNone) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask the academy for %s: %w", path, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return false, fmt.Errorf("read the academy's answer to %s: %w", path, err)
	}
	return true, nil
}

// ask sends a question until it is answered, a few times, with pauses of
// different lengths so that replicas don't come all at once.
func (c *Client) ask(ctx context.Context, guard *gobreaker.CircuitBreaker[[]byte], method, path string, body []byte) ([]byte, error) {
	var answer []byte
	var err error
	for attempt := range attempts {
		if attempt > 0 {
			pause := 20 * time.Millisecond << (2 * attempt)
			select {
			case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // it spreads retries, it guards nothing
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		answer, err = guard.Execute(func() ([]byte, error) { return c.once(ctx, method, path, body) })
		if err == nil || !worthRetry(err) {
			break
		}
	}
	return answer, err
}

// transport is this client's own, so that Close can end its connections.
func transport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if base, ok := http.DefaultTransport.(*http.Transport); ok {
		t = base.Clone()
	}
	t.MaxConnsPerHost, t.MaxIdleConnsPerHost = maxConns, maxConns
	return t
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Check fails when the academy is the stand-in and that is not allowed. An
// academy that can't be reached passes: it is asked again with every lookup.
func (c *Client) Check(ctx context.Context) error {
	if _, err := c.once(ctx, http.MethodGet, "/healthz", nil); errors.Is(err, errStandIn) {
		return err
	}
	return nil
}

// refusedError is an answer that is neither what was asked for nor 404.
type refusedError struct {
	status int
	// code and reason are the body's, where it has them.
	code, reason string
	// lookup: all that could be refused is the key.
	lookup bool
}

// Error implements error.
func (s *refusedError) Error() string {
	if s.unknownKey() {
		return fmt.Sprintf("it answered %d: it does not know the SERVICE_API_KEY of this server", s.status)
	}
	return strings.TrimSpace(fmt.Sprintf("it answered %d %s", s.status, s.code))
}

// unknownKey reports whether the refusal is about the service key for sure, not
// about what was asked.
func (s *refusedError) unknownKey() bool {
	return s.denied() && (s.lookup || s.reason == "service_key")
}

// unclear reports whether it may be about the service key as well as about the
// token.
func (s *refusedError) unclear() bool {
	return s.denied() && !s.unknownKey() && s.code != "invalid_token"
}

func (s *refusedError) denied() bool {
	return s.status == http.StatusUnauthorized || s.status == http.StatusForbidden
}

func worthRetry(err error) bool {
	var refused *refusedError
	if errors.As(err, &refused) {
		switch refused.status {
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	return !errors.Is(err, errNone) && !errors.Is(err, errStandIn) && !errors.Is(err, context.Canceled) &&
		!errors.Is(err, gobreaker.ErrOpenState) && !errors.Is(err, gobreaker.ErrTooManyRequests)
}

func (c *Client) once(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.Header.Get("X-Academy") == standIn && !c.dev {
		return nil, errStandIn
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case response.StatusCode == http.StatusNotFound && method == http.MethodGet:
		return nil, errNone
	case response.StatusCode != http.StatusOK:
		return nil, refusal(response.StatusCode, answer, method == http.MethodGet)
	case err == nil && len(answer) > maxAnswer:
		err = fmt.Errorf("its answer is longer than %d bytes", maxAnswer)
	}
	return answer, err
}

func refusal(status int, body []byte, lookup bool) *refusedError {
	var said struct {
		Code   string `json:"code"`
		Reason string `json:"reason"`
	}
	_ = json.Unmarshal(body, &said) // a body that says nothing is no matter
	return &refusedError{status: status, code: said.Code, reason: said.Reason, lookup: lookup}
}
