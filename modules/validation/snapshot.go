package validation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// File is one file of a snapshot.
type File struct {
	// Path is relative, clean and slash-separated.
	Path string `json:"path"`
	// Content is UTF-8 text.
	Content string `json:"content"`
}

// Submission is what a learner hands in.
type Submission struct {
	TaskID string
	// Files of the submission; none when Code is given.
	Files []File
	// Code is a single file in the task's language, for clients that know no
	// files; nil for none.
	Code *string
	// Language overrides the task's; "" takes that, or what the files' names say.
	Language string
}

// Recorded is a snapshot of elsewhere.
type Recorded struct {
	// ID is the snapshot's, a UUID.
	ID, TaskID string
	Files      []File
	// Language may be one that nothing here judges.
	Language string
}

// Snapshot is what a learner handed in; it never changes.
type Snapshot struct {
	ID     string
	TaskID string
	UserID string
	// CourseID is the task's at the time of the submission; "" for none.
	CourseID string
	// Number counts from 1 per task, without gaps.
	Number   int
	Language string
	// Files are sorted by path. Lists leave them out.
	Files []File
	// Digest is Digest(Files).
	Digest    string
	CreatedAt time.Time
	// RunID, RunStatus and Verdict are those of the newest run.
	RunID     string
	RunStatus Status
	Verdict   judging.Verdict
}

// Bytes is the size of all files.
func Bytes(files []File) (n int64) {
	for _, f := range files {
		n += int64(len(f.Content))
	}
	return n
}

// Digest is the hex SHA-256 over paths and contents of files in order of path.
func Digest(files []File) string {
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	sum := sha256.New()
	for _, f := range sorted {
		for _, part := range []string{f.Path, f.Content} {
			var length [8]byte
			binary.BigEndian.PutUint64(length[:], uint64(len(part)))
			sum.Write(length[:])
			sum.Write([]byte(part))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// CheckFiles returns the files sorted by path, or what is wrong with the first
// that can't be taken: ErrNoFiles, ErrTooManyFiles, ErrFileName, ErrFileContent,
// ErrFileTooLarge, ErrSnapshotTooLarge.
func CheckFiles(files []File, cfg Config) ([]File, error) {
	if len(files) == 0 {
		return nil, ErrNoFiles.New()
	}
	if len(files) > cfg.MaxFiles {
		return nil, ErrTooManyFiles.New(len(files), cfg.MaxFiles)
	}
	taken := names{}
	for i, f := range files {
		field := fmt.Sprintf("files[%d]", i)
		if english, spanish := taken.add(f.Path); english != "" {
			return nil, ErrFileName.New(show(f.Path), english, spanish).WithField(field+".path", english).WithDetail("path", show(f.Path))
		}
		if !utf8.ValidString(f.Content) || strings.ContainsRune(f.Content, 0) {
			return nil, ErrFileContent.New(show(f.Path)).WithField(field+".content", "not UTF-8 text without NUL").WithDetail("path", f.Path)
		}
		if n := int64(len(f.Content)); n > cfg.MaxFileBytes {
			return nil, ErrFileTooLarge.New(show(f.Path), n, cfg.MaxFileBytes).WithField(field+".content", "too large").WithDetail("path", f.Path)
		}
	}
	if n := Bytes(files); n > cfg.MaxTotalBytes {
		return nil, ErrSnapshotTooLarge.New(n, cfg.MaxTotalBytes)
	}
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return sorted, nil
}

// names are the lower-cased names that are taken; true for folders. Learners'
// machines may not tell A.py from a.py, so one snapshot does not hold both.
type names map[string]bool

// add takes a name, or says in English and Spanish why it can't.
func (n names) add(p string) (english, spanish string) {
	switch {
	case !utf8.ValidString(p) || strings.ContainsFunc(p, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }):
		return "it holds control characters or bytes that are not UTF-8", "contiene caracteres de control o bytes que no son UTF-8"
	case strings.HasPrefix(p, "/") || strings.Contains(p, `\`) || len(p) > 1 && p[1] == ':':
		return "it must be relative to the task's folder, with slashes", "debe ser relativo a la carpeta de la tarea y usar barras /"
	}
	if err := judging.CheckPath(p); err != nil {
		return "it must be a clean relative path of at most 512 bytes, without empty, . or .. parts", "debe ser una ruta relativa limpia de como máximo 512 bytes, sin partes vacías, . ni .."
	}
	key := strings.ToLower(p)
	if folder, is := n[key]; is {
		if folder {
			return "another file's folder has this name", "la carpeta de otro archivo se llama así"
		}
		return "another file has this name, but for upper and lower case", "otro archivo se llama así, salvo por las mayúsculas"
	}
	n[key] = false
	for i := range key {
		if key[i] != '/' {
			continue
		}
		dir := key[:i]
		if folder, is := n[dir]; is && !folder {
			return fmt.Sprintf("%s is a file", show(p[:min(i, len(p))])), fmt.Sprintf("%s es un archivo", show(p[:min(i, len(p))]))
		}
		n[dir] = true
	}
	return "", ""
}

// show quotes a name that may hold anything, shortened.
func show(p string) string {
	const most = 80
	if len(p) > most {
		p = strings.ToValidUTF8(p[:most], "") + "…"
	}
	return fmt.Sprintf("%q", p)
}
