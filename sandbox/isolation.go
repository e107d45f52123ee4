package sandbox

import "errors"

// Backends of Config.Backend.
const (
	// BackendNative builds rooms from this kernel's namespaces.
	BackendNative = "native"
	// BackendRunsc runs each process on a kernel of its own, gVisor's.
	BackendRunsc = "runsc"
)

// Isolation is what stands between a learner's program and the machine.
type Isolation string

// Isolations.
const (
	Namespaces   Isolation = "namespaces"
	SecondKernel Isolation = "runsc"
	// NoIsolation is what Config.UnsafeWithoutIsolation lets through.
	NoIsolation Isolation = "none"
)

// ErrOneProcess is a step of two processes on a machine without namespaces,
// where there is only one WorkDir.
var ErrOneProcess = errors.New("this machine has no namespaces, so it can't keep two processes of one step apart: plan the step as one process")
