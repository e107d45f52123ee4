package tasks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/goals"
)

// Validation says how a submission is judged.
type Validation struct {
	// Tests are at most 100 files.
	Tests  []File `json:"tests,omitempty"`
	Limits Limits `json:"limits,omitzero"`
	// Options are the validator plugin's.
	Options goals.Metadata `json:"options,omitempty"`
	// Starter is what the learner starts from, at most 100 files.
	Starter []File `json:"starter,omitempty"`
	// RequiredIntegrity is the weakest integrity under which a submission can
	// pass, "split" or "shared"; "" takes the course's.
	RequiredIntegrity string `json:"required_integrity,omitempty"`
}

// File is a file that belongs to a task.
type File struct {
	Path string `json:"path"`
	// Digest is the hex SHA-256 of Content.
	Digest string `json:"digest"`
	// Hidden files show learners their path only.
	Hidden bool `json:"hidden,omitempty"`
	// Content is UTF-8 text of at most 1 MiB. It is not in the row and not in
	// lists; Loaded says whether it is here.
	Content string `json:"-"`
	Loaded  bool   `json:"-"`
}

// Limits bound a step of a run; 0 is the plugin's default.
type Limits struct {
	WallMS      uint32 `json:"wall_ms,omitempty"`
	CPUMS       uint32 `json:"cpu_ms,omitempty"`
	MemoryBytes uint64 `json:"memory_bytes,omitempty"`
	OutputBytes uint64 `json:"output_bytes,omitempty"`
}

// Citation is a passage of the course's material that the task rests on.
type Citation struct {
	DocumentID string `json:"document_id,omitempty"`
	ChunkID    string `json:"chunk_id,omitempty"`
	// Path of the document in the course.
	Path    string `json:"path,omitempty"`
	Title   string `json:"title,omitempty"`
	Heading string `json:"heading,omitempty"`
	// StartLine and EndLine count from 1.
	StartLine int `json:"start_line,omitempty"`
	EndLine   int `json:"end_line,omitempty"`
	// Quote is the words themselves, shortened.
	Quote string `json:"quote,omitempty"`
}

// Result is what a run said of a snapshot.
type Result struct {
	RunID          string `json:"run_id"`
	SnapshotID     string `json:"snapshot_id"`
	SnapshotNumber int    `json:"snapshot_number"`
	// Verdict is "passed", "failed", "invalid", "timed_out", "out_of_memory",
	// "output_limit", "unproven" or "platform_error".
	Verdict string `json:"verdict"`
	// Score is 0 to 1.
	Score       float64   `json:"score"`
	TestsPassed int       `json:"tests_passed"`
	TestsTotal  int       `json:"tests_total"`
	JudgedAt    time.Time `json:"judged_at,omitzero"`
}

// Digest is the hex SHA-256 that names a file's content.
func Digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// NewFile is a file with its content.
func NewFile(path, content string, hidden bool) File {
	return File{Path: path, Content: content, Loaded: true, Hidden: hidden, Digest: Digest(content)}
}

// Files are all files, tests first.
func (v *Validation) Files() []File {
	if v == nil {
		return nil
	}
	return append(slices.Clone(v.Tests), v.Starter...)
}

// WithContents is a copy whose files have their content, by digest; without it
// where known has none.
func (v *Validation) WithContents(known map[string]string) *Validation {
	return v.mapFiles(func(f File) File {
		f.Content, f.Loaded = known[f.Digest]
		return f
	})
}

// Whole is an error when a file's content is not here, or not what its digest says.
func (v *Validation) Whole() error {
	for _, f := range v.Files() {
		if !f.Loaded || Digest(f.Content) != f.Digest {
			return fmt.Errorf("the content of file %q is lost: no file has the digest %s", f.Path, f.Digest)
		}
	}
	return nil
}

// WithoutHidden is a copy for learners: hidden files keep only their path.
func (v *Validation) WithoutHidden() *Validation {
	return v.mapFiles(func(f File) File {
		if f.Hidden {
			return File{Path: f.Path, Hidden: true}
		}
		return f
	})
}

// bare is a copy as the row and the events have it: without contents.
func (v *Validation) bare() *Validation {
	return v.mapFiles(func(f File) File { return File{Path: f.Path, Digest: f.Digest, Hidden: f.Hidden} })
}

// keepHidden puts the hidden files of before in place of those sent.
func (v *Validation) keepHidden(before *Validation) *Validation {
	var next Validation
	if v != nil {
		next = *v
	}
	if before != nil {
		next.Tests = keepHidden(next.Tests, before.Tests)
		next.Starter = keepHidden(next.Starter, before.Starter)
		if before.RequiredIntegrity != "" {
			next.RequiredIntegrity = before.RequiredIntegrity // nobody makes their own task easier to forge
		}
	}
	if v == nil && len(next.Tests)+len(next.Starter) == 0 {
		return nil
	}
	if v == nil {
		next.Limits, next.Options = before.Limits, before.Options // the tests go on needing them
	}
	return &next
}

func keepHidden(sent, before []File) []File {
	kept := []File{}
	for _, f := range before {
		if f.Hidden {
			kept = append(kept, f)
		}
	}
	for _, f := range sent {
		if !slices.ContainsFunc(kept, func(k File) bool { return k.Path == f.Path }) {
			kept = append(kept, f)
		}
	}
	return kept
}

func (v *Validation) mapFiles(fn func(File) File) *Validation {
	if v == nil {
		return nil
	}
	next := *v
	next.Tests, next.Starter = mapAll(v.Tests, fn), mapAll(v.Starter, fn)
	return &next
}

func mapAll(files []File, fn func(File) File) []File {
	next := make([]File, len(files))
	for i, f := range files {
		next[i] = fn(f)
	}
	return next
}

func (v *Validation) equal(o *Validation) bool {
	if v == nil || o == nil {
		return v == o
	}
	same := func(a, b File) bool { return a.Path == b.Path && a.Digest == b.Digest && a.Hidden == b.Hidden }
	return v.Limits == o.Limits && v.RequiredIntegrity == o.RequiredIntegrity && v.Options.Equal(o.Options) &&
		slices.EqualFunc(v.Tests, o.Tests, same) && slices.EqualFunc(v.Starter, o.Starter, same)
}
