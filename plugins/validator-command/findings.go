package main

import (
	"path"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// maxFindings bounds what is taken from what commands say.
const maxFindings = 100

// find adds what the language's patterns find, line by line, about files of the
// submission. A req of nil means that names are matched with the code only.
func (l *layout) find(r *validator.Report, _ *validator.Request, said string, failed bool) {
	for line := range strings.SplitSeq(strings.ToValidUTF8(said, "\ufffd"), "\n") {
		if len(r.Findings) >= maxFindings {
			return
		}
		line = strings.TrimRight(line, "\r")
		if len(line) > 2000 {
			continue
		}
		for _, re := range l.lang.patterns {
			m := re.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			group := func(name string) string {
				if i := re.SubexpIndex(name); i >= 0 {
					return m[i]
				}
				return ""
			}
			f := l.codeFile(group("file"))
			if f == nil {
				continue
			}
			r.Findings = append(r.Findings, finding(f, group, failed))
			break
		}
	}
}

// codeFile is the learner's file that a message names.
func (l *layout) codeFile(name string) *validator.File {
	name = path.Clean(strings.TrimPrefix(name, validator.WorkDir+"/"))
	for i := range l.code {
		if l.code[i].Path == name {
			return &l.code[i]
		}
	}
	return nil
}

func finding(f *validator.File, group func(string) string, failed bool) validator.Finding {
	out := validator.Finding{File: f.Path, Rule: group("rule"), Severity: validator.SeverityWarning}
	out.Line, _ = strconv.Atoi(group("line"))
	out.Column, _ = strconv.Atoi(group("column"))
	switch severity := strings.ToLower(group("severity")); {
	case severity == "warning" || severity == "warn" || severity == "style":
	case severity == "note" || severity == "info":
		out.Severity = validator.SeverityInfo
	case failed:
		out.Severity = validator.SeverityError
	}
	if out.Rule == "" {
		out.Rule = "diagnostic"
	}
	message := short(group("message"))
	if out.Line > 0 {
		out.Message = validator.Text("command.diagnostic", "Line {line}: {message}", "Línea {line}: {message}", "line", out.Line, "message", message)
	} else {
		out.Message = validator.Verbatim("command.diagnostic", or(message, "?"))
	}
	lines := strings.Split(strings.ReplaceAll(string(f.Content), "\r\n", "\n"), "\n")
	if out.Line >= 1 && out.Line <= len(lines) {
		out.Excerpt = short(strings.ToValidUTF8(strings.TrimRight(lines[out.Line-1], " \t"), "\ufffd"))
	}
	return out
}
