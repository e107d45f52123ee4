package main

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// refusal is something in the submission that would change what the tests say.
type refusal struct {
	file string
	line int
	rule string
	name string
}

// gap is what may stand between the parts of a directive.
const gap = `(?:[ \t\v\f]|/\*.*?\*/)*`

var (
	defines = regexp.MustCompile(`(?s)(?:#|%:|\?\?=)` + gap + `(define|undef)` + gap + `([A-Za-z_]\w*)([^\n]*)`)
	pragmas = regexp.MustCompile(`\b(push_macro|pop_macro|redefine_extname)\b`)
	asm     = regexp.MustCompile(`\b(asm|__asm|__asm__)\b`)
	touches = regexp.MustCompile(`\b(Unity(?:[A-Z]\w*|\s*\.)|(?:namespace\s+|\busing\s+namespace\s+)?Catch\s*::|namespace\s+Catch\b|gt_[a-z]\w*|__asan_\w+|__ubsan_\w+|__sanitizer_\w+|__assert_fail)`)
	// An operator for the library's own types, which tests would find first.
	standardOperator = regexp.MustCompile(`namespace\s+std\s*\{[^}]*\boperator\s*(==|!=|<=>)`)

	guard = regexp.MustCompile(`(_H|_HPP|_HH|_H_|_INCLUDED|_H__|_HPP__|_HPP_)_*$`)

	frameworkMacro = regexp.MustCompile(`^(TEST_|RUN_TEST|UNITY|Unity|CATCH|INTERNAL_CATCH|DOCTEST|REQUIRE|CHECK(_|ED_)|GT_|gt_|__)|^(NDEBUG|CHECK|SECTION|SUBCASE|SCENARIO|GIVEN|WHEN|THEN|INFO|FAIL|assert|static_assert|_Static_assert|main|setUp|tearDown)$`)
)

var keywords = strings.Fields(`auto bool break case catch char class const constexpr continue default delete do double else enum explicit
	extern false float for friend goto if inline int long namespace new noexcept nullptr operator private protected public return short signed
	sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void volatile while std`)

// plain are names of the library that a macro could give another meaning.
var plain = strings.Fields(`NULL EOF abort abs atoi calloc ceil exit fabs fflush floor fopen fprintf fputs free isnan longjmp malloc memcmp memcpy
	memset pow printf putchar puts realloc setjmp snprintf sprintf sqrt strcasecmp strchr strcmp strcpy strlen strncmp strncpy strstr strtol
	strncasecmp strcoll strrchr strspn strcspn strtok strdup strndup strcat strncat strtod strtof strtoul strtoll memchr memmove bcmp wcscmp
	fputs fputc putc vprintf vfprintf vsnprintf vsprintf sscanf fgets fclose fread fwrite qsort bsearch round trunc fmod fmax fmin log exp labs
	llabs isinf signbit isalpha isdigit isalnum isspace isupper islower ispunct isprint toupper tolower raise signal perror getenv
	equal string vector map set to_string size begin end empty at push_back make_unique make_shared Approx Matchers Equals Contains`)

// refuse lists what of the submission reaches for the tests' own words. Macros
// count in headers, and in what the tests include: elsewhere they change only
// the submission itself.
func refuse(l *layout, opts options) []refusal {
	included, words := l.testWords()
	var out []refusal
	for _, f := range l.submission {
		if !isCode(f.Path) {
			continue
		}
		src := strings.ReplaceAll(strings.ReplaceAll(string(f.Content), "\r\n", "\n"), "\\\n", " \v")
		code := bare(string(f.Content), true)
		add := func(at int, text, rule, name string) {
			line := 1 + strings.Count(text[:at], "\n") + strings.Count(text[:at], "\v")
			out = append(out, refusal{f.Path, line, rule, name})
		}
		if at := touches.FindStringIndex(code); at != nil && l.hasTests() {
			add(at[0], code, "framework-access", strings.TrimSpace(code[at[0]:at[1]]))
		}
		if at := asm.FindStringIndex(code); at != nil && !opts.AllowAsm {
			add(at[0], code, "inline-assembly", code[at[0]:at[1]])
		}
		if at := standardOperator.FindStringIndex(code); at != nil && isHeader(f.Path) {
			add(at[0], code, "framework-access", "namespace std")
		}
		if !isHeader(f.Path) && !included[path.Base(f.Path)] || !l.hasTests() {
			continue
		}
		if at := pragmas.FindStringIndex(src); at != nil {
			add(at[0], src, "macro-override", src[at[0]:at[1]])
		}
		for _, text := range []string{src, code} {
			for _, at := range defines.FindAllStringSubmatchIndex(text, -1) {
				name, body := text[at[4]:at[5]], strings.TrimSpace(text[at[6]:at[7]])
				if changesTests(name, body, words) {
					add(at[0], text, "macro-override", name)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b refusal) int {
		return cmp.Or(strings.Compare(a.file, b.file), a.line-b.line, strings.Compare(a.rule, b.rule), strings.Compare(a.name, b.name))
	})
	return slices.Compact(out)
}

// testWords are the files that the tests include, and the words that they use.
func (l *layout) testWords() (included, words map[string]bool) {
	included, words = map[string]bool{}, map[string]bool{}
	for _, m := range l.modules {
		for _, i := range includes.FindAllStringSubmatch(m.content, -1) {
			included[path.Base(i[1])] = true
		}
		for _, w := range word.FindAllString(bare(m.content, true), -1) {
			words[w] = true
		}
	}
	return included, words
}

var word = regexp.MustCompile(`[A-Za-z_]\w*`)

// changesTests says whether a macro of that name changes what tests mean.
func changesTests(name, body string, words map[string]bool) bool {
	switch {
	case body == "" && guard.MatchString(name):
		return false
	case frameworkMacro.MatchString(name) || slices.Contains(keywords, name):
		return !harmless(name, body)
	}
	return slices.Contains(plain, name) && words[name]
}

// harmless are the definitions of old textbooks.
func harmless(name, body string) bool {
	switch name {
	case "bool":
		return body == "int" || body == "char" || body == "_Bool"
	case "true":
		return body == "1" || body == "(1)"
	case "false":
		return body == "0" || body == "(0)"
	}
	return false
}

// symbols of the library that a header of the submission must not define.
func overridden(symbols []string, l *layout) []refusal {
	var out []refusal
	for _, s := range symbols {
		if !slices.Contains(plain, s) && !strings.HasPrefix(s, "_") && s != "signal" && s != "write" && s != "raise" && s != "_exit" {
			continue
		}
		for _, f := range l.submission {
			code := bare(string(f.Content), true)
			if at := regexp.MustCompile(`\b` + regexp.QuoteMeta(s) + `\b`).FindStringIndex(code); isHeader(f.Path) && at != nil {
				out = append(out, refusal{f.Path, 1 + strings.Count(code[:at[0]], "\n"), "symbol-override", s})
			}
		}
	}
	return out
}

func (r refusal) finding() validator.Finding {
	f := validator.Finding{File: r.file, Line: r.line, Rule: r.rule, Severity: validator.SeverityError}
	switch r.rule {
	case "inline-assembly":
		f.Message = validator.Text("c.inline-assembly", "Inline assembly is not accepted here.", "Aquí no se acepta código ensamblador.")
	case "framework-access":
		f.Message = validator.Text("c.framework-access", "{name} belongs to what judges; your code must not use it.", "{name} pertenece a lo que evalúa; tu código no debe usarlo.", "name", r.name)
	case "ifunc":
		f.Message = validator.Text("c.ifunc", "Your code asks for something to run before the program starts ({name}); that is not accepted here.",
			"Tu código pide ejecutar algo antes de que empiece el programa ({name}); aquí no se acepta.", "name", r.name)
	default:
		f.Message = validator.Text("c."+r.rule, "{name} has a meaning of its own that the tests rely on; your code must not give it another. Choose another name.",
			"{name} tiene un significado propio en el que confían las pruebas; tu código no debe darle otro. Elige otro nombre.", "name", r.name)
	}
	return f
}
