package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// mutate makes small faulty variants of a solution. It reads the text only.
func mutate(ctx context.Context, req *validator.Request, limit int) ([]validator.Mutant, error) {
	l := arrange(req)
	var sources []mutants.Source
	for _, f := range slices.SortedFunc(slices.Values(l.main), func(a, b validator.File) int { return cmp.Compare(a.Path, b.Path) }) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if slices.Contains(l.names, f.Path) {
			sources = append(sources, mutants.Source{Path: f.Path, Text: string(f.Content), Edits: javaLanguage.Edits(string(f.Content))})
		}
	}
	return mutants.Make("java.mutant", sources, limit), nil
}

// javaLanguage is what mutants are made by.
var javaLanguage = &mutants.Language{
	Keywords: strings.Fields("abstract assert break case catch class continue default do else enum extends final finally for if implements import instanceof interface native new package private protected public return static strictfp switch synchronized throw throws transient try volatile while yield record sealed permits var " +
		"int long short byte char float double boolean void"),
	Ignored:  strings.Fields("import package"),
	Raising:  []string{"throw"},
	Literal:  textBlock,
	Letters:  true,
	Generics: true, Typed: true,
	Functions: map[string]string{
		"min": "max", "max": "min", "floor": "ceil", "ceil": "floor", "anyMatch": "allMatch", "allMatch": "anyMatch", "noneMatch": "anyMatch",
		"toUpperCase": "toLowerCase", "toLowerCase": "toUpperCase", "startsWith": "endsWith", "endsWith": "startsWith", "indexOf": "lastIndexOf", "lastIndexOf": "indexOf",
		"isUpperCase": "isLowerCase", "isLowerCase": "isUpperCase", "addFirst": "addLast", "addLast": "addFirst", "takeWhile": "dropWhile", "dropWhile": "takeWhile",
		"stripLeading": "stripTrailing", "stripTrailing": "stripLeading", "push": "addLast", "limit": "skip", "skip": "limit",
	},
	Results: func(result string) []string {
		switch result {
		case "int", "long", "short", "byte", "double", "float":
			return []string{"0", "1", "-1"}
		case "char":
			return []string{"'x'", "' '"}
		case "Integer":
			return []string{"null", "0", "1"}
		case "boolean", "Boolean":
			return []string{"false", "true"}
		case "String":
			return []string{"null", `""`, `"x"`}
		case "", "void":
			return nil
		}
		if strings.HasPrefix(result, "List<") {
			return []string{"null", "java.util.List.of()"}
		}
		if strings.HasPrefix(result, "Map<") {
			return []string{"null", "java.util.Map.of()"}
		}
		return []string{"null"}
	},
	Params: func(words []string) (string, string) {
		if len(words) < 2 {
			return words[0], ""
		}
		n := len(words) - 1
		return words[n], strings.Join(slices.DeleteFunc(slices.Clone(words[:n]), func(w string) bool { return w == "final" || strings.HasPrefix(w, "@") }), "")
	},
	Result: func(before, _ []string) string {
		before = slices.DeleteFunc(slices.Clone(before), func(w string) bool {
			return slices.Contains([]string{"public", "private", "protected", "static", "final", "abstract", "synchronized", "default"}, w)
		})
		if len(before) > 0 && (before[0] == "<" || before[0] == "new") {
			return ""
		}
		return strings.Join(before, "")
	},
}

// textBlock is the length of a text between three quotes, or 0.
func textBlock(rest string, _ bool) int {
	if !strings.HasPrefix(rest, `"""`) {
		return 0
	}
	for i := 3; i < len(rest); i++ {
		switch {
		case rest[i] == '\\':
			i++
		case strings.HasPrefix(rest[i:], `"""`):
			return i + 3
		}
	}
	return 0
}
