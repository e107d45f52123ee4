package seccomp

import "golang.org/x/sys/unix"

const (
	nativeArch = unix.AUDIT_ARCH_AARCH64
	// foreignBit is 0: 32-bit calls carry an architecture id of their own.
	foreignBit = 0
)

var deniedNative []uint32
