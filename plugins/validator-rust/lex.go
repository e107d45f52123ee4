package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// bare returns Rust source with comments and the insides of texts replaced by
// spaces; lines stay where they are.
func bare(src string) string {
	out := []byte(src)
	blank := func(from, to int) {
		for i := from; i < to && i < len(out); i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	for i := 0; i < len(out); {
		rest := string(out[i:min(len(out), i+4)])
		switch {
		case strings.HasPrefix(rest, "//"):
			n := indexOr(out[i:], "\n")
			blank(i, i+n)
			i += n
		case strings.HasPrefix(rest, "/*"):
			n := nested(out[i:])
			blank(i, i+n)
			i += n
		case out[i] == 'r' && (i == 0 || !wordByte(out[i-1]) || out[i-1] == 'b' || out[i-1] == 'c') && rawLength(out[i:]) > 0:
			n := rawLength(out[i:])
			blank(i+1, i+n)
			i += n
		case out[i] == '"':
			n := quotedLength(out[i:])
			blank(i+1, i+n-1)
			i += n
		case out[i] == '\'':
			n := charLength(out[i:])
			if n > 1 {
				blank(i+1, i+n-1)
			}
			i += n
		default:
			i++
		}
	}
	return string(out)
}

func indexOr(b []byte, s string) int {
	if i := strings.Index(string(b), s); i >= 0 {
		return i
	}
	return len(b)
}

// nested is the length of a block comment, which may hold others.
func nested(b []byte) int {
	depth := 0
	for i := 0; i+1 < len(b); i++ {
		switch string(b[i : i+2]) {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// rawLength is the length of a raw text such as r#"…"#, or 0.
func rawLength(b []byte) int {
	n := 1
	for n < len(b) && b[n] == '#' {
		n++
	}
	if n >= len(b) || b[n] != '"' {
		return 0
	}
	end := `"` + strings.Repeat("#", n-1)
	return min(len(b), n+1+indexOr(b[n+1:], end)+len(end))
}

func quotedLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// charLength is the length of a character, or 1 for the quote of a lifetime.
func charLength(b []byte) int {
	if len(b) > 2 && b[1] == '\\' {
		if i := bytes.IndexByte(b[3:min(len(b), 16)], '\''); i >= 0 {
			return 3 + i + 1
		}
		return 1
	}
	for i, r := range string(b[1:min(len(b), 8)]) {
		if i > 0 {
			if r == '\'' {
				return 1 + i + 1
			}
			return 1
		}
	}
	return 1
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

var (
	testItem = regexp.MustCompile(`#\s*\[\s*([\w:]+)[^\]]*\]|\bmod\s+(\w+)\s*\{|\bfn\s+(\w+)|[{}]|\bmacro_rules!`)
)

// scanner follows a file's modules to the #[test] functions in them.
type scanner struct {
	names  []string
	mods   []string
	depths []int // at which each module began
	depth  int
	// unsure is the depth from which on it is not known what is compiled; -1 when
	// it is.
	unsure              int
	marked, conditional bool // by attributes of the next item
}

// testNames lists the paths of the #[test] functions of a file, as the compiler
// names them: modules::function. What is behind a condition is left out, as it
// may not be compiled.
func testNames(src string) []string {
	s := scanner{unsure: -1}
	for _, m := range testItem.FindAllStringSubmatch(bare(src), -1) {
		switch {
		case m[1] != "":
			s.attribute(m[1], m[0])
		case m[0] == "macro_rules!":
			s.doubt(true)
		case m[2] != "":
			s.doubt(s.conditional)
			s.mods, s.depths = append(s.mods, m[2]), append(s.depths, s.depth)
			s.depth++
			s.marked, s.conditional = false, false
		case m[3] != "":
			s.function(m[3])
		case m[0] == "{":
			s.depth++
		default:
			s.close()
		}
	}
	slices.Sort(s.names)
	return slices.Compact(s.names)
}

func (s *scanner) attribute(name, text string) {
	switch {
	case name == "test" || strings.HasSuffix(name, "::test"):
		s.marked = true
	case name == "cfg" && !strings.Contains(strings.ReplaceAll(text, " ", ""), "cfg(test)"):
		s.conditional = true
	}
}

func (s *scanner) doubt(yes bool) {
	if yes && s.unsure < 0 {
		s.unsure = s.depth
	}
}

func (s *scanner) function(name string) {
	if s.marked && !s.conditional && s.unsure < 0 && s.depth == len(s.mods) {
		s.names = append(s.names, strings.Join(append(slices.Clone(s.mods), name), "::"))
	}
	s.marked, s.conditional = false, false
}

func (s *scanner) close() {
	s.depth--
	if s.unsure >= s.depth {
		s.unsure = -1
	}
	if n := len(s.mods); n > 0 && s.depths[n-1] == s.depth {
		s.mods, s.depths = s.mods[:n-1], s.depths[:n-1]
	}
}
