package main

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// diagnostic is one message of the compiler.
type diagnostic struct {
	file         string
	line, column int
	text         string
}

var diagnosticLine = regexp.MustCompile(`^(?:\./)?(\S.*?\.go):(\d+)(?::(\d+))?: (.*)$`)

// diagnostics reads what the compiler printed. Lines that begin with a tab
// belong to the message above.
func diagnostics(raw []byte) []diagnostic {
	var out []diagnostic
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "\t") {
			if len(out) > 0 {
				out[len(out)-1].text += "\n" + line
			}
			continue
		}
		m := diagnosticLine.FindStringSubmatch(line)
		if m == nil || strings.HasSuffix(m[4], "too many errors") {
			continue
		}
		d := diagnostic{file: path.Clean(m[1]), text: m[4]}
		d.line, _ = strconv.Atoi(m[2])   // digits; too many give 0,
		d.column, _ = strconv.Atoi(m[3]) // which means unknown
		out = append(out, d)
	}
	return out
}

// source returns the source of that path, or nil.
func (l *layout) source(name string) *source {
	for _, s := range l.sources {
		if s.path == name {
			return s
		}
	}
	return nil
}

// findings explains what the compiler said, each place once.
func (l *layout) findings(all []diagnostic) []validator.Finding {
	var out []validator.Finding
	seen := map[string]bool{}
	for _, d := range all {
		key := d.file + ":" + strconv.Itoa(d.line) + ":" + d.text
		if seen[key] || len(out) >= 100 {
			continue
		}
		seen[key] = true
		s := l.source(d.file)
		if s != nil && s.learner {
			rule, m := explain(d.text)
			out = append(out, finding(s, d.line, d.column, rule, validator.SeverityError, m))
			continue
		}
		rule, m := explainInTests(d)
		if m.ID == "go.missing-name" {
			if seen[m.Text["en"]] {
				continue
			}
			seen[m.Text["en"]] = true
		}
		out = append(out, validator.Finding{Rule: rule, Severity: validator.SeverityError, Message: m})
	}
	return out
}

var undefinedName = regexp.MustCompile(`^undefined: (\S+)`)

// explainInTests is about errors in the task's own files: what the tests want
// is not what the submission has.
func explainInTests(d diagnostic) (rule string, m validator.Message) {
	if match := undefinedName.FindStringSubmatch(d.text); match != nil {
		return "missing-name", validator.Text("go.missing-name",
			"The tests use {name}, which your code does not define. Is it spelled as the task says, with the same capital letters?",
			"Las pruebas usan {name}, que tu código no define. ¿Está escrito como dice la tarea, con las mismas mayúsculas?", "name", match[1])
	}
	_, inner := explain(d.text)
	return "unfit-for-tests", validator.Text("go.unfit", "Your code does not fit the tests ({file}, line {line}): {en}",
		"Tu código no encaja con las pruebas ({file}, línea {line}): {es}", "file", d.file, "line", d.line, "en", inner.Text["en"], "es", inner.Text["es"])
}
