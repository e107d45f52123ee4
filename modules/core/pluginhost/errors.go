package pluginhost

import (
	"errors"
	"fmt"
)

// Why a call did not give an answer. Match them with errors.Is.
var (
	// ErrUnknown: no plugin of that name and kind is listed and enabled.
	ErrUnknown = errors.New("no such plugin")
	// ErrClosed: the host is closed.
	ErrClosed = errors.New("the plugin host is closed")
	// ErrQuarantined: it crashed too often; an operator should look at it.
	ErrQuarantined = errors.New("plugin is quarantined")
	// ErrUnavailable: it could not be started, or died during the call. Trying
	// again later may work.
	ErrUnavailable = errors.New("plugin is not available")
	// ErrDeadline: it did not answer in time.
	ErrDeadline = errors.New("plugin did not answer in time")
	// ErrTooLarge: a message was larger than 32 MiB.
	ErrTooLarge = errors.New("message is too large")
	// ErrRefused: the plugin answered with an error.
	ErrRefused = errors.New("plugin answered with an error")
)

// CallError is the error of every call: nothing was judged or generated.
type CallError struct {
	Plugin string
	// Op is what was asked: "Plan".
	Op string
	// Reason is one of the errors above.
	Reason error
	// Err is the cause; a gRPC status error where the plugin gave one.
	Err error
}

// Error implements error.
func (e *CallError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s of plugin %s: %v", e.Op, e.Plugin, e.Reason)
	}
	return fmt.Sprintf("%s of plugin %s: %v: %v", e.Op, e.Plugin, e.Reason, e.Err)
}

// Unwrap gives reason and cause to errors.Is and errors.As.
func (e *CallError) Unwrap() []error { return []error{e.Reason, e.Err} }

// Retryable says whether the same call may work later.
func (e *CallError) Retryable() bool {
	return errors.Is(e.Reason, ErrUnavailable) || errors.Is(e.Reason, ErrDeadline) || errors.Is(e.Reason, ErrQuarantined)
}
