package conform

import (
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
)

func file(lang judging.Language, content string) judging.Submission {
	return judging.Submission{Language: lang.Name, Files: []judging.File{{Path: lang.DefaultFile, Content: []byte(content)}}}
}

// odd are submissions that learners do hand in, on purpose or not.
func odd(lang judging.Language) map[string]judging.Submission {
	ext := lang.Extensions[0]
	many := judging.Submission{Language: lang.Name}
	for i := range 300 {
		many.Files = append(many.Files, judging.File{Path: fmt.Sprintf("d%d/f%d%s", i%7, i, ext), Content: []byte("\n")})
	}
	return map[string]judging.Submission{
		"nothing at all": {Language: lang.Name},
		"an empty file":  file(lang, ""),
		"binary":         file(lang, "\x00\x01\xff\xfe\x80ELF"),
		"one long line":  file(lang, strings.Repeat("(", 100_000)),
		"a large file":   file(lang, strings.Repeat("x = 1\n", 150_000)),
		"carriage returns, a byte order mark and no newline at the end": file(lang, "\ufeffx = 1\r\ny = 2\rz = 3"),
		"text that turns around and hides":                              file(lang, "x = \"\u202eevil\u202c\u200b\"  # \u0430\n"),
		"names that look like options and shell": {Language: lang.Name, Files: []judging.File{
			{Path: "-rf" + ext}, {Path: "$(reboot)" + ext}, {Path: "a b/ñandú" + ext}, {Path: "x\ny" + ext}, {Path: "'\"`;&|" + ext},
		}},
		"names that are long, deep or nearly the same": {Language: lang.Name, Files: []judging.File{
			{Path: strings.Repeat("n", 200) + ext}, {Path: strings.Repeat("d/", 100) + "deep" + ext},
			{Path: "Main" + ext}, {Path: "main" + ext}, {Path: "e\u0301" + ext}, {Path: "\u00e9" + ext},
		}},
		"files that settings are read from": {Language: lang.Name, Files: []judging.File{
			{Path: lang.DefaultFile, Content: []byte("x\n")}, {Path: ".env", Content: []byte("PATH=/nowhere\n")},
			{Path: ".git/config", Content: []byte("[core]\n")}, {Path: "Makefile", Content: []byte("all:\n\tfalse\n")},
		}},
		"a name with the wrong extension": {Language: lang.Name, Files: []judging.File{{Path: "README", Content: []byte("hello\n")}}},
		"many files":                      many,
	}
}

// CheckTexts demands both languages wherever there is a text.
func CheckTexts(t T, r *judging.Report) {
	t.Helper()
	check := func(where string, m judging.Message) {
		if m.IsZero() {
			return
		}
		for _, l := range []string{"en", "es"} {
			if m.Text[l] == "" {
				t.Errorf("%s has no text in %q: %+v", where, l, m)
			}
		}
		if m.ID == "" {
			t.Errorf("%s has no id: %+v", where, m)
		}
	}
	check("summary", r.Summary)
	for _, x := range r.Tests {
		check("test "+x.ID, x.Message)
	}
	for _, f := range r.Findings {
		check("finding "+f.Rule, f.Message)
		if f.Message.IsZero() || f.Rule == "" {
			t.Errorf("a finding needs a rule and a message: %+v", f)
		}
	}
}
