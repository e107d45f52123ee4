// Package sandbox runs one step of hostile code: a process, or two with a
// channel between them, in rooms of their own that hold nothing but declared
// runtimes, the step's files and limits.
//
// It owns confinement (namespaces, an own root, no network, seccomp, limits on
// time, memory, output and disk), the death of everything it started, and the
// truth about how a process ended. It knows nothing of languages, tests,
// verdicts or modules; and it never runs anything unconfined unless it is told so
// by name: where the machine can't confine, New says why.
//
// Programs that use it call Init first thing in main (tests in TestMain), as
// the first process of each room is the program itself started again, unless
// the small sandbox-init lies beside it. See README.md for operators.
package sandbox
