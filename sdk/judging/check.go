package judging

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds on what a plugin answers. Texts beyond them are cut, and so are a
// report's lists, which a submission may have made long; other counts beyond
// them refuse the answer.
const (
	MaxSteps        = 64
	MaxTests        = 5000
	MaxFindings     = 1000
	MaxTextBytes    = 16 << 10
	MaxOutputBytes  = 256 << 10
	maxFilesPerStep = 5000
	// listRefused is how many times too long a list is refused all the same.
	listRefused = 20
	maxArgs     = 1000
)

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	langPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9+#._-]{0,62}$`)
	semverPattern = regexp.MustCompile(`^v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$`)
	roles         = map[string]bool{"main": true, "tests": true, "submission": true}
)

// CheckPath says whether a file's path is fit for use: relative, clean,
// slash-separated, valid UTF-8, without NUL, at most 512 bytes, and inside its
// root.
func CheckPath(p string) error {
	switch {
	case p == "":
		return errors.New("a path is empty")
	case len(p) > 512:
		return fmt.Errorf("path %q… is longer than 512 bytes", cut(p, 40))
	case !utf8.ValidString(p) || strings.ContainsRune(p, 0):
		return fmt.Errorf("path %q is not clean UTF-8", p)
	case strings.HasPrefix(p, "/") || strings.Contains(p, `\`):
		return fmt.Errorf("path %q must be relative and use slashes", p)
	}
	for _, part := range strings.Split(p, "/") {
		if part == "" || part == "." || part == ".." || len(part) > 255 {
			return fmt.Errorf("path %q must not have the part %q", p, cut(part, 40))
		}
	}
	return nil
}

// CheckDescription says what is wrong with a description, all of it at once.
func CheckDescription(d *Description) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !namePattern.MatchString(d.Name) {
		bad("name %q must be lower-case letters, digits and dashes, at most 63", d.Name)
	}
	if !semverPattern.MatchString(d.Version) {
		bad("version %q must be SemVer, as 1.2.3", d.Version)
	}
	if len(d.Languages) == 0 {
		bad("no language is named")
	}
	checkLanguages(d.Languages, bad)
	checkRuntimes(d.Runtimes, bad)
	if d.MaxRounds < 0 || d.MaxRounds > MaxRounds {
		bad("max rounds is %d; it must be 1 to %d", d.MaxRounds, MaxRounds)
	}
	return errors.Join(errs...)
}

func checkLanguages(languages []Language, bad func(format string, args ...any)) {
	seen := map[string]bool{}
	for _, l := range languages {
		for _, n := range append([]string{l.Name}, l.Aliases...) {
			if !langPattern.MatchString(n) {
				bad("language %q must be a lower-case name", n)
			}
			if seen[n] {
				bad("language %q is named twice", n)
			}
			seen[n] = true
		}
		for _, e := range l.Extensions {
			if !strings.HasPrefix(e, ".") {
				bad("extension %q of language %s must begin with a dot", e, l.Name)
			}
		}
		if l.DefaultFile != "" {
			if err := CheckPath(l.DefaultFile); err != nil {
				bad("default file of language %s: %w", l.Name, err)
			}
		}
	}
}

func checkRuntimes(runtimes []Runtime, bad func(format string, args ...any)) {
	ids := map[string]bool{}
	for _, r := range runtimes {
		if !namePattern.MatchString(r.ID) {
			bad("runtime %q must be lower-case letters, digits and dashes", r.ID)
		}
		if ids[r.ID] {
			bad("runtime %q is declared twice", r.ID)
		}
		ids[r.ID] = true
		for _, m := range r.Mounts {
			for _, p := range []string{m.Source, m.Target} {
				if p != "" && (!strings.HasPrefix(p, "/") || strings.Contains(p, "/..")) || m.Source == "" {
					bad("runtime %s: mount %q must be an absolute path", r.ID, p)
				}
			}
		}
		checkWarmUp(r.ID, r.WarmUp, bad)
	}
}

// checkWarmUp lets unknown protocols pass: the host then goes without.
func checkWarmUp(id string, w *WarmUp, bad func(format string, args ...any)) {
	if w == nil {
		return
	}
	if w.Protocol != WarmPrepared && (len(w.Argv) == 0 || w.Argv[0] == "") {
		bad("runtime %s: its warm-up speaks %q but names no program", id, w.Protocol)
	}
	for _, a := range w.Argv {
		if strings.ContainsRune(a, 0) {
			bad("runtime %s: an argument of its warm-up holds a NUL byte", id)
		}
	}
	seen := map[string]bool{}
	for _, f := range w.Files {
		if err := CheckPath(f.Path); err != nil {
			bad("runtime %s: its warm-up: %w", id, err)
		}
		if seen[f.Path] {
			bad("runtime %s: its warm-up has the file %q twice", id, f.Path)
		}
		seen[f.Path] = true
	}
}

// CheckSteps says what is wrong with the steps of a round. seen holds the ids
// of earlier rounds and is added to.
func CheckSteps(desc *Description, steps []Step, seen map[string]bool) error {
	if len(steps) > MaxSteps {
		return fmt.Errorf("%d steps; a round has at most %d", len(steps), MaxSteps)
	}
	for i := range steps {
		s := &steps[i]
		if s.ID == "" || len(s.ID) > 128 {
			return fmt.Errorf("step %d needs an id of 1 to 128 bytes, has %q", i+1, cut(s.ID, 40))
		}
		if seen[s.ID] {
			return fmt.Errorf("step id %q is used twice", s.ID)
		}
		seen[s.ID] = true
		if desc.Runtime(s.Runtime) == nil {
			return fmt.Errorf("step %s: runtime %q is not declared in Describe", s.ID, s.Runtime)
		}
		if n := len(s.Processes); n < 1 || n > 2 {
			return fmt.Errorf("step %s has %d processes; it needs one or two", s.ID, n)
		}
		used := map[string]bool{}
		for j := range s.Processes {
			if err := checkProcess(&s.Processes[j], used); err != nil {
				return fmt.Errorf("step %s: %w", s.ID, err)
			}
		}
		for _, c := range s.Carry {
			if !used[c.ToRole] {
				return fmt.Errorf("step %s carries a file to role %q, which it does not have", s.ID, c.ToRole)
			}
			if err := CheckPath(c.ToPath); err != nil {
				return fmt.Errorf("step %s: %w", s.ID, err)
			}
		}
	}
	return nil
}

func checkProcess(p *Process, used map[string]bool) error {
	if !roles[p.Role] || used[p.Role] {
		return fmt.Errorf("role %q must be main, tests or submission, each once", p.Role)
	}
	used[p.Role] = true
	if len(p.Argv) == 0 || len(p.Argv) > maxArgs || p.Argv[0] == "" {
		return fmt.Errorf("role %s needs a program and at most %d arguments", p.Role, maxArgs)
	}
	for _, a := range p.Argv {
		if strings.ContainsRune(a, 0) {
			return fmt.Errorf("role %s: an argument holds a NUL byte", p.Role)
		}
	}
	for k, v := range p.Env {
		if k == "" || strings.ContainsAny(k, "=\x00") || strings.ContainsRune(v, 0) {
			return fmt.Errorf("role %s: %q can't be an environment variable", p.Role, k)
		}
	}
	if p.Dir != "" {
		if err := CheckPath(p.Dir); err != nil {
			return fmt.Errorf("role %s: working directory: %w", p.Role, err)
		}
	}
	if len(p.Files) > maxFilesPerStep {
		return fmt.Errorf("role %s has %d files; at most %d", p.Role, len(p.Files), maxFilesPerStep)
	}
	for _, f := range p.Files {
		if err := CheckPath(f.Path); err != nil {
			return fmt.Errorf("role %s: %w", p.Role, err)
		}
	}
	return nil
}

// CheckReport refuses a report that contradicts itself and brings what remains
// into bounds: texts are cut and made valid UTF-8, and findings outside of the
// submission lose their place.
func CheckReport(r *Report, sub *Submission, task *Task) error {
	if err := checkHead(r); err != nil {
		return err
	}
	ids := map[string]bool{}
	passes := 0
	for i := range r.Tests {
		t := &r.Tests[i]
		if t.ID == "" || ids[t.ID] {
			return fmt.Errorf("test id %q is empty or used twice", cut(t.ID, 80))
		}
		ids[t.ID] = true
		if err := checkTest(t, r.Verdict); err != nil {
			return err
		}
		if t.Status == StatusPass {
			passes++
		}
	}
	if r.Verdict == VerdictPassed && len(task.Tests) > 0 && passes == 0 {
		return errors.New("verdict is passed although no test passed")
	}
	if r.Verdict == VerdictUnproven && len(r.Tests) > 0 && passes == len(r.Tests) {
		return errors.New("verdict is unproven although all tests passed")
	}
	for i := range r.Findings {
		if err := checkFinding(&r.Findings[i], r.Verdict); err != nil {
			return err
		}
		cleanFinding(&r.Findings[i], sub)
	}
	cutLists(r)
	r.Output = clean(r.Output, MaxOutputBytes)
	cleanMessage(&r.Summary)
	for k, v := range r.Versions {
		r.Versions[k] = clean(v, 256)
	}
	return nil
}

// checkHead checks what a report says once.
func checkHead(r *Report) error {
	switch r.Verdict {
	case VerdictPassed, VerdictFailed, VerdictInvalid, VerdictTimedOut, VerdictOutOfMemory, VerdictOutputLimit, VerdictUnproven:
	default:
		return fmt.Errorf("verdict %q is none that a plugin may give", r.Verdict)
	}
	if math.IsNaN(r.Score) || r.Score < 0 || r.Score > 1 {
		return fmt.Errorf("score %v must be from 0 to 1", r.Score)
	}
	if len(r.Tests) > listRefused*MaxTests || len(r.Findings) > listRefused*MaxFindings {
		return fmt.Errorf("%d tests and %d findings; at most %d and %d", len(r.Tests), len(r.Findings), MaxTests, MaxFindings)
	}
	switch r.Integrity {
	case "":
		r.Integrity = IntegrityShared
	case IntegrityShared, IntegritySplit:
	default:
		return fmt.Errorf("integrity %q must be split or shared", r.Integrity)
	}
	return nil
}

func checkTest(t *Test, verdict Verdict) error {
	switch t.Status {
	case StatusPass, StatusSkip:
	case StatusFail, StatusError:
		if verdict == VerdictPassed {
			return fmt.Errorf("verdict is passed although test %s did not pass", cut(t.ID, 80))
		}
	default:
		return fmt.Errorf("test %s has the unknown status %q", cut(t.ID, 80), t.Status)
	}
	if math.IsNaN(t.Weight) || t.Weight < 0 || t.Duration < 0 {
		return fmt.Errorf("test %s has a weight or duration below 0", cut(t.ID, 80))
	}
	t.ID, t.Name = clean(t.ID, 1024), clean(t.Name, 1024)
	t.Output = clean(t.Output, MaxOutputBytes)
	t.Expected, t.Actual = clean(t.Expected, MaxTextBytes), clean(t.Actual, MaxTextBytes)
	cleanMessage(&t.Message)
	return nil
}

func checkFinding(f *Finding, verdict Verdict) error {
	switch f.Severity {
	case SeverityError:
		if verdict == VerdictPassed || verdict == VerdictUnproven {
			return fmt.Errorf("verdict is %s although rule %q broke with severity error", verdict, cut(f.Rule, 80))
		}
	case SeverityWarning, SeverityInfo:
	default:
		return fmt.Errorf("finding %q has the unknown severity %q", cut(f.Rule, 80), f.Severity)
	}
	return nil
}

func cleanFinding(f *Finding, sub *Submission) {
	file := sub.File(f.File)
	lines := 0
	if file != nil {
		lines = strings.Count(string(file.Content), "\n") + 1
	}
	if f.Line < 0 || f.Line > lines {
		f.Line, f.Column, f.EndLine, f.EndColumn = 0, 0, 0, 0
	}
	if f.EndLine < f.Line || f.EndLine > lines || f.Column < 0 || f.EndColumn < 0 {
		f.EndLine, f.EndColumn = 0, 0
		f.Column = max(f.Column, 0)
	}
	if file == nil {
		f.File = ""
	}
	f.Rule, f.Excerpt = clean(f.Rule, 128), clean(f.Excerpt, 2048)
	cleanMessage(&f.Message)
}

func cleanMessage(m *Message) {
	m.ID = clean(m.ID, 128)
	for k, v := range m.Text {
		m.Text[k] = clean(v, MaxTextBytes)
	}
	for k, v := range m.Params {
		m.Params[k] = clean(v, MaxTextBytes)
	}
}

// clean makes s valid UTF-8 without NUL, of at most limit bytes and a mark.
func clean(s string, limit int) string {
	if len(s) > limit {
		s = cut(s, limit) + " …"
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.ContainsRune(s, 0) {
		s = strings.ReplaceAll(s, "\x00", "\u2400")
	}
	return s
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
