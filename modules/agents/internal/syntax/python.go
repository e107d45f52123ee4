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

// statements are the logical lines; why says what is not closed.
func statements(code string) (all []statement, why string) {
	var open []byte
	var now strings.Builder
	line, began, indent, fresh := 1, 1, 0, true
	flush := func() {
		if text := strings.TrimSpace(now.String()); text != "" {
			all = append(all, statement{text, indent, began})
		}
		now.Reset()
		indent, fresh = 0, true
	}
	for i := 0; i < len(code); i++ {
		c := code[i]
		if fresh && (c == ' ' || c == '\t') {
			indent++
			if c == '\t' {
				indent += 7 - (indent-1)%8
			}
			continue
		}
		if fresh {
			fresh, began = false, line
		}
		switch {
		case c == '\n':
			if line++; len(open) == 0 {
				flush()
			}
		case c == '\\' && i+1 < len(code) && code[i+1] == '\n':
			line++
			i++
		case c == '#':
			i += max(strings.IndexByte(code[i:]+"\n", '\n')-1, 0)
		case c == '"' || c == '\'':
			n := pythonText(code[i:])
			if n < 0 {
				return nil, fmt.Sprintf("a text is not closed in line %d", line)
			}
			line += strings.Count(code[i:i+n], "\n")
			i += n - 1
			now.WriteByte('T')
		case strings.IndexByte(opening, c) >= 0:
			open = append(open, c)
		case strings.IndexByte(closing, c) >= 0:
			if at := strings.IndexByte(closing, c); len(open) == 0 || open[len(open)-1] != opening[at] {
				return nil, fmt.Sprintf("a bracket %q in line %d closes nothing", c, line)
			}
			open = open[:len(open)-1]
			now.WriteByte('B')
		case len(open) == 0:
			now.WriteByte(c)
		}
	}
	if len(open) > 0 {
		return nil, fmt.Sprintf("a bracket %q is not closed", open[len(open)-1])
	}
	flush()
	return all, ""
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
