package syntax

import (
	"fmt"
	"regexp"
	"strings"
)

// header begins a block, so it ends in a colon or has one.
var header = regexp.MustCompile(`^(?:async )?(?:def|class|for|while|if|elif|else|try|except|finally|with)\b`)

// statement is one logical line of Python: brackets and texts are closed in it.
type statement struct {
	text   string // without comments; what stands in texts and brackets is left out
	indent int
	line   int
}

// python wants texts and brackets closed, blocks opened by a colon and indented,
// and no line further in or out than a block.
func python(code string) string {
	all, why := statements(sessionless(code))
	if why != "" {
		return why
	}
	levels := []int{0}
	if len(all) > 0 {
		levels[0] = all[0].indent // a fragment may stand indented as a whole
	}
	opened := false
	for _, s := range all {
		switch top := levels[len(levels)-1]; {
		case opened && s.indent <= top:
			return fmt.Sprintf("line %d must be indented: the line before opens a block", s.line)
		case opened:
			levels = append(levels, s.indent)
		case s.indent > top:
			return fmt.Sprintf("line %d is indented, and nothing opens a block", s.line)
		}
		for s.indent < levels[len(levels)-1] {
			if levels = levels[:len(levels)-1]; len(levels) == 0 || s.indent > levels[len(levels)-1] {
				return fmt.Sprintf("line %d stands at no block's indentation", s.line)
			}
		}
		if header.MatchString(s.text) && !strings.Contains(s.text, ":") {
			return fmt.Sprintf("line %d lacks a colon", s.line)
		}
		opened = strings.HasSuffix(s.text, ":")
	}
	if opened {
		return "the last line opens a block that is empty"
	}
	return ""
}

// sessionless takes the prompts off an interactive session, and its output out.
func sessionless(code string) string {
	if !strings.Contains(code, ">>> ") {
		return code
	}
	var b strings.Builder
	for line := range strings.SplitSeq(code, "\n") {
		bare := strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(bare, ">>> "), strings.HasPrefix(bare, "... "):
			b.WriteString(bare[4:] + "\n")
		case bare == "...":
			b.WriteString("\n")
		}
	}
	return b.String()
}

// scanner reads logical lines.
type scanner struct {
	all  []statement
	open []byte
	text strings.Builder
	// line is the one that is read, began where its logical line did, which stands
	// at indent; fresh: nothing of it was read yet.
	line, began, indent int
	fresh               bool
}

// statements are the logical lines; why says what is not closed.
func statements(code string) (all []statement, why string) {
	s := &scanner{line: 1, fresh: true}
	for i := 0; i < len(code); {
		n, why := s.read(code[i:])
		if why != "" {
			return nil, why
		}
		i += n
	}
	if len(s.open) > 0 {
		return nil, fmt.Sprintf("a bracket %q is not closed", s.open[len(s.open)-1])
	}
	s.end()
	return s.all, ""
}

// read takes what stands at the beginning of the rest, and says how long it is.
func (s *scanner) read(rest string) (n int, why string) {
	c := rest[0]
	if s.fresh && (c == ' ' || c == '\t') {
		if s.indent++; c == '\t' {
			s.indent += 7 - (s.indent-1)%8
		}
		return 1, ""
	}
	if s.fresh {
		s.fresh, s.began = false, s.line
	}
	switch {
	case c == '\n':
		if s.line++; len(s.open) == 0 {
			s.end()
		}
	case strings.HasPrefix(rest, "\\\n"):
		s.line++
		return 2, ""
	case c == '#':
		return strings.IndexByte(rest+"\n", '\n'), ""
	case c == '"' || c == '\'':
		if n = pythonText(rest); n < 0 {
			return 0, fmt.Sprintf("a text is not closed in line %d", s.line)
		}
		s.line += strings.Count(rest[:n], "\n")
		s.text.WriteByte('T')
		return n, ""
	case strings.IndexByte(opening, c) >= 0:
		s.open = append(s.open, c)
	case strings.IndexByte(closing, c) >= 0:
		return 1, s.close(c)
	case len(s.open) == 0:
		s.text.WriteByte(c)
	}
	return 1, ""
}

func (s *scanner) close(c byte) (why string) {
	if at := strings.IndexByte(closing, c); len(s.open) == 0 || s.open[len(s.open)-1] != opening[at] {
		return fmt.Sprintf("a bracket %q in line %d closes nothing", c, s.line)
	}
	s.open = s.open[:len(s.open)-1]
	s.text.WriteByte('B')
	return ""
}

// end ends a logical line.
func (s *scanner) end() {
	if text := strings.TrimSpace(s.text.String()); text != "" {
		s.all = append(s.all, statement{text, s.indent, s.began})
	}
	s.text.Reset()
	s.indent, s.fresh = 0, true
}

// pythonText is how long the text is that begins here; -1 when nothing ends it.
func pythonText(code string) int {
	mark := code[:1]
	if long := strings.Repeat(mark, 3); strings.HasPrefix(code, long) {
		mark = long
	}
	for i := len(mark); i < len(code); i++ {
		switch {
		case code[i] == '\\':
			i++
		case code[i] == '\n' && len(mark) == 1:
			return -1
		case strings.HasPrefix(code[i:], mark):
			return i + len(mark)
		}
	}
	return -1
}
