package main

import (
	"bytes"
	"go/scanner"
	"go/token"
	"regexp"

	"github.com/goals-tracker/tracker/sdk/validator"
)

var lineDirective = regexp.MustCompile(`^(?://|/\*)line .*:\d+`)

// lineDirectives are comments that make the compiler name other places than
// those where it found something. A file that can't be parsed has them, too.
func lineDirectives(s *source) []validator.Finding {
	if !bytes.Contains(s.content, []byte("line ")) {
		return nil
	}
	var out []validator.Finding
	set := token.NewFileSet()
	file := set.AddFile(s.path, -1, len(s.content))
	var scan scanner.Scanner
	scan.Init(file, s.content, nil, scanner.ScanComments)
	for len(out) < mostFindings {
		pos, tok, text := scan.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.COMMENT && lineDirective.MatchString(text) {
			at := set.PositionFor(pos, false)
			out = append(out, finding(s, at.Line, at.Column, "line-directive", validator.SeverityError,
				validator.Text("go.line-directive", "A comment that begins with {word} changes the places that Go reports; leave it out.",
					"Un comentario que empieza con {word} cambia los lugares que Go indica; quítalo.", "word", text[:len("//line")])))
		}
	}
	return out
}
