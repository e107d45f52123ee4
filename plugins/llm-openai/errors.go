package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
)

const maxErrorBody = 64 << 10

// apiError is an HTTP error of the provider: the typed error and what it was
// about, so that the caller can go on without the feature at fault.
type apiError struct {
	typed  *llm.Error
	status int
	// text is everything that the provider said, lower-case.
	text string
}

// Error renders the typed error.
func (e *apiError) Error() string { return e.typed.Error() }

// Unwrap lets errors.As find the typed error.
func (e *apiError) Unwrap() error { return e.typed }

// about says whether the provider refused the request because of a feature.
func (e *apiError) about(features ...string) bool {
	return slices.Contains([]int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotImplemented}, e.status) &&
		slices.ContainsFunc(features, func(f string) bool { return strings.Contains(e.text, f) })
}

// errorObject is the body of an error, or an event in the middle of a stream.
type errorObject struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   string `json:"param"`
	Code    any    `json:"code"`
}

// fromResponse reads an error answer. The key never gets into the message.
func fromResponse(res *http.Response, key string, now time.Time) *apiError {
	raw, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	var body struct {
		Error errorObject `json:"error"`
	}
	// Servers that answer something else are read as plain text.
	if json.Unmarshal(raw, &body) != nil || body.Error.Message == "" {
		body.Error.Message = string(raw)
	}
	e := &llm.Error{Message: redact(body.Error.Message, key), RetryAfter: retryAfter(res.Header, now)}
	switch s := res.StatusCode; {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		e.Code = llm.CodeUnauthenticated
		// The provider's own words echo parts of the key.
		e.Message = "the provider refused the key (HTTP " + strconv.Itoa(s) + "); check OPENAI_API_KEY and the key's rights"
	case s == http.StatusTooManyRequests:
		e.Code = llm.CodeRateLimited
	case s == http.StatusNotImplemented:
		e.Code = llm.CodeUnsupported
	case s == http.StatusRequestTimeout || s == http.StatusConflict || s == http.StatusTooEarly || s >= 500:
		e.Code = llm.CodeUnavailable
	case s >= 300 && s < 400:
		e.Code = llm.CodeUnavailable
		e.Message = "the provider redirects elsewhere; check OPENAI_BASE_URL"
	default:
		e.Code = llm.CodeInvalidRequest
	}
	if e.Message == "" {
		e.Message = "the provider answered HTTP " + strconv.Itoa(res.StatusCode) + " without a word"
	}
	return &apiError{typed: e, status: res.StatusCode, text: strings.ToLower(string(raw))}
}

// fromEvent types an error that came in the middle of a stream.
func fromEvent(o errorObject, key string) *llm.Error {
	e := &llm.Error{Code: llm.CodeUnavailable, Message: redact(o.Message, key)}
	code, _ := o.Code.(string)
	switch {
	case strings.Contains(o.Type+code, "rate_limit"), strings.Contains(o.Type+code, "insufficient_quota"):
		e.Code = llm.CodeRateLimited
	case strings.Contains(o.Type, "invalid_request"):
		e.Code = llm.CodeInvalidRequest
	}
	return e
}

// fromTransport types what net/http returns. URLs are left out: a base URL may
// hold what nobody else should read.
func fromTransport(ctx context.Context, err error, key string) error {
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
	return llm.Errorf(llm.CodeUnavailable, "reach the provider: %s", redact(err.Error(), key))
}

func redact(s, key string) string {
	if key != "" {
		s = strings.ReplaceAll(s, key, "[key]")
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
