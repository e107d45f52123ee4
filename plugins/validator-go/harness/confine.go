//go:build judge

package judge

import (
	"syscall"
	"unsafe"
)

const (
	setDumpable    = 4 // PR_SET_DUMPABLE
	filterMode     = 1 // SECCOMP_SET_MODE_FILTER
	allThreads     = 1 // SECCOMP_FILTER_FLAG_TSYNC
	allow          = 0x7fff0000
	refuse         = 0x00050000 | uint32(syscall.EPERM)
	load           = 0x20 // BPF_LD | BPF_W | BPF_ABS
	jumpIfEqual    = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	give           = 0x06 // BPF_RET | BPF_K
	atNumber       = 0    // offsets in struct seccomp_data
	atFirst        = 16
	firstFreeFD    = 200
	duplicateAbove = 1030 // F_DUPFD_CLOEXEC
	nothing        = 1<<32 - 1
)

// stay says that nobody may leave the folder of the tests: what lies there is the
// task's. The linker sets it.
var stay string

type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

// confine keeps the key in this process: its memory can't be opened as a file,
// and no later call makes it so again. What the process prints and what it
// complains about become one stream, so that their order is known, and frames
// go out by a descriptor that survives a closed standard output.
func confine() {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setDumpable, 0, 0); errno != 0 {
		die("can't hide the process's memory: " + errno.Error())
	}
	leave, leaveTo := uint32(nothing), uint32(nothing)
	if stay != "" {
		leave, leaveTo = syscall.SYS_CHDIR, syscall.SYS_FCHDIR
	}
	program := []instruction{
		{load, 0, 0, atNumber},
		{jumpIfEqual, 4, 0, leave},
		{jumpIfEqual, 3, 0, leaveTo},
		{jumpIfEqual, 0, 3, syscall.SYS_PRCTL},
		{load, 0, 0, atFirst},
		{jumpIfEqual, 0, 1, setDumpable},
		{give, 0, 0, refuse},
		{give, 0, 0, allow},
	}
	filter := struct {
		length uint16
		first  *instruction
	}{uint16(len(program)), &program[0]}
	if _, _, errno := syscall.RawSyscall(seccomp, filterMode, allThreads, uintptr(unsafe.Pointer(&filter))); errno != 0 {
		die("can't lock the process's memory: " + errno.Error())
	}
	if err := syscall.Dup3(1, 2, 0); err != nil {
		die("can't join the outputs: " + err.Error())
	}
	if fd, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, 1, duplicateAbove, firstFreeFD); errno == 0 {
		output = int(fd)
	}
}
