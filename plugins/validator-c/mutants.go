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
	for _, f := range slices.SortedFunc(slices.Values(l.submission), func(a, b validator.File) int { return cmp.Compare(a.Path, b.Path) }) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if isCode(f.Path) {
			sources = append(sources, mutants.Source{Path: f.Path, Text: string(f.Content), Edits: nativeLanguage.Edits(string(f.Content))})
		}
	}
	return mutants.Make("c.mutant", sources, limit), nil
}

// numeric are the types whose values are numbers.
var numeric = strings.Fields("int long short unsigned signed size_t ssize_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t double float char intmax_t uintmax_t ptrdiff_t")

// nativeLanguage is what mutants of C and C++ are made by.
var nativeLanguage = &mutants.Language{
	Keywords: append(strings.Fields("auto break case catch class const consteval constexpr constinit continue default delete do else enum explicit extern final for friend goto if inline mutable namespace new noexcept operator override private protected public register restrict return sizeof static struct switch template throw try typedef typename union using virtual void volatile while bool wchar_t static_assert co_await co_return co_yield"),
		numeric...),
	Ignored:    strings.Fields("typedef using namespace template struct enum union friend static_assert _Static_assert extern goto"),
	Raising:    []string{"throw"},
	Literal:    func(rest string, _ bool) int { return prefixedLength(rest) },
	Letters:    true,
	Directives: true,
	Generics:   true, Typed: true, Unsigned: false,
	Functions: map[string]string{
		"min": "max", "max": "min", "fmin": "fmax", "fmax": "fmin", "floor": "ceil", "ceil": "floor", "toupper": "tolower", "tolower": "toupper",
		"isupper": "islower", "islower": "isupper", "isalpha": "isdigit", "isdigit": "isalpha", "strchr": "strrchr", "strrchr": "strchr", "strcpy": "strcat", "strcat": "strcpy",
		"any_of": "all_of", "all_of": "any_of", "none_of": "any_of", "front": "back", "back": "front", "push_front": "push_back", "find": "rfind", "rfind": "find",
		"pop_front": "pop_back", "pop_back": "pop_front", "min_element": "max_element", "max_element": "min_element", "lower_bound": "upper_bound", "upper_bound": "lower_bound",
	},
	Results: func(result string) []string {
		words := strings.Fields(result)
		switch {
		case len(words) == 0 || result == "void" || result == "auto":
			return nil
		case words[len(words)-1] == "*" || strings.HasSuffix(result, "*"):
			return []string{"0"}
		case words[len(words)-1] == "bool":
			return []string{"false", "true"}
		case slices.Contains(numeric, words[len(words)-1]):
			return []string{"0", "1", "-1"}
		}
		return []string{"{}"} // an empty one of C++; C compiles none
	},
	Params: func(words []string) (string, string) {
		for len(words) > 2 && words[len(words)-1] == "]" { // an array is a pointer here
			at := slices.Index(words, "[")
			words = append(slices.Clone(words[:at-1]), "*", words[at-1])
		}
		if at := slices.Index(words, "="); at > 0 {
			words = words[:at]
		}
		n := len(words) - 1
		if n < 1 {
			return "", ""
		}
		return words[n], strings.Join(words[:n], " ")
	},
	Result: func(before, after []string) string {
		if at := slices.Index(after, "->"); at >= 0 {
			return strings.Join(after[at+1:], " ")
		}
		before = slices.DeleteFunc(slices.Clone(before), func(w string) bool {
			return slices.Contains([]string{"static", "inline", "constexpr", "const", "virtual", "explicit", "extern", "public", "private", "protected", ":"}, w)
		})
		if at := slices.Index(before, "::"); at > 0 && before[0] != "std" { // int Account::balance
			before = before[:at-1]
		}
		return strings.Join(before, " ")
	},
}

// prefixedLength is the length of a text with a prefix, such as R"(…)" or L'x',
// or 0.
func prefixedLength(rest string) int {
	n := 0
	for n < len(rest) && n < 3 && strings.IndexByte("uUL8R", rest[n]) >= 0 {
		n++
	}
	if n == 0 || n >= len(rest) || rest[n] != '"' && rest[n] != '\'' {
		return 0
	}
	if rest[n-1] == 'R' && rest[n] == '"' {
		return n + rawLength([]byte(rest[n:]))
	}
	return n + quotedLength([]byte(rest[n:]))
}
