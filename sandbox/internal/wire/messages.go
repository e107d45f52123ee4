package wire

import "time"

// Mount is one read-only bind of the host's tree.
type Mount struct {
	Source, Target string
	Optional       bool
}

// Boot builds the room: everything that doesn't depend on the job, so that a
// room can be prepared before its job is known.
type Boot struct {
	// Outside are the host's namespaces as /proc/self/ns names them: pid 1 must
	// find itself in none of them before it changes anything.
	Outside       []string
	Mounts        []Mount
	Hostname      string
	ScratchBytes  int64
	ScratchInodes int64
	// UID and GID are what the payload runs as, inside the namespace.
	UID, GID int
	// SwitchIDs is false when pid 1 itself already runs as UID (a normal user
	// can map only himself).
	SwitchIDs bool
	// Stdin and Channel say whether the payload's descriptors were handed over.
	Stdin, Channel bool
	// WarmDir asks for the folder /warm, with the files Warm.
	WarmDir bool
	Warm    []File
	// Filters is set in a room whose payload was forked before the room existed:
	// pid 1 finds it as its child, lets it confine itself, and looks whether it
	// did; so many seccomp filters must then be in force.
	Filters int
	// Bare asks for no room: there are no namespaces, or a second kernel has
	// built it. Landlock then confines the payload to Mounts and its own folders.
	Bare, Landlock bool
}

// Encode returns the body of a KindBoot frame.
func (b Boot) Encode() []byte {
	var e encoder
	e.uint(Version)
	e.strings(b.Outside)
	e.uint(uint64(len(b.Mounts)))
	for _, m := range b.Mounts {
		e.string(m.Source)
		e.string(m.Target)
		e.bool(m.Optional)
	}
	e.string(b.Hostname)
	e.int(b.ScratchBytes)
	e.int(b.ScratchInodes)
	e.int(int64(b.UID))
	e.int(int64(b.GID))
	e.bool(b.SwitchIDs)
	e.bool(b.Stdin)
	e.bool(b.Channel)
	e.bool(b.WarmDir)
	e.uint(uint64(len(b.Warm)))
	for _, f := range b.Warm {
		e.bytes(f.Encode())
	}
	e.uint(uint64(b.Filters))
	e.bool(b.Bare)
	e.bool(b.Landlock)
	return e.buf
}

// DecodeBoot reads the body of a KindBoot frame; version is the host's, and the
// rest is only meaningful when it equals Version.
func DecodeBoot(body []byte) (b Boot, version uint64, err error) {
	d := decoder{buf: body}
	version = d.uint()
	if d.err == nil && version != Version {
		return b, version, nil
	}
	b.Outside = d.strings()
	for range d.count() {
		b.Mounts = append(b.Mounts, Mount{Source: d.string(), Target: d.string(), Optional: d.bool()})
	}
	b.Hostname = d.string()
	b.ScratchBytes = d.int()
	b.ScratchInodes = d.int()
	b.UID = int(d.int())
	b.GID = int(d.int())
	b.SwitchIDs = d.bool()
	b.Stdin = d.bool()
	b.Channel = d.bool()
	b.WarmDir = d.bool()
	for range d.count() {
		f, err := DecodeFile(d.bytes())
		if err != nil {
			return b, version, err
		}
		b.Warm = append(b.Warm, f)
	}
	b.Filters = int(d.uint())
	b.Bare, b.Landlock = d.bool(), d.bool()
	return b, version, d.done()
}

// Limits bounds a room's writable files; zero fields leave what is.
type Limits struct{ ScratchBytes, ScratchInodes int64 }

// File goes into the working folder, or comes back from it.
type File struct {
	Path       string
	Content    []byte
	ReadOnly   bool
	Executable bool
	// ExecuteOnly files are read-only, too, and can't be read.
	ExecuteOnly bool
}

// Encode returns the body of a KindFile or KindCollected frame.
func (f File) Encode() []byte {
	e := encoder{buf: make([]byte, 0, len(f.Content)+len(f.Path)+16)}
	e.string(f.Path)
	e.bytes(f.Content)
	e.bool(f.ReadOnly)
	e.bool(f.Executable)
	e.bool(f.ExecuteOnly)
	return e.buf
}

// DecodeFile reads the body of a KindFile or KindCollected frame.
func DecodeFile(body []byte) (File, error) {
	d := decoder{buf: body}
	f := File{Path: d.string(), Content: d.bytes(), ReadOnly: d.bool(), Executable: d.bool(), ExecuteOnly: d.bool()}
	return f, d.done()
}

// Rlimit is one resource limit.
type Rlimit struct {
	Resource   int
	Soft, Hard uint64
}

// Job is what runs in a room.
type Job struct {
	Program   string
	Argv, Env []string
	Dir       string
	// Stdin and Channel say whether the payload gets the descriptors that the
	// room was given.
	Stdin, Channel bool
	Rlimits        []Rlimit
	// Limits take the place of the room's.
	Limits Limits
	// Filter is a seccomp program, eight bytes an instruction.
	Filter       []byte
	Nice         int
	Collect      []string
	CollectBytes int64
	CollectFiles int64
}

// Encode returns the body of a KindJob frame.
func (j Job) Encode() []byte {
	var e encoder
	e.string(j.Program)
	e.strings(j.Argv)
	e.strings(j.Env)
	e.string(j.Dir)
	e.bool(j.Stdin)
	e.bool(j.Channel)
	e.uint(uint64(len(j.Rlimits)))
	for _, r := range j.Rlimits {
		e.int(int64(r.Resource))
		e.uint(r.Soft)
		e.uint(r.Hard)
	}
	e.int(j.Limits.ScratchBytes)
	e.int(j.Limits.ScratchInodes)
	e.bytes(j.Filter)
	e.int(int64(j.Nice))
	e.strings(j.Collect)
	e.int(j.CollectBytes)
	e.int(j.CollectFiles)
	return e.buf
}

// DecodeJob reads the body of a KindJob frame.
func DecodeJob(body []byte) (Job, error) {
	d := decoder{buf: body}
	var j Job
	j.Program = d.string()
	j.Argv = d.strings()
	j.Env = d.strings()
	j.Dir = d.string()
	j.Stdin = d.bool()
	j.Channel = d.bool()
	for range d.count() {
		j.Rlimits = append(j.Rlimits, Rlimit{Resource: int(d.int()), Soft: d.uint(), Hard: d.uint()})
	}
	j.Limits.ScratchBytes = d.int()
	j.Limits.ScratchInodes = d.int()
	j.Filter = d.bytes()
	j.Nice = int(d.int())
	j.Collect = d.strings()
	j.CollectBytes = d.int()
	j.CollectFiles = d.int()
	return j, d.done()
}

// Exited tells how the payload ended; when it is sent, nothing else is alive.
type Exited struct {
	// Status is the raw wait status.
	Status uint32
	// User and System count the payload with all its descendants.
	User, System time.Duration
	// MaxRSS is the largest resident set of any one process, in bytes.
	MaxRSS int64
}

// Encode returns the body of a KindExited frame.
func (x Exited) Encode() []byte {
	var e encoder
	e.uint(uint64(x.Status))
	e.int(int64(x.User))
	e.int(int64(x.System))
	e.int(x.MaxRSS)
	return e.buf
}

// DecodeExited reads the body of a KindExited frame.
func DecodeExited(body []byte) (Exited, error) {
	d := decoder{buf: body}
	x := Exited{Status: uint32(d.uint()), User: time.Duration(d.int()), System: time.Duration(d.int()), MaxRSS: d.int()}
	return x, d.done()
}

// Done ends a run; CollectTruncated means that matching files were left out.
type Done struct{ CollectTruncated bool }

// Encode returns the body of a KindDone frame.
func (x Done) Encode() []byte {
	var e encoder
	e.bool(x.CollectTruncated)
	return e.buf
}

// DecodeDone reads the body of a KindDone frame.
func DecodeDone(body []byte) (Done, error) {
	d := decoder{buf: body}
	x := Done{CollectTruncated: d.bool()}
	return x, d.done()
}

// Fail reports what pid 1 could not do.
type Fail struct {
	// Stage is one of the Stage constants.
	Stage string
	// Text names the object, e.g. the mount's target.
	Text string
	// Errno is 0 when the cause was no system call.
	Errno int
}

// Stages at which pid 1 can fail.
const (
	StageProtocol = "protocol"
	StageMount    = "mount"
	StageFiles    = "files"
	StageConfine  = "confine"
	StageExec     = "exec"
	StageWarm     = "warm"
)

// Encode returns the body of a KindFail frame.
func (f Fail) Encode() []byte {
	var e encoder
	e.string(f.Stage)
	e.string(f.Text)
	e.int(int64(f.Errno))
	return e.buf
}

// DecodeFail reads the body of a KindFail frame.
func DecodeFail(body []byte) (Fail, error) {
	d := decoder{buf: body}
	f := Fail{Stage: d.string(), Text: d.string(), Errno: int(d.int())}
	return f, d.done()
}
