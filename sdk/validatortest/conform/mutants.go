package conform

import (
	"errors"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// fewMutants are as many as the checks ask for.
const fewMutants = 12

// makesHonestMutants asks for mutants of all that is odd, and of the first
// language's default file.
func (s *Subject) makesHonestMutants(t T) {
	lang := s.desc.Languages[0]
	s.mutates(t, "a small file", file(lang, "x = 1;\n"), judging.Task{})
	for what, sub := range odd(lang) {
		s.mutates(t, what, sub, judging.Task{})
	}
}

// mutates looks at the mutants of a submission: each changes files of it, none
// is like it or like another, each says what it is, and they are the same each
// time. A plugin that makes none says so.
func (s *Subject) mutates(t T, what string, sub judging.Submission, task judging.Task) {
	t.Helper()
	req := &judging.MutateRequest{Solution: sub, Task: task, Limit: fewMutants}
	got, err := s.judge.Mutate(t.Context(), req)
	if !s.desc.Mutates {
		if !errors.Is(err, judging.ErrNoMutants) {
			t.Errorf("of %s: Describe says that there are no mutants, and Mutate says %v", what, err)
		}
		return
	}
	if err != nil {
		t.Errorf("of %s: no mutants: %v", what, err)
		return
	}
	if len(got) > fewMutants {
		t.Errorf("of %s: %d mutants, where %d were asked for", what, len(got), fewMutants)
	}
	lookAtMutants(t, what, sub, got)
	again, err := s.judge.Mutate(t.Context(), req)
	if err != nil || !cmp.Equal(got, again, wholeFiles) {
		t.Errorf("of %s: the second time there are other mutants (%v)", what, err)
	}
}

func lookAtMutants(t T, what string, sub judging.Submission, got []judging.Mutant) {
	t.Helper()
	before := map[string]string{}
	for _, f := range sub.Files {
		before[f.Path] = string(f.Content)
	}
	for i, m := range got {
		if m.ID == "" || m.Operator == "" || m.Description.Text["en"] == "" || m.Description.Text["es"] == "" {
			t.Errorf("of %s: a mutant needs an id, an operator and a description in both languages: %.300v", what, m)
		}
		changed := false
		for _, f := range m.Files {
			old, known := before[f.Path]
			if !known {
				t.Errorf("of %s: the mutant %s has a file %q, which the solution has not", what, m.ID, f.Path)
			}
			changed = changed || old != string(f.Content)
		}
		if !changed {
			t.Errorf("of %s: the mutant %s is the solution itself", what, m.ID)
		}
		if slices.ContainsFunc(got[:i], func(o judging.Mutant) bool { return o.ID == m.ID || cmp.Equal(o.Files, m.Files, wholeFiles) }) {
			t.Errorf("of %s: the mutant %s is there twice", what, m.ID)
		}
	}
}
