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
	given := map[string]bool{}
	for _, f := range req.Task.Tests {
		given[f.Path] = true
	}
	var sources []mutants.Source
	for _, f := range slices.SortedFunc(slices.Values(req.Submission.Files), func(a, b validator.File) int { return cmp.Compare(a.Path, b.Path) }) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if path.Ext(f.Path) == ".rs" && !given[f.Path] && !strings.HasPrefix(f.Path, "tests/") && f.Path != "build.rs" {
			sources = append(sources, mutants.Source{Path: f.Path, Text: string(f.Content), Edits: rustLanguage.Edits(string(f.Content))})
		}
	}
	return mutants.Make("rust.mutant", sources, limit), nil
}

// rustLanguage is what mutants are made by.
var rustLanguage = &mutants.Language{
	Keywords:       strings.Fields("as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut pub ref return static struct super trait type union unsafe use where while"),
	Ignored:        strings.Fields("use mod extern struct enum type trait impl macro_rules const static"),
	Raising:        []string{"panic"},
	Literal:        rustLiteral,
	Letters:        true,
	LongTexts:      true,
	NestedComments: true,
	Generics:       true, Bare: true, Typed: true, Unsigned: true,
	Functions: map[string]string{
		"min": "max", "max": "min", "floor": "ceil", "ceil": "floor", "any": "all", "all": "any", "sum": "product", "product": "sum", "first": "last", "last": "first",
		"to_uppercase": "to_lowercase", "to_lowercase": "to_uppercase", "to_ascii_uppercase": "to_ascii_lowercase", "to_ascii_lowercase": "to_ascii_uppercase",
		"starts_with": "ends_with", "ends_with": "starts_with", "is_some": "is_none", "is_none": "is_some", "is_ok": "is_err", "is_err": "is_ok",
		"trim_start": "trim_end", "trim_end": "trim_start", "is_uppercase": "is_lowercase", "is_lowercase": "is_uppercase", "push_front": "push_back", "push_back": "push_front",
		"pop_front": "pop_back", "pop_back": "pop_front", "take": "skip", "skip": "take", "find": "rfind", "rfind": "find", "is_positive": "is_negative", "is_negative": "is_positive",
		"is_alphabetic": "is_numeric", "is_numeric": "is_alphabetic", "take_while": "skip_while", "skip_while": "take_while",
	},
	Results: func(result string) []string {
		switch result {
		case "", "!", "Self":
			return nil
		case "i8", "i16", "i32", "i64", "i128", "isize":
			return []string{"0", "1", "-1"}
		case "u8", "u16", "u32", "u64", "u128", "usize":
			return []string{"0", "1"}
		case "f32", "f64":
			return []string{"0.0", "1.0", "-1.0"}
		case "bool":
			return []string{"false", "true"}
		case "String":
			return []string{"String::new()", `"x".to_string()`}
		}
		switch {
		case strings.HasPrefix(result, "&") && strings.HasSuffix(result, "str"):
			return []string{`""`, `"x"`}
		case strings.HasPrefix(result, "Option<"):
			return []string{"None", "Some(Default::default())"}
		case strings.HasPrefix(result, "Result<"):
			return []string{"Ok(Default::default())", "Err(Default::default())"}
		}
		return []string{"Default::default()"}
	},
	Params: func(words []string) (string, string) {
		if len(words) > 0 && words[0] == "mut" {
			words = words[1:]
		}
		if len(words) < 3 || words[1] != ":" {
			return "", ""
		}
		return words[0], strings.Join(words[2:], " ")
	},
	Result: func(_, after []string) string {
		if len(after) < 2 || after[0] != "->" {
			return ""
		}
		after = after[1:]
		if at := slices.Index(after, "where"); at >= 0 {
			after = after[:at]
		}
		return strings.Join(after, "")
	},
}

// rustLiteral is the length of a raw text, of a text of bytes, or of a lifetime;
// or 0.
func rustLiteral(rest string, _ bool) int {
	switch b := []byte(rest[:min(len(rest), 1<<16)]); {
	case b[0] == 'r':
		return rawLength(b)
	case (b[0] == 'b' || b[0] == 'c') && len(b) > 2 && b[1] == 'r' && rawLength(b[1:]) > 0:
		return 1 + rawLength(b[1:])
	case (b[0] == 'b' || b[0] == 'c') && len(b) > 2 && b[1] == '"':
		return 1 + quotedLength(b[1:])
	case b[0] == 'b' && len(b) > 2 && b[1] == '\'':
		return 1 + charLength(b[1:])
	case b[0] == '\'' && charLength(b) == 1: // a lifetime
		n := 1
		for n < len(b) && wordByte(b[n]) {
			n++
		}
		return n
	}
	return 0
}
