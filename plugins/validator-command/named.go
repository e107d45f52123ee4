package main

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// interpreted are endings of files that other programs than the language's own
// run, or read for commands.
var interpreted = strings.Fields(".awk .bash .bat .cjs .fish .js .jsx .ksh .lua .mjs .mk .php .pl .pm .ps1 .pth .py .pyc .pyw .r .rb .sed .sh .so .tcl .ts .zsh .pyz .zip .a .o .jar .class")

// shared are the learner's data files that lie in the room of the tests, too:
// those that a test names and no program there could run. There is where the
// tests lie; what runs there can read them.
func (l *layout) shared(tests []validator.File) []validator.File {
	var out []validator.File
	for _, f := range l.data {
		ext := strings.ToLower(path.Ext(f.Path))
		switch {
		case bytes.HasPrefix(f.Content, []byte("#!")) || bytes.IndexByte(f.Content[:min(len(f.Content), 512)], 0) >= 0:
		case slices.Contains(interpreted, ext):
		case ext == "" && !onlyRead(f.Path, tests):
		case mentions(f.Path, tests) > 0:
			out = append(out, f)
		}
	}
	return out
}

// runs says whether a file without an ending is a program of the language: by
// its first line, or as a test runs it. A stand-in lies in its place.
func (l *layout) runs(f validator.File, tests []validator.File) bool {
	if path.Ext(f.Path) != "" || len(l.lang.Run) == 0 {
		return false
	}
	program := path.Base(l.lang.Run[0])
	if line, _, _ := bytes.Cut(f.Content, []byte("\n")); bytes.HasPrefix(line, []byte("#!")) {
		words := regexp.MustCompile(`[\w.+-]+`).FindAllString(string(line), -1)
		return slices.ContainsFunc(words, func(w string) bool { return w == program || l.lang.answers(w) })
	}
	starts := []string{regexp.QuoteMeta(program), regexp.QuoteMeta(l.lang.Name)}
	for _, a := range l.lang.Aliases {
		starts = append(starts, regexp.QuoteMeta(a))
	}
	return count(f.Path, `(?:\b(?:`+strings.Join(starts, "|")+`)\s+["']?(?:\./)?|(?:^|[\s"'(`+"`"+`])\./)`+regexp.QuoteMeta(f.Path)+`(?:$|[^\w-])`, tests) > 0
}

// mentions counts how often tests name a file.
func mentions(name string, tests []validator.File) int {
	return count(path.Base(name), `(?:^|[^\w.-])`+regexp.QuoteMeta(path.Base(name))+`(?:$|[^\w-])`, tests)
}

// onlyRead says whether each mention of a file is where a command reads it.
func onlyRead(name string, tests []validator.File) bool {
	read := count(name, `(?:\b(?:cat|cmp|diff|head|sort|tail|wc|grep)(?:\s+-\S+)*\s+|\bgrep(?:\s+-\S+)*\s+(?:'[^']*'|"[^"]*"|\S+)\s+|<\s*)["']?(?:\./)?`+regexp.QuoteMeta(name)+`(?:$|[^\w-])`, tests)
	return read > 0 && read == mentions(name, tests)
}

// count finds a pattern that holds a name in tests.
func count(name, pattern string, tests []validator.File) (n int) {
	var re *regexp.Regexp
	for _, f := range tests {
		if !bytes.Contains(f.Content, []byte(name)) {
			continue
		}
		if re == nil {
			re = regexp.MustCompile(`(?m)` + pattern)
		}
		n += len(re.FindAllIndex(f.Content, -1))
	}
	return n
}
