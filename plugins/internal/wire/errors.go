package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
)

const (
	maxErrorBody = 64 << 10
	maxInfoBody  = 8 << 20
)

// Failure is what a provider said of an error.
type Failure struct {
	Message string
	// Code, if set, is more exact than what follows from the HTTP status.
	Code *llm.Code
}

// RefusedError is an HTTP error of the provider: the typed error and what it was
// about, so that the caller can go on without the feature at fault.
type RefusedError struct {
	Typed  *llm.Error
	Status int
	// text is everything that the provider said, lower-case.
	text string
}

// Error renders the typed error.
func (e *RefusedError) Error() string { return e.Typed.Error() }

// Unwrap lets errors.As find the typed error.
func (e *RefusedError) Unwrap() error { return e.Typed }

// About says whether the provider refused the request because of a feature.
func (e *RefusedError) About(features ...string) bool {
	return slices.Contains([]int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotImplemented}, e.Status) &&
		slices.ContainsFunc(features, func(f string) bool { return strings.Contains(e.text, f) })
}

// statusOverloaded is Anthropic's "try again later".
const statusOverloaded = 529

// fromResponse reads an error answer. Secrets never get into the message.
func (c *Client) fromResponse(res *http.Response, now time.Time) *RefusedError {
	raw, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	failure := c.Protocol.Failure(raw)
	if failure.Message == "" {
		failure.Message = string(raw) // servers that answer something else are read as plain text
	}
	e := &llm.Error{Message: c.redact(failure.Message), RetryAfter: retryAfter(res.Header, now)}
	switch s := res.StatusCode; {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		e.Code = llm.CodeUnauthenticated
		// The provider's own words echo parts of the key.
		e.Message = "the provider refused the key (HTTP " + strconv.Itoa(s) + "); check " + c.Names.Key + " and the key's rights"
	case failure.Code != nil:
		e.Code = *failure.Code
	case s == http.StatusTooManyRequests:
		e.Code = llm.CodeRateLimited
	case s == http.StatusNotImplemented:
		e.Code = llm.CodeUnsupported
	case s == http.StatusRequestTimeout || s == http.StatusConflict || s == http.StatusTooEarly || s == statusOverloaded || s >= 500:
		e.Code = llm.CodeUnavailable
	case s >= 300 && s < 400:
		e.Code = llm.CodeUnavailable
		e.Message = "the provider redirects elsewhere; check " + c.Names.URL
	default:
		e.Code = llm.CodeInvalidRequest
	}
	if e.Message == "" {
		e.Message = "the provider answered HTTP " + strconv.Itoa(res.StatusCode) + " without a word"
	}
	return &RefusedError{Typed: e, Status: res.StatusCode, text: strings.ToLower(string(raw))}
}

// Ask asks a server about itself; it is no call of langchaingo's.
func (c *Client) Ask(ctx context.Context, method, address string, send, into any) error {
	var body io.Reader
	if send != nil {
		raw, err := json.Marshal(send)
		if err != nil {
			return llm.Errorf(llm.CodeInternal, "write request: %v", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return llm.Errorf(llm.CodeInternal, "write request: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Prepare != nil {
		c.Prepare(req)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fromTransport(ctx, err, c.Secrets, llm.CodeUnavailable)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return c.fromResponse(res, time.Now())
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxInfoBody)).Decode(into); err != nil {
		return llm.Errorf(llm.CodeUnavailable, "read what %s says of itself: %v; check %s", req.URL.Path, err, c.Names.URL)
	}
	return nil
}

// fromTransport types what net/http returns. URLs are left out: a base URL may
// hold what nobody else should read. code is for what is nobody's clock.
func fromTransport(ctx context.Context, err error, secrets []string, code llm.Code) error {
	var typed *llm.Error
	if errors.As(context.Cause(ctx), &typed) {
		return typed
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		return llm.Errorf(llm.CodeDeadline, "the provider did not answer in time")
	case ctx.Err() != nil:
		return llm.Errorf(llm.CodeCanceled, "the caller gave up")
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return llm.Errorf(code, "reach the provider: %s", redact(err.Error(), secrets))
}

// watchSent notices when the whole of a request of ctx was written.
func watchSent(ctx context.Context) (context.Context, *atomic.Bool) {
	sent := new(atomic.Bool)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(w httptrace.WroteRequestInfo) {
		if w.Err == nil {
			sent.Store(true)
		}
	}}), sent
}

// lost is what it means when nothing comes back: a provider that has the request
// may charge for it.
func lost(sent *atomic.Bool) llm.Code {
	if sent.Load() {
		return llm.CodeInterrupted
	}
	return llm.CodeUnavailable
}

func (c *Client) redact(s string) string { return redact(s, c.Secrets) }

func redact(s string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[key]")
		}
	}
	return strings.TrimSpace(strings.ToValidUTF8(s, "�"))
}

// retryAfter reads Retry-After (seconds or a date) and OpenAI's retry-after-ms.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return clampWait(ms / 1000)
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
		return clampWait(s)
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return clampWait(at.Sub(now).Seconds())
	}
	return 0
}

func clampWait(seconds float64) time.Duration {
	return time.Duration(min(seconds, (24*time.Hour).Seconds()) * float64(time.Second))
}
