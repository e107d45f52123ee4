package agents_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// leastAgreed is how many of the labels the built-in reviewer must agree with.
const leastAgreed = 0.8

// work is a submission that no test judges, with what is to be seen of each
// criterion.
type work struct {
	Name        string            `json:"name"`
	Language    string            `json:"language"`
	Type        string            `json:"type"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Lesson      string            `json:"lesson"`
	Criteria    []string          `json:"criteria"`
	Files       map[string]string `json:"files"`
	Want        []agents.State    `json:"want"`
}

func works(t *testing.T) (all []work) {
	t.Helper()
	raw, err := os.ReadFile("testdata/rubrics.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// handIn makes the goal and the task of a work, and has it judged and reviewed.
func (b *bundle) handIn(w work) (tasks.Task, validation.Snapshot, agents.Feedback) {
	b.Helper()
	course, learner := english, ada
	if w.Language == "es" {
		course, learner = spanish, eva
	}
	b.material(course)
	goal := must(b, learner, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return b.goals.CreateTx(ctx, tx, goals.New{Details: goals.Details{CourseID: course, Title: w.Title, Criteria: w.Criteria}})
	})
	details := tasks.Details{Title: w.Title, Description: w.Description, Type: tasks.Type(w.Type), Language: "python"}
	if w.Lesson != "" {
		outline, err := b.rag.Outline(b.Context(), auth.System("test"), course)
		if err != nil {
			b.Fatal(err)
		}
		for _, d := range outline {
			if d.Path == w.Lesson {
				details.Citations = append(details.Citations, tasks.Citation{DocumentID: d.ID, Path: d.Path, Title: d.Title})
			}
		}
	}
	task := taskstest.Create(b.T, b.db, b.tasks, learner, goal.ID, tasks.New{Last: true, Details: details})[0]
	var files []string
	for _, path := range slices.Sorted(maps.Keys(w.Files)) {
		files = append(files, path, w.Files[path])
	}
	s, f := b.submit(learner, task.ID, files...)
	return task, s, f
}

// held proves that what a rubric says is backed, knowing nothing of the product's
// own check; it counts the claims.
func (b *bundle) held(actor auth.Actor, w work, r *agents.Rubric) (claims int) {
	b.Helper()
	for _, k := range r.Criteria {
		if k.State == agents.CannotTell {
			continue
		}
		claims++
		if len(k.Evidence) == 0 {
			b.Errorf("%s: %q is %s, of which there is no evidence", w.Name, k.Text, k.State)
		}
		own := false
		for _, e := range k.Evidence {
			if e.Citation != nil {
				doc, err := b.rag.Document(b.Context(), actor, e.Citation.DocumentID)
				if err != nil || !strings.Contains(doc.Content, e.Citation.Quote) {
					b.Errorf("%s: %q quotes %q: %v", w.Name, k.Text, e.Citation.Quote, err)
				}
				continue
			}
			own = true
			lines := strings.Split(w.Files[e.File], "\n")
			if w.Files[e.File] == "" || e.StartLine < 1 || e.EndLine > len(lines) || e.StartLine > e.EndLine {
				b.Errorf("%s: %q rests on %s:%d-%d", w.Name, k.Text, e.File, e.StartLine, e.EndLine)
				continue
			}
			there := strings.Join(strings.Fields(strings.Join(lines[e.StartLine-1:e.EndLine], " ")), " ")
			if !strings.Contains(there, strings.Join(strings.Fields(e.Quote), " ")) {
				b.Errorf("%s: %s:%d does not say %q", w.Name, e.File, e.StartLine, e.Quote)
			}
		}
		if !own && k.State != agents.NotShown {
			b.Errorf("%s: %q is %s without a line of the submission", w.Name, k.Text, k.State)
		}
		if decided.MatchString(k.Note) {
			b.Errorf("%s: it decides: %q", w.Name, k.Note)
		}
	}
	return claims
}

var decided = regexp.MustCompile(`(?i)\b(passed|complete|approved|aprobad|completad)`)

var (
	criterionLabel = regexp.MustCompile(`(?m)^\[(C\d+)\]`)
	firstFile      = regexp.MustCompile(`(?m)^File (.+):\n\s+1 (.+)$`)
)

// boastful says of criteria in turn what is true, and what has a quote that is
// not there, lines that are not there, no evidence, a verdict, or a passage that
// it was not shown.
func boastful(r *script.Request) script.Turn {
	if !strings.Contains(r.Messages[0].Text, "You hold what a learner handed in") {
		return script.Turn{Status: 500, Message: "not now"}
	}
	shown := r.LastUserText()
	at := firstFile.FindStringSubmatch(shown)
	var all []object
	for i, m := range criterionLabel.FindAllStringSubmatch(shown, -1) {
		o := object{
			"criterion": m[1], "state": "met", "note": "The first line speaks of it. Which word there says why?", "file": at[1], "start_line": 1,
			"end_line": 1, "quote": at[2], "passage": "",
		}
		switch (len(shown) + i) % 6 {
		case 1:
			o["quote"] = "words that nobody wrote"
		case 2:
			o["start_line"], o["end_line"] = 900, 901
		case 3:
			o["file"], o["quote"] = "", ""
		case 4:
			o["note"] = "Your task is complete: it has passed."
		case 5:
			o["state"], o["file"], o["quote"], o["passage"] = "not_shown", "", "", "P99"
		}
		all = append(all, o)
	}
	return say(object{"criteria": all})
}

// TestEvalRubrics holds labelled submissions of prose and of code without tests
// against their criteria. Every claim must be backed; the built-in reviewer must
// agree with most labels. Outside of make eval it takes every third.
func TestEvalRubrics(t *testing.T) {
	providers := append([]evaluated{{"built-in", nil}, {"a boastful script", provider(t, boastful, nil)}}, live(t)...)
	for i, p := range providers {
		t.Run(p.name, func(t *testing.T) { evalRubrics(t, p, i == 0) })
	}
}

func evalRubrics(t *testing.T, p evaluated, rules bool) {
	t.Helper()
	b := setup(t, p.models)
	eventstest.Run(t, b.log)
	all := works(t)
	handed, criteria, claims, labels, agreed, byModel := 0, 0, 0, 0, 0, 0
	for i, w := range all {
		if os.Getenv("TRACKER_EVAL") == "" && i%3 != 0 {
			continue
		}
		handed++
		learner := map[string]auth.Actor{"en": ada, "es": eva}[w.Language]
		task, s, f := b.handIn(w)
		if f.Rubric == nil {
			t.Errorf("%s has no rubric: %s", w.Name, f.Text)
			continue
		}
		claims += b.held(learner, w, f.Rubric)
		criteria += len(f.Rubric.Criteria)
		if f.Rubric.Label != agents.BuiltInReviewer {
			byModel++
		}
		for i, want := range w.Want {
			labels++
			if k := f.Rubric.Criteria[i]; k.State == want {
				agreed++
			} else {
				t.Logf("%s: %q is %s, labelled %s: %s", w.Name, k.Text, k.State, want, k.Note)
			}
		}
		if run := b.validation.Run(t, s.RunID); run.Verdict != judging.VerdictUnproven {
			t.Errorf("%s: the verdict is %s", w.Name, run.Verdict)
		}
		if got, err := b.tasks.Get(t.Context(), learner, task.ID); err != nil || got.Status != tasks.StatusInProgress || got.CompletedBy != "" || got.Feedback != f.Text {
			t.Errorf("%s: the task is %s by %q, %v", w.Name, got.Status, got.CompletedBy, err)
		}
	}
	t.Logf("%-20s %12s %9s %7s %7s %8s %10s", "provider", "submissions", "criteria", "claims", "backed", "by model", "agreed")
	t.Logf("%-20s %12d %9d %7d %7v %8d %10s", p.name, handed, criteria, claims, !t.Failed(), byModel, fmt.Sprintf("%d/%d", agreed, labels))
	if rules && float64(agreed) < leastAgreed*float64(labels) {
		t.Errorf("%d of %d labels are agreed with", agreed, labels)
	}
	if os.Getenv("TRACKER_EVAL") != "" && handed < 12 {
		t.Errorf("only %d submissions", handed)
	}
	if !rules && byModel == 0 {
		t.Error("no model was heard")
	}
}
