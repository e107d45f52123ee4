package chunk

import (
	"regexp"
	"strings"
)

// syntax is what must be known of a language to see where its parts begin.
type syntax struct {
	// comment begins one that ends with the line.
	comment string
	// block comments are C's; backtick strings and triple quotes go over lines.
	block, backtick, triple bool
	// dollar strings are PostgreSQL's; lifetimes make a single quote no string's
	// beginning, but for one character's.
	dollar, lifetimes bool
}

func syntaxOf(program string) syntax {
	switch program {
	case "python":
		return syntax{comment: "#", triple: true}
	case "ruby", "shell", "r", "perl", "elixir":
		return syntax{comment: "#", triple: program == "elixir"}
	case "sql", "lua", "haskell":
		return syntax{comment: "--", block: program == "sql", dollar: program == "sql"}
	case "javascript", "typescript", "go":
		return syntax{comment: "//", block: true, backtick: true}
	case "java", "kotlin", "scala", "swift":
		return syntax{comment: "//", block: true, triple: true}
	}
	return syntax{comment: "//", block: true, lifetimes: program == "rust"}
}

// lineUnits cuts content[start:end] before each line that begins something new
// at a depth: depth 0 is the program itself, depth 1 what is in a class. A line
// does so when it is indented as little as any at that depth and is not inside
// brackets, a string or a comment, nor the end of what stands before.
func lineUnits(content string, l lines, s syntax, start, end, depth int) []unit {
	all := scanLines(content, l, s, start, end)
	indent, brackets := level(all, depth)
	var units []unit
	leading := -1 // comments and decorators wait for what they belong to
	for i, line := range all {
		if line.blank {
			continue
		}
		opens := !line.inside && line.indent <= indent && line.brackets <= brackets && (depth == 0 || i > 0)
		switch {
		case opens && line.leading:
			if leading < 0 {
				leading = line.start
			}
		case opens && !line.closing:
			from := line.start
			if leading >= 0 {
				from = leading
			}
			leading = -1
			name := nameOf(content[line.start:line.end], depth)
			if n := len(units); n > 0 {
				units[n-1].end = from
				if name == "" && units[n-1].name == "" {
					continue // loose statements stay together
				}
			}
			units = append(units, unit{start: from, end: end, name: name})
		}
	}
	return tile(units, start, end, depth)
}

// tile makes units cover all from start to end.
func tile(units []unit, start, end, depth int) []unit {
	switch {
	case len(units) == 0:
		return []unit{{start: start, end: end}}
	case depth == 0:
		units[0].start = start
	case units[0].start > start:
		units = append([]unit{{start: start}}, units...)
	}
	for i := range units[:len(units)-1] {
		units[i].end = units[i+1].start
	}
	units[len(units)-1].end = end
	return units
}

type codeLine struct {
	start, end int
	indent     int
	brackets   int // open before it
	blank      bool
	inside     bool // begins within a string or comment
	leading    bool // a comment, decorator or annotation
	closing    bool // closes what stands before: }, ), end
}

// level is the indentation and the depth of brackets at which parts begin.
func level(all []codeLine, depth int) (indent, brackets int) {
	if depth == 0 {
		return 0, 0
	}
	first := true
	base := 0
	indent = -1
	for _, line := range all {
		if line.blank || line.inside || line.leading && first {
			continue
		}
		if first {
			base, brackets, first = line.indent, line.brackets, false
			continue
		}
		if line.indent > base && !line.closing && !line.leading && (indent < 0 || line.indent < indent) {
			indent = line.indent
		}
	}
	return indent, brackets + 1
}

func scanLines(content string, l lines, s syntax, start, end int) []codeLine {
	var all []codeLine
	state := lexer{syntax: s}
	for at := start; at < end; {
		next := end
		if n := l.of(at); n < len(l) {
			next = min(l[n], end)
		}
		text := content[at:next]
		trimmed := strings.TrimSpace(text)
		all = append(all, codeLine{
			start: at, end: next, indent: indentOf(text), brackets: state.brackets,
			blank: trimmed == "", inside: state.within != "",
			leading: leads(trimmed, s), closing: closes(trimmed),
		})
		state.line(text)
		at = next
	}
	return all
}

func indentOf(line string) int {
	width := 0
	for i := range len(line) {
		switch line[i] {
		case ' ':
			width++
		case '\t':
			width += 4
		default:
			return width
		}
	}
	return width
}

func leads(line string, s syntax) bool {
	return strings.HasPrefix(line, s.comment) || strings.HasPrefix(line, "@") || strings.HasPrefix(line, "#[") ||
		s.block && (strings.HasPrefix(line, "/*") || strings.HasPrefix(line, "*/"))
}

func closes(line string) bool {
	if line == "" {
		return false
	}
	if strings.IndexByte("})]{", line[0]) >= 0 {
		return true
	}
	word, _, _ := strings.Cut(strings.TrimRight(line, ":;{ "), " ")
	switch word {
	case "end", "else", "elif", "elsif", "except", "finally", "rescue", "ensure", "catch", "then", "fi", "done", "esac":
		return true
	}
	return false
}

// lexer follows strings, comments and brackets from line to line.
type lexer struct {
	syntax
	brackets int
	// within is what ends the string or comment that is open, or "".
	within string
}

func (x *lexer) line(text string) {
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case x.within == "":
			if strings.HasPrefix(rest, x.comment) {
				return
			}
			i += x.open(rest)
		case strings.HasPrefix(rest, x.within):
			i += len(x.within)
			x.within = ""
		case rest[0] == '\\' && x.within != "*/" && x.within[0] != '$':
			i += 2
		default:
			i++
		}
	}
}

// open reads what stands outside strings and comments; it returns its length.
func (x *lexer) open(rest string) int {
	switch {
	case x.block && strings.HasPrefix(rest, "/*"):
		x.within = "*/"
		return 2
	case x.triple && (strings.HasPrefix(rest, `"""`) || strings.HasPrefix(rest, "'''")):
		x.within = rest[:3]
		return 3
	case x.backtick && rest[0] == '`':
		x.within = "`"
	case x.dollar && rest[0] == '$':
		if tag := dollarTag.FindString(rest); tag != "" {
			x.within = tag
			return len(tag)
		}
	case x.lifetimes && rest[0] == '\'':
		return max(1, len(character.FindString(rest)))
	case rest[0] == '"' || rest[0] == '\'':
		return stringEnd(rest)
	case strings.IndexByte("([{", rest[0]) >= 0:
		x.brackets++
	case strings.IndexByte(")]}", rest[0]) >= 0:
		x.brackets = max(0, x.brackets-1)
	}
	return 1
}

var (
	dollarTag = regexp.MustCompile(`^\$(?:[\p{L}_][\p{L}\p{N}_]{0,60})?\$`)
	character = regexp.MustCompile(`^'(?:\\[^']{1,12}|\\'|[^'\\])'`)
)

// stringEnd is the length of a string that ends on its line, 1 for a quote that
// doesn't: an apostrophe, a Rust lifetime.
func stringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[0]:
			return i + 1
		case '\n':
			return 1
		}
	}
	return 1
}
