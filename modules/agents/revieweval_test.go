package agents_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/cases"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// leastAddressed is how many of the tests that fail the feedback must speak of.
const leastAddressed = 0.9

// slips are what learners get wrong, made from a solution that is right.
var slips = []struct{ name, from, to string }{
	{"off by one", "+ 1", "+ 2"}, {"the other comparison", " < ", " > "}, {"not at all", " == ", " != "}, {"added for taken", " + ", " - "},
	{"an empty start", `= ""`, `= "x"`}, {"printed", "    return ", "    print("}, {"an index", "[0]", "[1]"}, {"a zero", "0", "1"},
}

// wrongs are submissions that do not pass, by name: the starter, what can't be
// parsed, and slips, at most four.
func wrongs(x rag.Exercise) map[string][]string {
	all := map[string][]string{}
	add := func(name string, edit func(file, content string) string) {
		var files []string
		changed := false
		for file, content := range x.ByRole(rag.Solution) {
			made := edit(file, content)
			changed = changed || made != content
			files = append(files, file, made)
		}
		if changed && len(all) < 4 {
			all[name] = files
		}
	}
	starter := x.ByRole(rag.Starter)
	add("the starter", func(file, content string) string {
		if s, ok := starter[file]; ok {
			return s
		}
		return content
	})
	add("what can't be parsed", func(_, content string) string { return strings.Replace(content, "):", ")", 1) })
	for _, s := range slips {
		add(s.name, func(_, content string) string {
			made := strings.Replace(content, s.from, s.to, 1)
			if s.name == "printed" && made != content {
				line := regexp.MustCompile(`(?m)print\((.*)$`)
				made = line.ReplaceAllString(made, "print($1)")
			}
			return made
		})
	}
	return all
}

var testLabel = regexp.MustCompile(`(?m)^\[(T\d+)\]`)

// talkative comments on every failing test that it is shown, and adds claims
// that rest on nothing, a verdict and lines that do not exist.
func talkative(r *script.Request) script.Turn {
	if !strings.Contains(r.Messages[0].Text, "You explain to a learner") {
		return script.Turn{Status: 500, Message: "not now"}
	}
	claim := func(text, test, file string, line int) object {
		return object{"text": text, "file": file, "start_line": line, "end_line": line, "rule": "", "test": test, "passage": ""}
	}
	all := []object{
		claim("Trust me, it is the loop.", "", "", 0), claim("Your code has passed.", "T1", "", 0), claim("See line 9000.", "", "main.py", 9000),
		claim("This test fails, too.", "T77", "", 0),
	}
	for _, m := range testLabel.FindAllStringSubmatch(r.LastUserText(), 8) {
		all = append(all, claim("Read the name of this test: which case is it about?", m[1], "", 0))
	}
	return say(object{"comments": all})
}

// TestEvalReviews has wrong submissions to each exercise of two courses judged
// and explained. Every claim must rest on something, and the tests that fail must
// be spoken of. Outside of make eval it takes a sample.
func TestEvalReviews(t *testing.T) {
	for _, p := range append([]evaluated{{"built-in", nil}, {"a talkative script", provider(t, talkative, nil)}}, live(t)...) {
		t.Run(p.name, func(t *testing.T) { evalReviews(t, p.name, p.models) })
		ran, problems := evalDisputedReviews(t, p.models, disputed(t, cases.Review))
		report(t, ran, problems)
	}
}

func evalReviews(t *testing.T, name string, models func(*postgres.DB) llm.Service) {
	t.Helper()
	b := setup(t, models)
	eventstest.Run(t, b.log)
	reviews, claims, failing, addressed := 0, 0, 0, 0
	take := sampler()
	for _, course := range []string{english, spanish} {
		learner := map[string]auth.Actor{english: ada, spanish: eva}[course]
		goal := b.goal(learner, course, "Everything")
		exercises, err := b.rag.Exercises(t.Context(), auth.System("test"), course)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range exercises {
			all := wrongs(x)
			for _, what := range slices.Sorted(maps.Keys(all)) {
				files := all[what]
				if !take() {
					continue
				}
				s, f := b.submit(learner, b.taskOf(learner, goal.ID, x).ID, files...)
				run := b.validation.Run(t, s.RunID)
				if run.Verdict == judging.VerdictPassed {
					continue // the slip makes no difference
				}
				reviews++
				claims += len(f.Comments)
				b.backed(learner, s, f)
				if f.Label != agents.BuiltInReviewer && len(f.Comments) > 0 && strings.Contains(f.Text, "Trust me") {
					t.Errorf("%s, %s: a claim without evidence came through: %s", x.Title, what, f.Text)
				}
				for _, test := range run.Report.Tests {
					if test.Status != judging.StatusFail && test.Status != judging.StatusError {
						continue
					}
					failing++
					if slices.ContainsFunc(f.Comments, func(c agents.Comment) bool { return c.TestID == test.ID || strings.Contains(c.Text, test.Name) }) {
						addressed++
					}
				}
			}
		}
	}
	t.Logf("%-20s %8s %8s %8s %10s", "provider", "reviews", "claims", "backed", "addressed")
	t.Logf("%-20s %8d %8d %8v %10s", name, reviews, claims, !t.Failed(), fmt.Sprintf("%d/%d", addressed, failing))
	if float64(addressed) < leastAddressed*float64(failing) {
		t.Errorf("%d of %d failing tests are spoken of", addressed, failing)
	}
	if os.Getenv("TRACKER_EVAL") != "" && reviews < 50 {
		t.Errorf("only %d reviews", reviews)
	}
}
