package evidence

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents/internal/screen"
)

// Secret is what the learner is to find out: the lines of the solution that are
// not in what they were given, wrote, or can read in the course, by their shape.
type Secret struct {
	lines map[string]bool
	// shapes are the same with names, texts and blanks made alike, so that a
	// solution with other names is still one.
	shapes map[string]bool
	// language is the task's: code in another one is no help, but a way around.
	language string
}

const (
	// telling is how long a line must be to tell something.
	telling = 10
	// peculiar is how long a shape must be to tell something by itself: "for N in
	// range(N,0,-1):" does, "N+=1" and "for N in N:" are everywhere.
	peculiar = 12
)

// Keep finds what is secret of a solution; known are texts that are not.
func Keep(language, solution string, known ...string) Secret {
	s := Secret{lines: map[string]bool{}, shapes: map[string]bool{}, language: language}
	open := map[string]bool{}
	for _, text := range known {
		for _, line := range codeOf(text) {
			open[s.bare(line)], open[shape(s.uncommented(line))] = true, true
		}
	}
	for _, line := range strings.Split(solution, "\n") {
		whole := s.uncommented(line)
		line = s.bare(line)
		if len(line) < telling || open[line] || strings.HasPrefix(whole, "def ") || strings.HasPrefix(whole, "import ") || strings.HasPrefix(whole, "from ") {
			continue
		}
		s.lines[line] = true
		if form := shape(whole); !open[form] {
			s.shapes[form] = true
		}
	}
	return s
}

var (
	hashes  = regexp.MustCompile(`(?m)#.*$`)
	slashes = regexp.MustCompile(`(?m)//.*$`)
	blank   = regexp.MustCompile(`\s+`)
	text    = regexp.MustCompile(`[fFrRbB]?(?:"[^"\n]*"|'[^'\n]*')`)
	name    = regexp.MustCompile(`[A-Za-z_]\w*`)
	inlined = regexp.MustCompile("`([^`\n]+)`")
	encoded = regexp.MustCompile(`[A-Za-z0-9+/]{40,}={0,2}|(?:[0-9a-fA-F]{2}[ ,:]?){24,}`)
)

// bare is a line without comment and blanks.
func (s Secret) bare(line string) string { return blank.ReplaceAllString(s.uncommented(line), "") }

// reserved words of languages keep their place in a shape: what else is there is names.
var reserved = map[string]bool{}

func init() {
	for _, w := range strings.Fields(`and as assert async await break case catch class const continue def del elif else except false finally for from
		func function if import in is lambda let match new nil none not null or pass raise range return self static struct switch this throw true try
		var void while with yield len sum max min sorted print int str float list dict set enumerate zip append split join lower upper strip items keys
		values get open read write`) {
		reserved[w] = true
	}
}

var (
	formatted = regexp.MustCompile(`[fF](?:"[^"\n]*"|'[^'\n]*')`)
	filled    = regexp.MustCompile(`\{([^{}:!]+)`)
)

// shape is a line with every name and text made alike; of texts that are filled
// in, what fills them stays.
func shape(line string) string {
	line = formatted.ReplaceAllStringFunc(line, func(f string) string {
		out := "T"
		for _, m := range filled.FindAllStringSubmatch(f, -1) {
			out += "{" + text.ReplaceAllString(m[1], "T") + "}"
		}
		return out
	})
	line = text.ReplaceAllString(line, "T")
	return blank.ReplaceAllString(name.ReplaceAllStringFunc(line, func(n string) string {
		if reserved[strings.ToLower(n)] || n == "T" {
			return n
		}
		return "N"
	}), "")
}

// Wrong says why the learner may not be told a text; "" when they may.
func (s Secret) Wrong(answer string) string {
	if why := Leaks(answer); why != "" {
		return why
	}
	return s.tells(answer)
}

// tells says what of the secret a text gives away, in whatever dress.
func (s Secret) tells(answer string) string {
	if encoded.MatchString(answer) && decodes(answer) {
		return "it hides something in an encoding"
	}
	if foreign := foreignTo[s.language]; foreign != nil && foreign.MatchString(answer) {
		return "it holds code in another language than the task's"
	}
	const otherNames = "it holds the solution under other names"
	alike := map[string]bool{}
	for _, line := range codeOf(answer) {
		if s.lines[s.bare(line)] {
			return "it holds a line of the solution"
		}
		if form := shape(s.uncommented(line)); len(s.bare(line)) >= telling && s.shapes[form] {
			alike[form] = true
			if len(form) >= peculiar {
				return otherNames
			}
		}
	}
	if len(alike) >= 2 {
		return otherNames
	}
	return ""
}

// uncommented is a line without its comment.
func (s Secret) uncommented(line string) string {
	comment := slashes
	if s.language == "python" || s.language == "sql" || s.language == "" {
		comment = hashes
	}
	return strings.TrimSpace(comment.ReplaceAllString(line, ""))
}

var (
	braces    = regexp.MustCompile(`(?m)=>|\b(?:let|const|var)\s+\w+\s*=|\bfunction\b\s*\w*\s*\(|\b(?:for|while|if)\s*\([^)]*[;<>=][^)]*\)|\bfunc\s+\w+\(|^\s*[\w<>\[\] ]+\([^)]*\)\s*\{`)
	colons    = regexp.MustCompile(`(?m)\bdef\s+\w+\([^)]*\)\s*:|\b(?:for\s+\w+\s+in\s+[^:\n]+|while\s+[^:(\n]+):\s*$`)
	foreignTo = map[string]*regexp.Regexp{
		"python": braces, "javascript": colons, "typescript": colons, "java": colons, "go": colons, "c": colons, "cpp": colons, "rust": colons,
	}
)

// codeOf is all of a text that may be code: its lines, its blocks and what
// stands between backticks.
func codeOf(answer string) (lines []string) {
	for _, block := range screen.Fences(answer) {
		lines = append(lines, strings.Split(block, "\n")...)
	}
	for _, m := range inlined.FindAllStringSubmatch(answer, -1) {
		lines = append(lines, m[1])
	}
	for _, line := range strings.Split(answer, "\n") {
		line = strings.TrimLeft(line, "> \t-*0123456789.)")
		lines = append(lines, line)
		// A sentence may end in code: "write: return a + b".
		if _, after, ok := strings.Cut(line, ": "); ok {
			lines = append(lines, after)
		}
	}
	return lines
}

// decodes says whether something that looks encoded is a text. It may be cut.
func decodes(answer string) bool {
	for _, m := range encoded.FindAllString(answer, -1) {
		digits := between.Replace(m)
		if raw, err := hex.DecodeString(digits[:len(digits)/2*2]); err == nil && readable(raw) {
			return true
		}
		m = strings.TrimRight(m, "=")
		if raw, err := base64.RawStdEncoding.DecodeString(m[:len(m)/4*4]); err == nil && readable(raw) {
			return true
		}
	}
	return false
}

var between = strings.NewReplacer(" ", "", ",", "", ":", "")

// readable says whether nearly all of it is ASCII text: of what is no text, a
// third is.
func readable(raw []byte) bool {
	n := 0
	for _, b := range raw {
		if ' ' <= b && b <= '~' || b == '\n' || b == '\t' {
			n++
		}
	}
	return 10*n >= 9*len(raw) && len(raw) > 0
}
