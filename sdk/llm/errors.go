package llm

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies why a call could not be answered. What the caller should do
// next follows from it.
type Code int

// The codes of an [Error].
const (
	// CodeInternal is a defect of the plugin or an answer it could not read.
	CodeInternal Code = iota
	// CodeRateLimited is a rate limit or an exhausted quota; see RetryAfter.
	CodeRateLimited
	// CodeUnauthenticated means that the provider refused the key.
	CodeUnauthenticated
	// CodeInvalidRequest means that this request can never work.
	CodeInvalidRequest
	// CodeUnavailable means that the provider was not reached or did not take the
	// request: trying again later may work, and nothing is charged.
	CodeUnavailable
	// CodeUnsupported means that the model can't do what was asked.
	CodeUnsupported
	// CodeDeadline means that the call's time ran out.
	CodeDeadline
	// CodeCanceled means that the caller gave up.
	CodeCanceled
	// CodeInterrupted means that the request was sent, and the answer to it did
	// not come, or not whole: trying again later may work, but the provider may
	// charge for this call.
	CodeInterrupted
)

var codeNames = [...]string{
	"internal", "rate_limited", "unauthenticated", "invalid_request",
	"unavailable", "unsupported", "deadline", "canceled", "interrupted",
}

// String names the code in lower case.
func (c Code) String() string {
	if c < 0 || int(c) >= len(codeNames) {
		return codeNames[CodeInternal]
	}
	return codeNames[c]
}

// Error is the error that a plugin's functions return, and that the tracker
// gets back. Message must never hold a key or what a learner wrote.
type Error struct {
	Code    Code
	Message string
	// RetryAfter is how long the provider asked to wait; 0 when it did not say.
	RetryAfter time.Duration
}

// Error renders the code and the message.
func (e *Error) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("%s: %s (retry after %s)", e.Code, e.Message, e.RetryAfter)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Errorf makes an [Error] of a code and a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of the [Error] in err's chain, and CodeInternal when
// there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
