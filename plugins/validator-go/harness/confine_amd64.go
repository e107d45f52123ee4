//go:build judge

package judge

const seccomp = 317
