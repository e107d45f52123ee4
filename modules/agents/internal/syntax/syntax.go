// Package syntax tells code that can't be right from code that may be, without
// running or compiling anything: an example that a learner reads should at least
// parse. It is no compiler: what it lets through may still be wrong.
package syntax

import (
	"fmt"
	"go/parser"
	"go/token"
	"strings"
)

// Wrong says why code can't be right in a language, with its line; "" when it
// may be, and for languages that are not known here.
func Wrong(language, code string) string {
	switch language {
	case "python":
		return python(code)
	case "go":
		return golang(code)
	case "javascript", "typescript", "java", "c", "cpp", "rust":
		return brackets(code, language == "rust")
	}
	return ""
}

// golang takes a file, declarations or statements.
func golang(code string) string {
	var first error
	for _, form := range []string{"%s", "package p\n%s", "package p\nfunc _() {\n%s\n}"} {
		_, err := parser.ParseFile(token.NewFileSet(), "", fmt.Sprintf(form, code), parser.SkipObjectResolution)
		if err == nil {
			return ""
		}
		if first == nil {
			first = err
		}
	}
	return "it does not parse: " + first.Error()
}

const opening, closing = "([{", ")]}"

// brackets wants every bracket closed by its own kind, outside of texts and
// comments.
func brackets(code string, lifetimes bool) string {
	var open []byte
	for i := 0; i < len(code); i++ {
		c := code[i]
		switch {
		case strings.HasPrefix(code[i:], "//"):
			i += end(code[i:], "\n")
		case strings.HasPrefix(code[i:], "/*"):
			i += end(code[i:], "*/")
		case c == '"' || c == '`':
			n := closes(code[i+1:], c)
			if n < 0 {
				return fmt.Sprintf("a text is not closed in line %d", lineOf(code, i))
			}
			i += n + 1
		case c == '\'':
			// A character or a text; of Rust also a lifetime, which nothing closes.
			n := closes(code[i+1:], c)
			lifetime := lifetimes && n > 1 && code[i+1] != '\\'
			if n >= 0 && !lifetime && !strings.Contains(code[i+1:i+1+n], "\n") {
				i += n + 1
			}
		case strings.IndexByte(opening, c) >= 0:
			open = append(open, c)
		case strings.IndexByte(closing, c) >= 0:
			at := strings.IndexByte(closing, c)
			if len(open) == 0 || open[len(open)-1] != opening[at] {
				return fmt.Sprintf("a bracket %q in line %d closes nothing", c, lineOf(code, i))
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fmt.Sprintf("a bracket %q is not closed", open[len(open)-1])
	}
	return ""
}

// end is where a piece ends that runs up to a mark, or to the end of the code.
func end(code, mark string) int {
	if at := strings.Index(code, mark); at >= 0 {
		return at + len(mark) - 1
	}
	return len(code)
}

// closes finds the quote that ends a text; -1 for none.
func closes(code string, quote byte) int {
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '\\':
			i++
		case quote:
			return i
		case '\n':
			if quote == '"' {
				return -1
			}
		}
	}
	return -1
}

func lineOf(code string, at int) int { return strings.Count(code[:at], "\n") + 1 }
