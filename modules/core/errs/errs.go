// Package errs is the one table of what can go wrong for a caller: codes, how
// each is said on Connect and HTTP, and errors that carry their text in English
// and Spanish.
//
// Everything that is not an *Error is internal: its text never leaves the
// server. It is not a logging package.
package errs

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Code says what kind of failure it is, in gRPC's terms.
type Code string

// The codes that callers meet.
const (
	InvalidArgument    Code = "invalid_argument"
	Unauthenticated    Code = "unauthenticated"
	PermissionDenied   Code = "permission_denied"
	NotFound           Code = "not_found"
	AlreadyExists      Code = "already_exists"
	FailedPrecondition Code = "failed_precondition"
	Aborted            Code = "aborted"
	ResourceExhausted  Code = "resource_exhausted"
	Unavailable        Code = "unavailable"
	DeadlineExceeded   Code = "deadline_exceeded"
	Canceled           Code = "canceled"
	Unimplemented      Code = "unimplemented"
	Internal           Code = "internal"
)

// HTTPStatus is the status that REST answers with for the code.
func (c Code) HTTPStatus() int {
	if status, ok := httpStatus[c]; ok {
		return status
	}
	return http.StatusInternalServerError
}

var httpStatus = map[Code]int{
	InvalidArgument:    http.StatusBadRequest,
	Unauthenticated:    http.StatusUnauthorized,
	PermissionDenied:   http.StatusForbidden,
	NotFound:           http.StatusNotFound,
	AlreadyExists:      http.StatusConflict,
	FailedPrecondition: http.StatusConflict,
	Aborted:            http.StatusConflict,
	ResourceExhausted:  http.StatusTooManyRequests,
	Unavailable:        http.StatusServiceUnavailable,
	DeadlineExceeded:   http.StatusGatewayTimeout,
	Canceled:           499,
	Unimplemented:      http.StatusNotImplemented,
	Internal:           http.StatusInternalServerError,
}

// Field is what is wrong with one field of a request.
type Field struct {
	// Path is dotted, in the request's own names: "files[2].path".
	Path string `json:"field"`
	// Message says what is wrong, in English.
	Message string `json:"message"`
}

// Kind is a failure that has a name. Make one per failure at package level.
type Kind struct {
	Code Code
	// Reason is the stable, machine-readable name: "goal_not_found".
	Reason  string
	english string
	spanish string
}

// Define makes a kind. English and spanish are fmt formats over the same
// arguments; they say what happened and what the reader can do.
func Define(code Code, reason, english, spanish string) *Kind {
	return &Kind{Code: code, Reason: reason, english: english, spanish: spanish}
}

// New makes an error of the kind. Whoever reads Spanish reads all of it, so parts
// that are sentences come as Words.
func (k *Kind) New(args ...any) *Error {
	return &Error{Kind: k, English: fmt.Sprintf(k.english, english(args)...), Spanish: fmt.Sprintf(k.spanish, spanish(args)...)}
}

// Words are a part of a message in both languages.
type Words struct{ English, Spanish string }

// Say makes words. Both are fmt formats over the same arguments, which may be
// Words, too.
func Say(inEnglish, inSpanish string, args ...any) Words {
	return Words{fmt.Sprintf(inEnglish, english(args)...), fmt.Sprintf(inSpanish, spanish(args)...)}
}

// String is the English text, for logs.
func (w Words) String() string { return w.English }

func english(args []any) []any {
	return choose(args, func(w Words) string { return w.English })
}

func spanish(args []any) []any {
	return choose(args, func(w Words) string { return w.Spanish })
}

func choose(args []any, language func(Words) string) []any {
	chosen := make([]any, len(args))
	for i, arg := range args {
		if words, ok := arg.(Words); ok {
			arg = language(words)
		}
		chosen[i] = arg
	}
	return chosen
}

// Is reports whether err is of this kind.
func (k *Kind) Is(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == k
}

// Error is a failure that the caller may read.
type Error struct {
	Kind    *Kind
	English string
	Spanish string
	// Fields says which fields are wrong.
	Fields []Field
	// Details are machine-readable facts: {"version": "7"}.
	Details map[string]string
	// RetryAfter is how long to wait; 0 says nothing.
	RetryAfter time.Duration
	cause      error
}

// Error is the English text, with the cause for logs.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.English + ": " + e.cause.Error()
	}
	return e.English
}

// Unwrap gives the cause, which never leaves the server.
func (e *Error) Unwrap() error { return e.cause }

// Because attaches the cause for logs.
func (e *Error) Because(cause error) *Error { e.cause = cause; return e }

// WithDetail adds a machine-readable fact.
func (e *Error) WithDetail(key, value string) *Error {
	if e.Details == nil {
		e.Details = map[string]string{}
	}
	e.Details[key] = value
	return e
}

// WithField adds what is wrong with one field.
func (e *Error) WithField(path, message string) *Error {
	e.Fields = append(e.Fields, Field{Path: path, Message: message})
	return e
}

// After says how long to wait before trying again.
func (e *Error) After(wait time.Duration) *Error { e.RetryAfter = wait; return e }

// Text is the message in a language: Spanish for "es", else English.
func (e *Error) Text(language string) string {
	if language == "es" && e.Spanish != "" {
		return e.Spanish
	}
	return e.English
}

// CodeOf is the code of err; Internal when it isn't an *Error.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind.Code
	}
	return Internal
}
