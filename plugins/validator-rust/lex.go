package main

import (
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
		if i := strings.IndexByte(string(b[3:min(len(b), 16)]), '\''); i >= 0 {
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

// testNames lists the paths of the #[test] functions of a file, as the compiler
// names them: modules::function. What is behind a condition is left out, as it
// may not be compiled.
func testNames(src string, _ bool) []string {
	code := bare(src)
	type level struct {
		name  string
		depth int
	}
	var out []string
	var mods []level
	depth, unsure := 0, -1
	marked, conditional := false, false
	for _, at := range testItem.FindAllStringSubmatchIndex(code, -1) {
		part := func(i int) string {
			if at[2*i] < 0 {
				return ""
			}
			return code[at[2*i]:at[2*i+1]]
		}
		text := part(0)
		switch {
		case part(1) != "":
			switch name := part(1); {
			case name == "test" || strings.HasSuffix(name, "::test"):
				marked = true
			case name == "cfg" && !strings.Contains(strings.ReplaceAll(text, " ", ""), "cfg(test)"):
				conditional = true
			}
		case text == "macro_rules!":
			if unsure < 0 {
				unsure = depth
			}
		case part(2) != "":
			mods = append(mods, level{part(2), depth})
			if conditional && unsure < 0 {
				unsure = depth
			}
			depth++
			marked, conditional = false, false
		case part(3) != "":
			if marked && !conditional && unsure < 0 && depth == len(mods) {
				name := ""
				for _, m := range mods {
					name += m.name + "::"
				}
				out = append(out, name+part(3))
			}
			marked, conditional = false, false
		case text == "{":
			depth++
		case text == "}":
			depth--
			if unsure >= depth {
				unsure = -1
			}
			if len(mods) > 0 && mods[len(mods)-1].depth == depth {
				mods = mods[:len(mods)-1]
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
