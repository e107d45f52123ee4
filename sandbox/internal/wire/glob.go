package wire

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// maxPath and maxSegment are the kernel's own bounds.
const (
	maxPath    = 4095
	maxSegment = 255
)

// CheckPath accepts a relative slash path that stays below its root and that
// any Linux file system can hold: no "..", no ".", no empty segment, no NUL,
// valid UTF-8.
func CheckPath(p string) error {
	switch {
	case p == "":
		return fmt.Errorf("path is empty")
	case len(p) > maxPath:
		return fmt.Errorf("path of %d bytes: at most %d are possible", len(p), maxPath)
	case !utf8.ValidString(p):
		return fmt.Errorf("path %q is not valid UTF-8", p)
	case strings.ContainsRune(p, 0):
		return fmt.Errorf("path %q contains NUL", p)
	case strings.HasPrefix(p, "/"):
		return fmt.Errorf("path %q is absolute", p)
	}
	for segment := range strings.SplitSeq(p, "/") {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return fmt.Errorf("path %q has the segment %q", p, segment)
		case len(segment) > maxSegment:
			return fmt.Errorf("path %q has a segment of %d bytes: at most %d are possible", p, len(segment), maxSegment)
		}
	}
	return nil
}

// CheckGlob accepts a pattern for Match.
func CheckGlob(pattern string) error {
	if err := CheckPath(pattern); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	for segment := range strings.SplitSeq(pattern, "/") {
		if segment == "**" {
			continue
		}
		if _, err := path.Match(segment, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", pattern, err)
		}
	}
	return nil
}

// Match reports whether the slash path name matches pattern: each segment by
// path.Match, and "**" stands for any number of segments, none included.
func Match(pattern, name string) bool {
	return matchSegments(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

// matchSegments backtracks only to the last "**", so that it stays quadratic
// for any pattern.
func matchSegments(pattern, name []string) bool {
	star, mark := -1, 0
	p, n := 0, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == "**" {
			star, mark = p, n
			p++
			continue
		}
		if p < len(pattern) {
			if ok, err := path.Match(pattern[p], name[n]); err == nil && ok {
				p++
				n++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, n = star+1, mark
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}
