package main

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// Bounds on what is formatted, which happens in the plugin itself: the time it
// takes grows faster than the nesting, and nobody can stop it.
const (
	formatBytes = 256 << 10 // of all files
	formatDepth = 100       // of the syntax tree; some 25 blocks in each other
)

// shallow says whether a file is nested no deeper than people nest code.
func shallow(content []byte) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", content, parser.SkipObjectResolution)
	if err != nil {
		return false // and gofmt would not take it
	}
	depth, deepest := 0, 0
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			depth--
			return true
		}
		depth++
		deepest = max(deepest, depth)
		return deepest <= formatDepth
	})
	return deepest <= formatDepth
}

// advice are findings that decide nothing.
func (l *layout) advice(ignored []string) []validator.Finding {
	var out []validator.Finding
	for _, name := range l.dropped[:min(len(l.dropped), mostFindings)] {
		out = append(out, validator.Finding{File: name, Rule: "left-out", Severity: validator.SeverityWarning,
			Message: validator.Text("go.left-out", "{file} was left out: it would go around Go's compiler or change what belongs to the task.",
				"{file} no se tuvo en cuenta: evitaría el compilador de Go o cambiaría lo que pertenece a la tarea.", "file", name)})
	}
	room := formatBytes
	for _, s := range l.sources {
		if !s.learner || s.broken || len(s.content) > room || !utf8.Valid(s.content) || !shallow(s.content) {
			continue
		}
		room -= len(s.content)
		want, err := format.Source(s.content)
		if err != nil || bytes.Equal(want, s.content) {
			continue
		}
		a, b := strings.Split(string(s.content), "\n"), strings.Split(string(want), "\n")
		line := 0
		for line < len(a) && line < len(b) && a[line] == b[line] {
			line++
		}
		out = append(out, finding(s, min(line+1, len(a)), 1, "gofmt", validator.SeverityInfo,
			validator.Text("go.gofmt", "From here on the layout is not what gofmt makes: run gofmt -w {file}.",
				"Desde aquí, el formato no es el que hace gofmt: ejecuta gofmt -w {file}.", "file", s.path)))
	}
	return slices.DeleteFunc(out, func(f validator.Finding) bool { return slices.Contains(ignored, f.Rule) })
}
