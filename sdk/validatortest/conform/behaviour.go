package conform

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// Behaviour returns the checks of what a validator answers, wherever it runs.
func Behaviour(s *Subject) []Check {
	lang := s.desc.Languages[0]
	return []Check{
		{"says the same of itself each time", "Describe must depend on nothing but the plugin.", s.describesItselfAlike},
		{"plans the same for the same request", "Plan must not use the time, random numbers (but the nonce), or the order of a map.", s.plansAlike},
		{"refuses options that it does not know", "Answer with an error, so that a teacher sees the mistake; sdk/validator does it by Spec.Options.", s.refusesOptions},
		{"judges whatever is handed in", "An error means that the plugin could not judge. What is wrong with a submission goes into the report.", s.judgesAnything},
		{"gives the same report for the same work", "Keep times, addresses and the order of maps out of the report.", s.reportsAlike},
		{"passes nothing that did not run", "Give the verdict passed only when every expected test has reported; a missing result is an error, an exit code proves nothing.", s.passesNothingUnproven},
		{"answers several calls at a time", "Share nothing between calls, or guard it.", s.answersTogether},
		{"goes on after calls that were given up", "End a call soon after its deadline, and the work that it began with it.", func(t T) { s.survivesDeadlines(t, lang) }},
		{"makes honest mutants", "A mutant changes the solution's own files, differs from it and from all others, and is the same each time. Without Mutate, answer ErrNoMutants.", s.makesHonestMutants},
		{"points only to places in the submission", "Findings name a file that was handed in and a line that it has; leave both out when there is none.", s.pointsInside},
	}
}

// wholeFiles compares files at once, as those of toolchains are large.
var wholeFiles = cmp.Comparer(bytes.Equal)

func (s *Subject) describesItselfAlike(t T) {
	again, err := s.judge.Describe(t.Context())
	if err != nil {
		t.Fatalf("%v", err)
	}
	if d := cmp.Diff(s.desc, again, wholeFiles); d != "" {
		t.Errorf("the second description is another (-first +second):\n%s", d)
	}
}

func (s *Subject) plansAlike(t T) {
	req := s.request(file(s.desc.Languages[0], "x = 1\n"), judging.Task{})
	first, err := s.judge.Plan(t.Context(), req)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for range 3 {
		again, err := s.judge.Plan(t.Context(), req)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if d := cmp.Diff(first, again, wholeFiles); d != "" {
			t.Fatalf("the plan is another (-first +again):\n%s", d)
		}
	}
}

func (s *Subject) refusesOptions(t T) {
	task := judging.Task{Options: []byte(`{"no such option of any plugin":1}`)}
	if _, _, err := s.run(t.Context(), file(s.desc.Languages[0], "x\n"), task); err == nil {
		t.Errorf("a task with an unknown option must be an error, so that a teacher sees the mistake")
	}
}

// judgesAnything hands in all that is odd in the first language, and a little
// of it in the others.
func (s *Subject) judgesAnything(t T) {
	for i, l := range s.desc.Languages {
		odd := odd(l)
		names := slices.Sorted(maps.Keys(odd))
		if i > 0 {
			names = []string{"nothing at all", "binary", "names that look like options and shell"}
		}
		for _, name := range names {
			r, _, err := s.run(t.Context(), odd[name], judging.Task{})
			if err != nil {
				t.Errorf("%s, %s: a submission must never make a plugin fail: %v", l.Name, name, err)
				continue
			}
			CheckTexts(t, r)
		}
	}
}

func (s *Subject) reportsAlike(t T) {
	sub := file(s.desc.Languages[0], "x = 1\n")
	first := s.rendered(t, sub)
	if second := s.rendered(t, sub); second != first {
		t.Errorf("the second report is another (-first +second):\n%s", differ(first, second))
	}
}

func (s *Subject) rendered(t T, sub judging.Submission) string {
	r, _, err := s.run(t.Context(), sub, judging.Task{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return render(r)
}

// passesNothingUnproven gives Judge results in which nothing ran to its end, or
// ended well without a word.
func (s *Subject) passesNothingUnproven(t T) {
	req := s.request(file(s.desc.Languages[0], "x = 1\n"), judging.Task{})
	steps, err := s.judge.Plan(t.Context(), req)
	if err != nil {
		t.Fatalf("%v", err)
	}
	s.unproven(t, "", req, steps)
}

func (s *Subject) unproven(t T, where string, req *judging.PlanRequest, steps []judging.Step) {
	if len(steps) == 0 {
		return
	}
	results := map[string][]judging.StepResult{"without any result": nil}
	for i := range steps {
		lost := judging.StepResult{StepID: steps[i].ID, Outcome: judging.OutcomeKilled}
		silent := judging.StepResult{StepID: steps[i].ID, Outcome: judging.OutcomeExited}
		for _, p := range steps[i].Processes {
			silent.Processes = append(silent.Processes, judging.ProcessResult{Role: p.Role, Outcome: judging.OutcomeExited})
		}
		results["with steps that were killed"] = append(results["with steps that were killed"], lost)
		results["with steps that said nothing and exited with 0"] = append(results["with steps that said nothing and exited with 0"], silent)
	}
	for _, name := range slices.Sorted(maps.Keys(results)) {
		ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
		d, err := s.judge.Judge(ctx, &judging.JudgeRequest{PlanRequest: *req, Results: results[name], Round: 1})
		cancel()
		if err == nil && d.Report != nil && d.Report.Verdict == judging.VerdictPassed {
			t.Errorf("%s%s the verdict is passed", where, name)
		}
	}
}

func (s *Subject) answersTogether(t T) {
	sub := file(s.desc.Languages[0], "x = 1\n")
	want := s.rendered(t, sub)
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		got []string
	)
	for range 6 {
		wg.Go(func() {
			r, _, err := s.run(t.Context(), sub, judging.Task{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				got = append(got, err.Error())
			} else {
				got = append(got, render(r))
			}
		})
	}
	wg.Wait()
	for _, g := range got {
		if g != want {
			t.Fatalf("beside other calls it answers something else (-alone +together):\n%s", differ(want, g))
		}
	}
}

// survivesDeadlines gives up calls at different moments.
func (s *Subject) survivesDeadlines(t T, lang judging.Language) {
	large := file(lang, string(make([]byte, 1<<20)))
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*i)*time.Millisecond)
			defer cancel()
			req := s.request(large, judging.Task{})
			if _, err := s.judge.Plan(ctx, req); err != nil && ctx.Err() == nil && !over(err) {
				t.Errorf("Plan: %v", err)
			}
			// Without results it may well answer with an error.
			_, _ = s.judge.Judge(ctx, &judging.JudgeRequest{PlanRequest: *req, Round: 1})
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
	defer cancel()
	if _, err := s.judge.Describe(ctx); err != nil {
		t.Errorf("after calls that were given up it no longer answers: %v", err)
	}
}

func over(err error) bool {
	code := status.Code(err)
	return code == codes.DeadlineExceeded || code == codes.Canceled
}

func (s *Subject) pointsInside(t T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(s.outside)) {
		t.Errorf("%s", what)
	}
}
