package main

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// mutate makes small faulty variants of a solution. It reads the text only.
func mutate(ctx context.Context, req *validator.Request, limit int) ([]validator.Mutant, error) {
	l := arrange(req)
	var sources []mutants.Source
	for _, f := range slices.SortedFunc(slices.Values(l.submission), func(a, b validator.File) int { return cmp.Compare(a.Path, b.Path) }) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !isCode(f.Path) || isConfig(f.Path) || testName.MatchString(path.Base(f.Path)) {
			continue
		}
		language := script
		if isTyped(f) {
			language = typed
		}
		sources = append(sources, mutants.Source{Path: f.Path, Text: string(f.Content), Edits: language.Edits(string(f.Content))})
	}
	return mutants.Make("javascript.mutant", sources, limit), nil
}

var (
	script = scriptLanguage(false)
	typed  = scriptLanguage(true)
)

// scriptLanguage is what mutants are made by, of JavaScript or TypeScript.
func scriptLanguage(typed bool) *mutants.Language {
	constants := []string{"undefined", "0", `""`, "true", "[]", "-1"}
	if typed {
		for i := range constants {
			constants[i] = "(" + constants[i] + " as any)"
		}
	}
	return &mutants.Language{
		Keywords: strings.Fields("async await break case catch class const continue debugger default delete do else export extends finally for function if import in instanceof let new of return static switch throw try typeof var void while with yield as satisfies keyof readonly"),
		Ignored:  strings.Fields("import interface type declare"),
		Raising:  []string{"throw"},
		Literal:  scriptLiteral,
		Generics: typed, LineEnds: true,
		Functions: map[string]string{
			"min": "max", "max": "min", "floor": "ceil", "ceil": "floor", "round": "floor", "some": "every", "every": "some", "filter": "map", "find": "findLast",
			"toUpperCase": "toLowerCase", "toLowerCase": "toUpperCase", "startsWith": "endsWith", "endsWith": "startsWith", "trimStart": "trimEnd", "trimEnd": "trimStart",
			"push": "unshift", "unshift": "push", "pop": "shift", "shift": "pop", "indexOf": "lastIndexOf", "lastIndexOf": "indexOf", "padStart": "padEnd", "padEnd": "padStart",
			"keys": "values", "values": "keys",
		},
		Results: func(string) []string { return constants },
		Params: func(words []string) (string, string) {
			if words[0] == "..." || strings.HasPrefix(words[0], "{") || strings.HasPrefix(words[0], "[") {
				return "", ""
			}
			for len(words) > 1 && slices.Contains([]string{"public", "private", "protected", "readonly"}, words[0]) {
				words = words[1:]
			}
			if !typed {
				return words[0], ""
			}
			typ := strings.Join(words[1:], " ")
			typ, _, _ = strings.Cut(typ, "=")
			return words[0], strings.TrimSpace(strings.TrimPrefix(typ, "? "))
		},
	}
}

// scriptLiteral is the length of a template or of a regular expression.
func scriptLiteral(rest string, afterValue bool) int {
	switch {
	case rest[0] == '`':
		return templateLength(rest)
	case rest[0] == '/' && !afterValue:
		return patternLength(rest)
	}
	return 0
}

// templateLength is the length of a text in backticks, with what it embeds.
func templateLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '`':
			return i + 1
		case strings.HasPrefix(s[i:], "${"):
			depth := 1
			for i += 2; i < len(s) && depth > 0; i++ {
				switch s[i] {
				case '{':
					depth++
				case '}':
					depth--
				case '`', '"', '\'':
					n := textLength(s[i:])
					if n == 0 {
						return 0
					}
					i += n - 1
				}
			}
			i--
		}
	}
	return 0
}

func textLength(s string) int {
	if s[0] == '`' {
		return templateLength(s)
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		case '\n':
			return 0
		}
	}
	return 0
}

// patternLength is the length of a regular expression with its flags, or 0.
func patternLength(s string) int {
	class := false
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			class = true
		case ']':
			class = false
		case '\n':
			return 0
		case '/':
			if class {
				continue
			}
			for i++; i < len(s) && s[i] >= 'a' && s[i] <= 'z'; i++ {
			}
			return i
		}
	}
	return 0
}
