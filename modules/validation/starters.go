package validation

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// overlap is what both folders hold: source of the language that is no test.
// A task's own copy counts, as a helper of the tests must stay what it is,
// unless it is what learners start from. That is told
//
//  1. by the metadata of a track (.meta/config.json, .exercism/config.json):
//     its files.solution, and no other;
//  2. else by name: calc.py beside test_calc.py, Stack.java for StackTest.java;
//  3. else by text: a copy that says that it is still to be written;
//  4. else, when nothing else of the submission could be what is asked for (all
//     of its source is in the tests' folder, too, and no test is named after a
//     file that is not there): all of it.
//
// Other files than source, such as data and settings, are always the tests'.
type overlap struct {
	// starters are the task's copies that the submission's replace.
	starters []judging.File
	// kept are paths where the task's copy counts, and the submission's is another.
	kept []string
	// guessed says that rules 3 or 4 have decided while there was a choice: a
	// helper of the tests may have been replaced.
	guessed bool
}

// part finds the overlap of both folders. solution is what metadata names, nil
// without any.
func part(tests, submission []judging.File, language judging.Language, solution map[string]bool) overlap {
	both, theirs, alone := common(tests, submission, language)
	starts, sure := func(f judging.File) bool { return solution[f.Path] }, true
	if solution == nil && len(both) > 0 {
		starts, sure = guess(both, subjectsOf(tests, language), alone)
	}
	var o overlap
	for _, f := range both {
		switch {
		case starts(f):
			o.starters = append(o.starters, f)
		case !bytes.Equal(f.Content, theirs[f.Path]):
			o.kept = append(o.kept, f.Path)
		}
	}
	o.guessed = !sure && (len(both) > 1 || alone)
	return o
}

// common is the source that both hold, as the tests' folder has it, with the
// submission's contents; alone says that the submission has other source, too.
func common(tests, submission []judging.File, language judging.Language) (both []judging.File, theirs map[string][]byte, alone bool) {
	isSource := func(p string) bool {
		return slices.Contains(language.Extensions, path.Ext(p)) && !isTest(p, language.TestGlobs)
	}
	theirs, ours := map[string][]byte{}, map[string]bool{}
	for _, f := range tests {
		ours[f.Path] = true
	}
	for _, f := range submission {
		theirs[f.Path] = f.Content
		alone = alone || isSource(f.Path) && !ours[f.Path]
	}
	for _, f := range tests {
		if _, there := theirs[f.Path]; there && isSource(f.Path) {
			both = append(both, f)
		}
	}
	return both, theirs, alone
}

// guess tells starters by rules 2 to 4; sure says that rule 2 was enough.
func guess(both []judging.File, s subjects, alone bool) (starts func(judging.File) bool, sure bool) {
	found, sure := false, true
	for _, f := range both {
		named := s.names[stem(f.Path)]
		found = found || named || unwritten(f.Content)
		sure = sure && (named || !unwritten(f.Content))
	}
	if !found && !alone && !s.missing {
		return func(judging.File) bool { return true }, false
	}
	return func(f judging.File) bool { return s.names[stem(f.Path)] || unwritten(f.Content) }, sure
}

// subjects are what tests are named after.
type subjects struct {
	names map[string]bool
	// missing says that a test loads what it is named after, and the tests'
	// folder does not have it: that is what a submission must bring.
	missing bool
}

var loads = regexp.MustCompile(`(?m)^.*\b(?:import|from|require|include|use|using|mod|source|load)\b.*$`)

func subjectsOf(tests []judging.File, language judging.Language) subjects {
	s := subjects{names: map[string]bool{}}
	there := map[string]bool{}
	for _, f := range tests {
		if !isTest(f.Path, language.TestGlobs) {
			there[stem(f.Path)] = true
		}
	}
	for _, f := range tests {
		for _, glob := range language.TestGlobs {
			before, after, ok := strings.Cut(path.Base(glob), "*")
			name := path.Base(f.Path)
			if !ok || len(name) <= len(before)+len(after) || !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after) {
				continue
			}
			subject := plain(name[len(before) : len(name)-len(after)])
			s.names[subject] = true
			if there[subject] {
				continue
			}
			for _, line := range loads.FindAll(f.Content, -1) {
				s.missing = s.missing || slices.ContainsFunc(words.FindAllString(string(line), -1), func(w string) bool { return plain(w) == subject })
			}
		}
	}
	return s
}

var words = regexp.MustCompile(`[\w-]+`)

// stem is a file's name as tests are named after it.
func stem(p string) string { return plain(strings.TrimSuffix(path.Base(p), path.Ext(p))) }

// plain writes two-fer, two_fer and TwoFer the same.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(name))
}

// undone is how a stub says that it is one.
var undone = regexp.MustCompile(`(?im)NotImplementedError|NotImplementedException|UnsupportedOperationException|\b(?:unimplemented|todo)!\(|` +
	`(?:panic|Error|Exception)\(\s*["'` + "`" + `][^"'` + "`" + `\n]*(?:implement|remove this|todo|your code)|` +
	`^\s*(?://|#|/?\*+|--)\s*(?:TODO\b|(?:write|put|add)? ?your (?:code|solution)|(?:please )?implement (?:this|the|me)\b)`)

// unwritten says whether a file is one that learners are to fill in.
func unwritten(content []byte) bool { return undone.Match(content) || emptyBodies(content) }

var (
	comment  = regexp.MustCompile(`(?m)^\s*(?://|#|--|/?\*).*$|/\*[^*]*\*/`)
	pyHead   = regexp.MustCompile(`^\s*(?:async\s+)?(?:def|class)\b.*:\s*(?:pass|\.\.\.)?\s*$`)
	pyBody   = regexp.MustCompile(`^\s*(?:pass|\.\.\.|return(?: None)?|"""[^"]*"""|'''[^']*''')\s*$`)
	pyImport = regexp.MustCompile(`^\s*(?:import|from)\b`)
)

// emptyBodies says whether a file of Python declares and does nothing, or a file
// of any language holds no code at all.
func emptyBodies(content []byte) bool {
	for line := range bytes.Lines(comment.ReplaceAll(content, nil)) {
		if line = bytes.TrimSpace(line); len(line) > 0 && !pyHead.Match(line) && !pyBody.Match(line) && !pyImport.Match(line) {
			return false
		}
	}
	return true
}

// solutionOf reads which files of an exercise learners hand in, as a track's
// metadata says; nil when nothing says so.
func solutionOf(dir string) map[string]bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer func() { _ = root.Close() }()
	for _, name := range []string{".meta/config.json", ".exercism/config.json"} {
		raw, err := root.ReadFile(name)
		if err != nil {
			continue
		}
		var config struct {
			Files struct {
				Solution []string `json:"solution"`
			} `json:"files"`
		}
		if json.Unmarshal(raw, &config) == nil && len(config.Files.Solution) > 0 {
			out := map[string]bool{}
			for _, p := range config.Files.Solution {
				out[path.Clean(p)] = true
			}
			return out
		}
	}
	return nil
}
