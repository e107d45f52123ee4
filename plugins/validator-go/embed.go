package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// embedcfg tells the compiler which files go:embed lines mean; empty without
// any. A pattern that matches nothing is the compiler's to explain.
func (l *layout) embedcfg(sources []*source) string {
	cfg := struct {
		Patterns map[string][]string `json:"Patterns"`
		Files    map[string]string   `json:"Files"`
	}{map[string][]string{}, map[string]string{}}
	for _, s := range sources {
		dir := path.Dir(s.path)
		for _, pattern := range embedPatterns(s.content) {
			names := l.embeds(s, pattern)
			if len(names) == 0 {
				continue
			}
			cfg.Patterns[pattern] = nil
			for _, name := range names {
				rel := name
				if dir != "." {
					rel = strings.TrimPrefix(name, dir+"/")
				}
				cfg.Patterns[pattern] = append(cfg.Patterns[pattern], rel)
				cfg.Files[rel] = validator.WorkDir + "/" + sourceDir + "/" + name
			}
		}
	}
	if len(cfg.Patterns) == 0 {
		return ""
	}
	raw, err := json.Marshal(cfg)
	if err != nil {
		return "" // maps of strings
	}
	return string(raw)
}

// ownEmbeds are patterns of a submission that a file of the task in the same
// package has, too, and means other files by: the compiler knows one list for
// both, and would hand the tests' data over.
func (l *layout) ownEmbeds() []validator.Finding {
	var out []validator.Finding
	for _, dir := range slices.Sorted(maps.Keys(l.pkgs)) {
		p := l.pkgs[dir]
		all := slices.Concat(p.code, p.tests)
		theirs := map[string][]string{}
		for _, s := range all {
			for _, pattern := range embedPatterns(s.content) {
				if !s.learner {
					theirs[pattern] = l.embeds(s, pattern)
				}
			}
		}
		for _, s := range all {
			for _, pattern := range embedPatterns(s.content) {
				files, both := theirs[pattern]
				if !s.learner || !both || slices.Equal(files, l.embeds(s, pattern)) {
					continue
				}
				at := max(0, bytes.Index(s.content, []byte("//go:embed")))
				out = append(out, finding(s, 1+bytes.Count(s.content[:at], []byte("\n")), 1, "embeds-tests", validator.SeverityError,
					validator.Text("go.embeds-tests", "The tests embed {pattern}, too: name the files that are yours one by one.",
						"Las pruebas también incluyen {pattern}: nombra tus archivos uno por uno.", "pattern", pattern)))
			}
		}
	}
	return out
}

// embedded are the data files that a compiler needs.
func (l *layout) embedded() []string {
	all := map[string]bool{}
	for _, s := range l.sources {
		for _, pattern := range embedPatterns(s.content) {
			for _, name := range l.embeds(s, pattern) {
				all[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// embeds are the files that a pattern means. A submission can only embed what
// it brings: test data may hold expected values.
func (l *layout) embeds(s *source, pattern string) []string {
	pattern, hidden := strings.CutPrefix(pattern, "all:")
	dir := path.Dir(s.path)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(l.data)) {
		rel := name
		if dir != "." {
			var ok bool
			if rel, ok = strings.CutPrefix(name, dir+"/"); !ok {
				continue
			}
		}
		if s.learner && !l.learner[name] {
			continue
		}
		// The pattern names a file, or a folder above it.
		rest := ""
		for at := rel; ; at, rest = path.Dir(at), path.Join(path.Base(at), rest) {
			if ok, err := path.Match(pattern, at); err == nil && ok && (hidden || !hasHidden(rest)) {
				out = append(out, name)
				break
			}
			if at == "." || at == "/" {
				break
			}
		}
	}
	return out
}

func hasHidden(rest string) bool {
	for part := range strings.SplitSeq(rest, "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") {
			return true
		}
	}
	return false
}

// embedPatterns are the words of the go:embed lines.
func embedPatterns(content []byte) []string {
	var out []string
	for line := range strings.Lines(string(content)) {
		words, ok := strings.CutPrefix(strings.TrimSpace(line), "//go:embed ")
		for words = strings.TrimSpace(words); ok && words != ""; words = strings.TrimSpace(words) {
			if q, err := strconv.QuotedPrefix(words); err == nil {
				if p, err := strconv.Unquote(q); err == nil {
					out = append(out, p)
				}
				words = words[len(q):]
				continue
			}
			word, rest, _ := strings.Cut(words, " ")
			out, words = append(out, word), rest
		}
	}
	return out
}
