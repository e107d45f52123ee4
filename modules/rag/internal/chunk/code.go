package chunk

import (
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/modules/rag"
)

// unit is a top-level part of a program: a function, a type, or what stands
// between them, which has no name.
type unit struct {
	start, end int
	name       string
}

// code cuts a program into its functions and types. Go is parsed; other
// languages, and Go that doesn't parse, are read by indentation and brackets.
func code(content, program string) []Chunk {
	l := indexLines(content)
	var units []unit
	if program == "go" {
		units = goUnits(content)
	}
	if units == nil {
		units = lineUnits(content, l, syntaxOf(program), 0, len(content), 0)
	}
	var chunks []Chunk
	var loose []block
	flush := func() {
		chunks = append(chunks, pack(content, l, loose, "", rag.PassageCode)...)
		loose = nil
	}
	for _, u := range units {
		if u.name == "" && u.end-u.start <= longest {
			loose = append(loose, block{start: u.start, end: u.end, code: true})
			continue
		}
		flush()
		chunks = append(chunks, cutUnit(content, l, syntaxOf(program), u, 1)...)
	}
	flush()
	return chunks
}

// cutUnit makes a passage of a unit, or several of one that is too long: by the
// units within it where it has any, else by its lines.
func cutUnit(content string, l lines, s syntax, u unit, depth int) []Chunk {
	c, ok := span(content, l, u.start, u.end)
	if !ok {
		return nil
	}
	c.Heading, c.Kind = u.name, rag.PassageCode
	if len(c.Text) <= longest {
		return []Chunk{c}
	}
	var chunks []Chunk
	if depth <= 2 {
		inner := lineUnits(content, l, s, u.start, u.end, depth)
		if len(inner) > 1 {
			var loose []block
			flush := func() {
				chunks = append(chunks, pack(content, l, loose, u.name, rag.PassageCode)...)
				loose = nil
			}
			for _, in := range inner {
				if in.name == "" && in.end-in.start <= longest {
					loose = append(loose, block{start: in.start, end: in.end, code: true})
					continue
				}
				flush()
				in.name = strings.Trim(u.name+" > "+in.name, " >")
				chunks = append(chunks, cutUnit(content, l, s, in, depth+1)...)
			}
			flush()
			return chunks
		}
	}
	var blocks []block
	for _, part := range paragraphs(content, u.start, u.end) {
		blocks = append(blocks, byLines(content, l, part[0], part[1])...)
	}
	return pack(content, l, blocks, u.name, rag.PassageCode)
}

// byLines cuts what has no better seams into runs of lines.
func byLines(content string, l lines, start, end int) []block {
	var blocks []block
	for start < end {
		stop := end
		if end-start > target {
			stop = l.start(start + target)
			if stop <= start { // one endless line
				for _, part := range sentences(content, start, end) {
					blocks = append(blocks, block{start: part[0], end: part[1], code: true})
				}
				return blocks
			}
		}
		blocks = append(blocks, block{start: start, end: stop, code: true})
		start = stop
	}
	return blocks
}

var (
	named = regexp.MustCompile(`(?i)^(?:[\w@]+(?:\([^)]*\))?\s+){0,6}?(?:def|class|func|fn|fun|function|sub|interface|struct|enum|trait|impl(?:<[^{]*?>)?|type|module|defmodule|defp|object|record|namespace|mod|protocol|extension|union|mod|macro_rules!|create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure|index))\s+(?:if\s+not\s+exists\s+)?\*?([\p{L}_$][\p{L}\p{N}_$.:]*)`)
	bound = regexp.MustCompile(`^(?:export\s+)?(?:default\s+)?(?:const|let|var|local)\s+([\p{L}_$][\p{L}\p{N}_$]*)\s*(?::[^=]+)?=\s*(?:async\s*)?(?:function\b|class\b|\(|[\p{L}_$][\p{L}\p{N}_$]*\s*=>)`)
	cLike = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_:<>\[\],*&\s]*?[\s*&~]([\p{L}_~][\p{L}\p{N}_:~]*)\s*\([^;]*$`)
	// method is a member without a keyword: JavaScript's "push(item) {".
	method   = regexp.MustCompile(`^(?:async\s+|static\s+|get\s+|set\s+|\*\s*|#)*([\p{L}_$#][\p{L}\p{N}_$]*)\s*\([^;]*\{\s*$`)
	notAName = regexp.MustCompile(`^(?:if|for|while|switch|catch|return|else|elif|elseif|with|using|lock|match|unless|until|do|try|when|case|await|yield|throw|new|delete|assert|print|echo|require|import|from|include)\b`)
)

// nameOf is what the first line of a unit defines, or "".
func nameOf(line string, depth int) string {
	line = strings.TrimSpace(line)
	if len(line) > 500 || notAName.MatchString(line) {
		return ""
	}
	patterns := []*regexp.Regexp{named, bound, cLike}
	if depth > 0 {
		patterns = append(patterns, method)
	}
	for _, p := range patterns {
		if m := p.FindStringSubmatch(line); m != nil {
			return limit(strings.TrimRight(m[1], ":."), 200)
		}
	}
	return ""
}
