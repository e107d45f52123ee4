package main

import "strings"

// bare returns C or C++ source with comments, and if asked the insides of
// strings too, replaced by spaces. Lines stay where they are; a backslash at a
// line's end is blanked, so that what it joins is still two lines, with the
// newline turned into a vertical tab.
func bare(src string, strings_ bool) string {
	src = strings.ReplaceAll(src, "\r\n", "\n")
	out := []byte(strings.ReplaceAll(src, "\\\n", " \v"))
	blank := func(from, to int) {
		for i := from; i < to && i < len(out); i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	for i := 0; i < len(out); {
		rest := out[i:]
		switch {
		case hasPrefix(rest, "//"):
			n := indexOr(rest, "\n")
			blank(i, i+n)
			i += n
		case hasPrefix(rest, "/*"):
			n := 2 + indexOr(rest[2:], "*/") + 2
			blank(i, i+n)
			i += n
		case out[i] == '"' && rawAt(out, i):
			n := rawLength(rest)
			if strings_ {
				blank(i+1, i+n-1)
			}
			i += n
		case out[i] == '"' || out[i] == '\'' && !separator(out, i):
			n := quotedLength(rest)
			if strings_ {
				blank(i+1, i+n-1)
			}
			i += n
		default:
			i++
		}
	}
	return string(out)
}

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

// indexOr returns where s begins, or the length of b.
func indexOr(b []byte, s string) int {
	if i := strings.Index(string(b), s); i >= 0 {
		return i
	}
	return len(b)
}

// rawAt says whether the quote begins a raw string: R"…(…)…".
func rawAt(b []byte, i int) bool {
	if i == 0 || b[i-1] != 'R' {
		return false
	}
	j := i - 2
	for j >= 0 && (b[j] == 'u' || b[j] == 'U' || b[j] == 'L' || b[j] == '8') {
		j--
	}
	return j < 0 || !wordByte(b[j])
}

func rawLength(b []byte) int {
	open := indexOr(b, "(")
	if open == len(b) || open > 18 {
		return quotedLength(b)
	}
	end := ")" + string(b[1:open]) + `"`
	return min(len(b), open+indexOr(b[open:], end)+len(end))
}

func quotedLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case b[0]:
			return i + 1
		case '\n':
			return i
		}
	}
	return len(b)
}

// separator says whether the quote stands between digits: 1'000.
func separator(b []byte, i int) bool {
	j := i
	for j > 0 && (wordByte(b[j-1]) || b[j-1] == '\'') {
		j--
	}
	return j < i && b[j] >= '0' && b[j] <= '9'
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
