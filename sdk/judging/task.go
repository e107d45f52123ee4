package judging

import "time"

// File is one file of a submission, of a task or of a step. Path is relative,
// slash-separated and never leaves its root.
type File struct {
	Path    string
	Content []byte
	// Writable lets the process change the file in its sandbox.
	Writable bool
	// Executable sets the execute bit.
	Executable bool
	// ExecuteOnly lets the process run the file, but neither read nor change it.
	ExecuteOnly bool
}

// Submission is what the learner handed in.
type Submission struct {
	Files []File
	// Language is a name of the plugin's Languages: "python".
	Language string
}

// File returns the file of that path, or nil.
func (s Submission) File(path string) *File {
	for i := range s.Files {
		if s.Files[i].Path == path {
			return &s.Files[i]
		}
	}
	return nil
}

// Task is what the task asks for.
type Task struct {
	// Tests are the files that decide; none means that nothing can be proven.
	Tests []File
	// Options is a JSON object that fits the plugin's options schema; nil means {}.
	Options []byte
	// Limits bound each step; zero fields take the host's defaults.
	Limits Limits
	// RequiredIntegrity is the weakest integrity the course accepts; empty
	// means IntegrityShared.
	RequiredIntegrity Integrity
	// Starter holds the files that the task gave the learner.
	Starter []File
}

// LanguageText is the language of prose. Files are taken for it only when no
// other language fits them.
const LanguageText = "text"

// Limits bound one step. A zero field takes the host's default; the host caps
// all of them.
type Limits struct {
	Wall        time.Duration
	CPU         time.Duration
	MemoryBytes uint64
	OutputBytes uint64
	DiskBytes   uint64
	Processes   uint32
	OpenFiles   uint32
}

// Integrity says how far the submission is kept from what decides on it.
type Integrity string

const (
	// IntegrityShared says that tests and submission ran in one process.
	IntegrityShared Integrity = "shared"
	// IntegritySplit says that the submission ran in a process of its own, which
	// knew neither the tests nor the channel that carries the verdict.
	IntegritySplit Integrity = "split"
)

// Description is what a plugin says about itself.
type Description struct {
	// Name is lower-case, dash-separated and unique among installed plugins.
	Name string
	// Version is the plugin's SemVer.
	Version   string
	Languages []Language
	Runtimes  []Runtime
	// OptionsSchema is a JSON Schema (draft 2020-12) of Task.Options; empty
	// means that the plugin takes none.
	OptionsSchema string
	// MaxRounds is how often Judge may ask for more steps, 1 to 8.
	MaxRounds int
	// Mutates says that the plugin makes mutants.
	Mutates bool
}

// Runtime returns the runtime of that id, or nil.
func (d *Description) Runtime(id string) *Runtime {
	for i := range d.Runtimes {
		if d.Runtimes[i].ID == id {
			return &d.Runtimes[i]
		}
	}
	return nil
}

// Language is a language that a plugin judges.
type Language struct {
	// Name is lower-case: "python".
	Name string
	// Aliases are other names that courses use: "py", "python3".
	Aliases []string
	// Extensions carry the dot: ".py".
	Extensions []string
	// DefaultFile is what a bare piece of code is stored as: "main.py".
	DefaultFile string
	// TestGlobs mark test files by path: "test_*.py".
	TestGlobs []string
}

// Runtime is a toolchain that steps run on.
type Runtime struct {
	// ID is unique in the plugin: "python".
	ID string
	// Mounts are directories of the host that the sandbox shows read-only.
	Mounts []Mount
	// Programs must exist; without one the runtime is reported as missing.
	Programs []string
	// VersionArgv prints the toolchain's version on its first line.
	VersionArgv []string
	// Env is set for every step on this runtime.
	Env map[string]string
	// WarmUp loads what most runs need; nil means nothing.
	WarmUp *WarmUp
}

// Mount is a directory of the host, shown read-only.
type Mount struct {
	Source string
	// Target is where the sandbox sees it; empty means the same path.
	Target string
	// Optional mounts that are absent are left out instead of failing.
	Optional bool
}

// The hand-overs that a warm-up program can speak.
const (
	// WarmPrepared has no program: only empty rooms are built in advance.
	WarmPrepared = ""
	// WarmOnce is a program of which each start serves one process.
	WarmOnce = "warm/1"
	// WarmForkServer is WarmOnce by a program that can also be started as a
	// fork-server, which serves each process in a fresh, confined child.
	WarmForkServer = "fork-server/1"
)

// WarmUp is a program that is started before there is a submission, so that
// what every run loads is loaded already. It serves processes that say Warm.
//
// It runs in a room of its own, as confined as any submission, with Files
// read-only in /warm, which is its working folder, and an empty /room. It
// loads what it needs, writes the line "ready" to standard output, nothing
// before it and flushed, and reads one line from standard input, and no byte
// further unless it goes on with the same buffered reader:
//
//	{"argv":["…"],"env":{"…":"…"},"dir":"/room/…"}
//
// which is the process as it would have been executed; env is all of it. End of
// file instead means exit 0. After the line /room holds the process's files.
// The program takes over env and dir and behaves exactly as argv would have,
// executed: the rest of standard input is the process's, descriptor 3 is the
// channel if it has one, the exit code is as usual. All output after the ready
// line is the process's, and limits count from the line.
type WarmUp struct {
	// Argv is started in /warm. Required unless Protocol is WarmPrepared.
	Argv []string
	// Files lie below /warm; none is writable. Processes that say Warm find them
	// there also when Argv of the process is executed, so that what a plugin
	// brings along need not be sent with every step.
	Files []File
	// Protocol is WarmOnce, WarmForkServer or WarmPrepared.
	Protocol string
}

// Mutant is a small faulty variant of a correct solution.
type Mutant struct {
	ID string
	// Operator names what was changed: "swap-comparison".
	Operator    string
	Description Message
	// Files holds only those that differ from the solution.
	Files []File
}
