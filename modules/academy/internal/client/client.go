// Package client speaks the academy's HTTP.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/goals-tracker/tracker/modules/academy"
)

// maxAnswer is far above any answer of the contract, in bytes.
const maxAnswer = 1 << 20

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
	breaker *gobreaker.CircuitBreaker[[]byte]
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
		breaker: gobreaker.NewCircuitBreaker[[]byte](gobreaker.Settings{
			Name:        "academy",
			MaxRequests: 1,
			Timeout:     5 * time.Second,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= 5 },
			IsSuccessful: func(err error) bool {
				return err == nil || errors.Is(err, errNone) || errors.Is(err, context.Canceled)
			},
		}),
	}
}

// User asks for a person; ok is false when there is none.
func (c *Client) User(ctx context.Context, id string) (user academy.User, ok bool, err error) {
	ok, err = c.get(ctx, "/api/users/"+url.PathEscape(id), &user)
	return user, ok, err
}

// Course asks for a course; ok is false when there is none.
func (c *Client) Course(ctx context.Context, id string) (course academy.Course, ok bool, err error) {
	ok, err = c.get(ctx, "/api/courses/"+url.PathEscape(id), &course)
	return course, ok, err
}

// Courses asks for a person's courses; ok is false when there is no such person.
func (c *Client) Courses(ctx context.Context, userID string) (courses []academy.Membership, ok bool, err error) {
	ok, err = c.get(ctx, "/api/users/"+url.PathEscape(userID)+"/courses", &courses)
	return courses, ok, err
}

// get tries twice: lookups change nothing, so a second try is safe.
func (c *Client) get(ctx context.Context, path string, into any) (bool, error) {
	var body []byte
	var err error
	for attempt := range 2 {
		if attempt > 0 {
			select {
			case <-time.After(time.Duration(20+rand.IntN(80)) * time.Millisecond): //nolint:gosec // it spreads retries, it guards nothing
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
		body, err = c.breaker.Execute(func() ([]byte, error) { return c.once(ctx, path) })
		if err == nil || !worthRetry(err) {
			break
		}
	}
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

// transport is this client's own, so that Close can end its connections.
func transport() *http.Transport {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Check fails when the academy is the stand-in and that is not allowed. An
// academy that can't be reached passes: it is asked again with every lookup.
func (c *Client) Check(ctx context.Context) error {
	if _, err := c.once(ctx, "/healthz"); errors.Is(err, errStandIn) {
		return err
	}
	return nil
}

type statusError int

func (s statusError) Error() string { return fmt.Sprintf("it answered %d", int(s)) }

func worthRetry(err error) bool {
	var status statusError
	if errors.As(err, &status) {
		return status >= http.StatusInternalServerError
	}
	return !errors.Is(err, errNone) && !errors.Is(err, errStandIn) && !errors.Is(err, context.Canceled) &&
		!errors.Is(err, gobreaker.ErrOpenState) && !errors.Is(err, gobreaker.ErrTooManyRequests)
}

func (c *Client) once(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("Accept", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	switch {
	case response.Header.Get("X-Academy") == standIn && !c.dev:
		return nil, errStandIn
	case response.StatusCode == http.StatusNotFound:
		return nil, errNone
	case response.StatusCode != http.StatusOK:
		return nil, statusError(response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("its answer is longer than %d bytes", maxAnswer)
	}
	return body, err
}
