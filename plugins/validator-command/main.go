// Command validator-command judges any language by commands that are
// configured, without code: programs by what they print, and test programs by
// the report they write (TAP, JUnit XML, CTRF).
//
// Programs run in a room that holds nothing of what is expected, each case in
// one of its own. Test programs run apart from the submission, which they reach
// through stand-ins (integrity "split"); only a language that says so runs both
// together (integrity "shared"). README.md says what each way guarantees.
package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"os"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// programs is what runs in the sandbox.
//
//go:embed py/*.py
var programs embed.FS

const (
	version = "1.0.0"
	python  = "/usr/bin/python3"
	// settingsVariable holds the operator's settings, a JSON object.
	settingsVariable = "TRACKER_SETTINGS"
)

// options are what a task may set.
type options struct {
	Format      string   `json:"format" enum:"auto,cases,tap,junit,ctrf" doc:"How the task is judged; auto: by cases when there are any among its tests, else as the language says."`
	Entry       string   `json:"entry" doc:"The program that cases run; by default the language's default file or the only one."`
	Compare     string   `json:"compare" enum:"trim,exact,tokens" doc:"How output is compared: but for spaces at the ends of lines and of the text, byte by byte, or word by word."`
	Tolerance   float64  `json:"tolerance" doc:"How far numbers may be from those expected; compares word by word."`
	Expect      []string `json:"expect" doc:"Names of tests that must report and pass."`
	ExpectCount int      `json:"expect_count" doc:"How many tests must report."`
	Nonce       bool     `json:"nonce" doc:"The report must hold the text that the tests found in the file .judge/nonce; together mode only."`
}

func main() {
	spec, err := newSpec([]byte(os.Getenv(settingsVariable)))
	if err != nil {
		fmt.Fprintf(os.Stderr, "plugin validator-command: its settings (plugins.settings.validator-command) can't be used: %v\n", err)
		os.Exit(2)
	}
	validator.Main(spec)
}

// newSpec describes the plugin with an operator's settings, which may be empty.
func newSpec(raw []byte) (*validator.Spec, error) {
	languages, err := readSettings(raw)
	if err != nil {
		return nil, err
	}
	p := &plugin{languages: languages, version: version}
	if raw = bytes.TrimSpace(raw); len(raw) > 0 {
		// Other settings may judge otherwise: no verdict is reused across them.
		p.version += fmt.Sprintf("+%x", sha256.Sum256(raw))[:1+12]
	}
	s := &validator.Spec{
		Name: "validator-command", Version: p.version,
		Options: options{Format: "auto", Compare: "trim"},
		Plan:    p.plan, More: p.more, MaxRounds: maxRounds, Judge: p.judge,
	}
	for _, l := range languages {
		s.Languages = append(s.Languages, validator.Language{
			Name: l.Name, Aliases: l.Aliases, Extensions: l.Extensions, DefaultFile: l.DefaultFile, TestGlobs: l.TestGlobs,
		})
		s.Runtimes = append(s.Runtimes, l.runtime())
	}
	return s, s.Validate()
}

// plugin judges the configured languages.
type plugin struct {
	languages []*language
	version   string
}

// of returns the language of a submission, and what its task has set.
func (p *plugin) of(req *validator.Request) (*language, options) {
	o, ok := req.Options.(options)
	if !ok {
		panic("the SDK hands over another type of options than the spec has")
	}
	for _, l := range p.languages {
		if l.answers(req.Submission.Language) {
			return l, o
		}
	}
	return p.languages[0], o
}
