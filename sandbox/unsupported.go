//go:build !linux || !(amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
)

// ErrUnsupported is what New returns on systems whose kernel has no namespaces.
var ErrUnsupported = errors.New("learners' code can be confined on Linux (amd64, arm64) only: run the server in a Linux machine or container")

// Runner runs steps; there is none on this system.
type Runner struct{}

// Init does nothing on this system.
func Init() {}

// New always returns ErrUnsupported.
func New(Config) (*Runner, error) { return nil, ErrUnsupported }

// Run always returns ErrUnsupported.
func (*Runner) Run(context.Context, Step) (Result, error) { return Result{}, ErrUnsupported }

// Memory is empty on this system.
func (*Runner) Memory() string { return "" }

// Isolation is empty on this system.
func (*Runner) Isolation() Isolation { return "" }

// OneProcess is false on this system.
func (*Runner) OneProcess() bool { return false }

// Unsafe is nil on this system.
func (*Runner) Unsafe() error { return nil }

// Pool keeps rooms; there are none on this system.
type Pool struct{}

// NewPool returns a pool that can't run anything.
func (*Runner) NewPool(PoolConfig) *Pool { return &Pool{} }

// Run always returns ErrUnsupported.
func (*Pool) Run(context.Context, Step) (Result, error) { return Result{}, ErrUnsupported }

// Prepare always returns ErrUnsupported.
func (*Pool) Prepare(context.Context, Step) error { return ErrUnsupported }

// Waiting is always 0 on this system.
func (*Pool) Waiting() int { return 0 }

// Close does nothing on this system.
func (*Pool) Close() error { return nil }

// Probe reports that nothing holds.
func Probe(context.Context, Config) Report {
	return Report{Err: ErrUnsupported, Layers: []Layer{{Name: "platform", State: Unavailable, Why: ErrUnsupported.Error()}}}
}
