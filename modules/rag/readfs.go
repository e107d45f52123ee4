package rag

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// readLimit is the largest file that ReadFS takes, in bytes: what one file of an
// ingest may have at most.
const readLimit = 4 << 20

// ignoredFolders hold what tools made, not what somebody wrote.
var ignoredFolders = []string{"node_modules", "__pycache__", "venv", "env", "build", "dist", "target", "vendor", "site-packages"}

// ignoredFiles are locks and images: nothing to find in them.
var ignoredFiles = []string{".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".ico", ".bmp", ".mp4", ".mp3", ".woff", ".woff2",
	".pyc", ".lock", ".sum", ".min.js", ".min.css", ".map", "package-lock.json", "pnpm-lock.yaml"}

// ReadFS reads a folder of course material, sorted by path: all that Ingest can
// take, exercises with their solutions and tests. Hidden files, links, images
// and what tools made are passed over in silence; other files that are neither text nor PDF,
// or too large, are problems. The error is the folder's: it can't be read.
func ReadFS(fsys fs.FS) ([]File, []Problem, error) {
	var files []File
	var problems []Problem
	err := walk(fsys, func(name string, entry fs.DirEntry) error {
		content, why := readFile(fsys, name, entry)
		switch {
		case why != "":
			problems = append(problems, Problem{Path: name, Reason: why})
		case len(bytes.TrimSpace(content)) > 0:
			files = append(files, File{Path: name, Content: content})
		}
		return nil
	}, nil, func(name string, err error) {
		problems = append(problems, Problem{Path: name, Reason: "it can't be read: " + reason(err)})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read course material: %w", err)
	}
	return files, problems, nil
}

// WalkFS visits the files that ReadFS reads, sorted by path.
func WalkFS(fsys fs.FS, visit func(name string, entry fs.DirEntry) error) error {
	return walk(fsys, visit, nil, func(string, error) {})
}

// WalkFolders visits the folders that ReadFS looks into, "." first.
func WalkFolders(fsys fs.FS, visit func(name string) error) error {
	return walk(fsys, func(string, fs.DirEntry) error { return nil }, visit, func(string, error) {})
}

// walk visits files and, where wanted, folders; what can't be read is told to
// failed, and only the root's failure is the walk's.
func walk(fsys fs.FS, visit func(name string, entry fs.DirEntry) error, enter func(name string) error, failed func(name string, err error)) error {
	return fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			if name == "." {
				return err
			}
			failed(name, err)
			return nil
		}
		base := path.Base(name)
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || slices.Contains(ignoredFolders, strings.ToLower(base))) {
				return fs.SkipDir
			}
			if enter != nil {
				return enter(name)
			}
			return nil
		}
		if strings.HasPrefix(base, ".") || !entry.Type().IsRegular() || ignored(strings.ToLower(base)) {
			return nil
		}
		return visit(name, entry)
	})
}

func ignored(base string) bool {
	return slices.ContainsFunc(ignoredFiles, func(end string) bool { return strings.HasSuffix(base, end) })
}

func readFile(fsys fs.FS, name string, entry fs.DirEntry) (content []byte, why string) {
	info, err := entry.Info()
	if err != nil {
		return nil, "it can't be read: " + reason(err)
	}
	if info.Size() > readLimit {
		return nil, fmt.Sprintf("it has %d bytes and a file may have %d; split it", info.Size(), readLimit)
	}
	if content, err = fs.ReadFile(fsys, name); err != nil {
		return nil, "it can't be read: " + reason(err)
	}
	if isPDF := strings.EqualFold(path.Ext(name), ".pdf"); !isPDF && (bytes.IndexByte(content, 0) >= 0 || !utf8.Valid(content)) {
		return nil, "it is no UTF-8 text; save it as UTF-8, or leave it out"
	}
	return content, ""
}

// reason leaves the path out, which the problem names already.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}
