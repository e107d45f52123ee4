// Package wire is the language that the host and the sandbox's pid 1 speak on
// their control socket: length-prefixed frames, each a kind and a body.
//
// It owns the messages and their encoding. It is written by hand because pid 1
// starts for every step, and a reflection-based codec would be most of its
// start-up; everything read is bounded and checked, as either side may be
// confused by hostile content that passes through.
package wire

// Version is refused by pid 1 when the host speaks another one, so that a
// sandbox-init left over from an older build is noticed and not half obeyed.
const Version = 5
