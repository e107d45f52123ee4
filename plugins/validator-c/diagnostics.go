package main

import (
	"bytes"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/plugins/internal/files"
	"github.com/goals-tracker/tracker/plugins/internal/native"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// diagnostic is one of the compiler's, as -fdiagnostics-format=json has it.
type diagnostic struct {
	Kind      string `json:"kind"`
	Message   string `json:"message"`
	Option    string `json:"option"`
	Locations []struct {
		Caret  point `json:"caret"`
		Finish point `json:"finish"`
	} `json:"locations"`
	Children []diagnostic `json:"children"`
}

type point struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"byte-column"`
}

// mostFindings keeps one missing brace from filling a report.
const mostFindings = 60

// diagnose turns what compiler and linker say in a step into findings, without
// doubles, in the order of files and lines.
func diagnose(p *validator.ProcessResult, sub *validator.Submission, ofTests bool, ignore []string) []validator.Finding {
	var out []validator.Finding
	add := func(f validator.Finding) {
		for _, o := range out {
			if o.Rule == f.Rule && o.File == f.File && o.Line == f.Line && o.Message.In("en") == f.Message.In("en") {
				return
			}
		}
		if len(out) < mostFindings {
			out = append(out, f)
		}
	}
	files := slices.Clone(p.Collected)
	slices.SortFunc(files, func(a, b validator.File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		switch {
		case path.Base(f.Path) == "link.txt":
			for _, x := range linking(string(f.Content), sub) {
				add(x)
			}
		case path.Ext(f.Path) == ".json":
			for _, d := range decode(f.Content) {
				if x, ok := d.finding(sub, ofTests); ok && (x.Severity == validator.SeverityError || !slices.Contains(ignore, x.Rule)) {
					add(x)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b validator.Finding) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return out
}

// decode reads what the compiler wrote; words around its JSON are left out.
func decode(text []byte) []diagnostic {
	var out []diagnostic
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("[")) {
			continue
		}
		var list []diagnostic
		if json.Unmarshal(line, &list) != nil {
			continue
		}
		for _, d := range list {
			out = append(out, d)
			for _, c := range d.Children { // one that came up while another was told
				if c.Kind != "note" {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

// finding is a diagnostic's; false for notes and for warnings about the tests.
func (d *diagnostic) finding(sub *validator.Submission, ofTests bool) (validator.Finding, bool) {
	var f validator.Finding
	switch d.Kind {
	case "error", "fatal error", "sorry, unimplemented", "internal compiler error":
		f.Severity, f.Rule = validator.SeverityError, "error"
	case "warning":
		f.Severity, f.Rule = validator.SeverityWarning, "warning"
	default:
		return f, false
	}
	if d.Option != "" {
		f.Rule = d.Option
	}
	if strings.HasPrefix(d.Message, "#pragma once in main file") {
		return f, false // a header was looked at by itself
	}
	for _, loc := range d.Locations {
		name := place(loc.Caret.File)
		if sub.File(name) == nil {
			continue
		}
		f.File, f.Line = name, loc.Caret.Line
		text := files.Line(sub, name, f.Line)
		f.Column = points(text, loc.Caret.Column)
		if loc.Finish.Line == loc.Caret.Line && loc.Finish.Column >= loc.Caret.Column {
			f.EndLine, f.EndColumn = loc.Finish.Line, points(text, loc.Finish.Column)+1
		}
		f.Excerpt = files.Excerpt(text, f.Column)
		break
	}
	if f.File == "" {
		if at, ok := d.within(sub); ok {
			f.File, f.Line, f.Column, f.Excerpt = at.File, at.Line, at.Column, at.Excerpt
		}
	}
	f.Message = phrase(d.Message, d.Option)
	if f.File == "" && f.Severity == validator.SeverityWarning {
		return f, false
	}
	if f.File == "" && ofTests && len(d.Locations) > 0 {
		where := place(strings.TrimPrefix(d.Locations[0].Caret.File, "./"+judgeDir+"/../")) + ":" + strconv.Itoa(d.Locations[0].Caret.Line)
		f.Message = validator.Text("c.tests-compile", "{where} does not compile with your code: {message}", "{where} no compila con tu código: {message_es}",
			"where", where, "message", f.Message.In("en"), "message_es", f.Message.In("es"))
	}
	return f, true
}

// within finds the place in the submission that an error in a header of the
// system's goes back to.
func (d *diagnostic) within(sub *validator.Submission) (validator.Finding, bool) {
	for i := range d.Children {
		for _, loc := range d.Children[i].Locations {
			name := place(loc.Caret.File)
			if sub.File(name) != nil {
				text := files.Line(sub, name, loc.Caret.Line)
				column := points(text, loc.Caret.Column)
				return validator.Finding{File: name, Line: loc.Caret.Line, Column: column, Excerpt: files.Excerpt(text, column)}, true
			}
		}
	}
	return validator.Finding{}, false
}

var (
	undefinedReference = regexp.MustCompile("(?m)undefined reference to [`'](.+?)'\\s*$")
	multipleDefinition = regexp.MustCompile("(?m)multiple definition of [`'](.+?)'")
	hiddenSymbol       = regexp.MustCompile("hidden symbol [`'](.+?)'")
	undefinedFrom      = regexp.MustCompile(`(\S+?):(\d+): undefined reference`)
)

// linking explains what the linker says.
func linking(text string, sub *validator.Submission) []validator.Finding {
	var out []validator.Finding
	for line := range strings.Lines(text) {
		if m := undefinedReference.FindStringSubmatch(line); m != nil {
			f := validator.Finding{Rule: "undefined-reference", Severity: validator.SeverityError}
			if at := undefinedFrom.FindStringSubmatch(line); at != nil && sub.File(place(at[1])) != nil {
				f.File = place(at[1])
				f.Line, _ = strconv.Atoi(at[2])
				f.Excerpt = files.Excerpt(files.Line(sub, f.File, f.Line), 0)
			}
			if m[1] == "main" {
				f.Message = validator.Text("c.no-main", "The program has no main function to start with.", "El programa no tiene una función main con la que empezar.")
			} else {
				f.Message = validator.Text("c.undefined-reference", "{name} is used, but none of the files defines it. Is it spelled right, and does it have a body?",
					"Se usa {name}, pero ningún archivo lo define. ¿Está bien escrito y tiene un cuerpo?", "name", m[1])
			}
			out = append(out, f)
		}
		if m := multipleDefinition.FindStringSubmatch(line); m != nil {
			f := validator.Finding{Rule: "multiple-definition", Severity: validator.SeverityError}
			f.Message = validator.Text("c.multiple-definition", "{name} is defined more than once. Functions and variables that a header defines appear in each file that includes it: declare them there, and define them in one source file.",
				"{name} está definido más de una vez. Las funciones y variables que define un encabezado aparecen en cada archivo que lo incluye: decláralas allí y defínelas en un solo archivo fuente.", "name", m[1])
			out = append(out, f)
		}
	}
	if m := hiddenSymbol.FindStringSubmatch(text); m != nil && len(out) == 0 {
		x := refusal{rule: "framework-access", name: m[1]}
		out = append(out, x.finding())
	}
	if len(out) == 0 && strings.Contains(text, "error") {
		out = append(out, validator.Finding{Rule: "link", Severity: validator.SeverityError, Message: validator.Verbatim("c.link", native.Short(strings.TrimSpace(text)))})
	}
	return out
}

// points turns a column in bytes into one in code points.
func points(text string, column int) int {
	if column < 1 {
		return 0
	}
	return utf8.RuneCountInString(text[:min(column-1, len(text))]) + 1
}
