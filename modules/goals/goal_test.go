package goals

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func at(version int64) At {
	return At{ID: "g", Time: noon.Add(time.Duration(version) * time.Minute), Version: version}
}

// next are all allowed transitions; every other pair is refused.
var next = map[Status]map[Action]Status{
	StatusPending:    {Start: StatusInProgress, Block: StatusBlocked, Cancel: StatusCancelled},
	StatusInProgress: {Complete: StatusCompleted, Block: StatusBlocked, Cancel: StatusCancelled},
	StatusBlocked:    {Start: StatusInProgress, Cancel: StatusCancelled},
	StatusCompleted:  {Reopen: StatusInProgress},
	StatusCancelled:  {Reopen: StatusInProgress},
}

func do(g Goal, a Action) (Change, error) {
	switch a {
	case Start:
		return g.Start()
	case Complete:
		return g.Complete()
	case Block:
		return g.Block("no time")
	case Cancel:
		return g.Cancel()
	default:
		return g.Reopen()
	}
}

func TestEveryActionOnEveryStatusIsAllowedOrRefusedAsDesigned(t *testing.T) {
	for _, from := range Statuses {
		for _, action := range Actions {
			g := Goal{ID: "g", UserID: "ada", Status: from, Version: 3}
			change, err := do(g, action)
			to, ok := next[from][action]
			if !ok {
				if !ErrStatus.Is(err) {
					t.Errorf("%s on a %s goal gave %v, want ErrStatus", action, from, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s on a %s goal: %v", action, from, err)
				continue
			}
			if after := Apply(&g, change, at(4)); after.Status != to || after.Version != 4 || !after.UpdatedAt.Equal(at(4).Time) {
				t.Errorf("%s on a %s goal led to %+v, want %s", action, from, after, to)
			}
		}
	}
}

func TestARefusedActionSaysWhatIsAllowedInBothLanguages(t *testing.T) {
	err := Goal{Status: StatusCompleted}.Can(Start)
	var e *errs.Error
	if !asError(err, &e) {
		t.Fatalf("got %v", err)
	}
	if want := "This goal is completed, and only one that is pending or blocked can be started."; e.Text("en") != want {
		t.Errorf("got %q, want %q", e.Text("en"), want)
	}
	if want := "Este objetivo está completado, y solo uno pendiente o bloqueado se puede empezar."; e.Text("es") != want {
		t.Errorf("got %q, want %q", e.Text("es"), want)
	}
	if e.Details["status"] != "completed" || e.Details["action"] != "start" {
		t.Errorf("details are %v", e.Details)
	}
}

func asError(err error, to **errs.Error) bool {
	return errors.As(err, to)
}

func TestTimesFollowTheStatus(t *testing.T) {
	g := Apply(nil, Created{UserID: "ada", Details: Details{Title: "Learn"}}, at(1))
	g = Apply(g, Started{}, at(2))
	if !g.StartedAt.Equal(at(2).Time) || !g.CreatedAt.Equal(at(1).Time) {
		t.Fatalf("started %v, created %v", g.StartedAt, g.CreatedAt)
	}
	g = Apply(g, Blocked{Reason: "ill"}, at(3))
	if g.BlockedReason != "ill" {
		t.Errorf("reason is %q", g.BlockedReason)
	}
	g = Apply(g, Started{}, at(4))
	if !g.StartedAt.Equal(at(2).Time) || g.BlockedReason != "" {
		t.Errorf("a goal that goes on has start %v and reason %q", g.StartedAt, g.BlockedReason)
	}
	g = Apply(g, Completed{By: BySelf}, at(5))
	if !g.CompletedAt.Equal(at(5).Time) {
		t.Errorf("completed at %v", g.CompletedAt)
	}
	if g = Apply(g, Reopened{}, at(6)); !g.CompletedAt.IsZero() || g.Status != StatusInProgress {
		t.Errorf("reopened: %+v", g)
	}
	if Apply(g, Deleted{}, at(7)) != nil {
		t.Error("a deleted goal is still there")
	}
}

func TestWhatCanNotBeKeptIsRefusedWithItsField(t *testing.T) {
	long := strings.Repeat("ñ", 501)
	for field, d := range map[string]Details{
		"title":                  {Title: long},
		"description":            {Title: "t", Description: strings.Repeat("x", 20001)},
		"course_id":              {Title: "t", CourseID: strings.Repeat("c", 37)},
		"priority":               {Title: "t", Priority: "huge"},
		"validation_criteria":    {Title: "t", Criteria: make([]string, 51)},
		"validation_criteria[0]": {Title: "t", Criteria: []string{" "}},
		"metadata":               {Title: "t", Metadata: "[]"},
		"due_at":                 {Title: "t", DueAt: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := Create(New{UserID: "ada", Details: d})
		var e *errs.Error
		if !asError(err, &e) || e.Kind != errs.BadInput || e.Fields[0].Path != field {
			t.Errorf("%s: got %v", field, err)
		}
		if e != nil && (e.Text("es") == e.Text("en") || e.Text("es") == "") {
			t.Errorf("%s is not said in Spanish: %q", field, e.Text("es"))
		}
	}
	if _, err := Create(New{UserID: "ada", Details: Details{Title: long[:len("ñ")*500]}}); err != nil {
		t.Errorf("500 characters of two bytes are refused: %v", err)
	}
	for name, title := range map[string]string{"empty": "", "blank": " \t", "NUL": "a\x00", "not UTF-8": "\xff"} {
		if _, err := Create(New{UserID: "ada", Details: Details{Title: title}}); !errs.BadInput.Is(err) {
			t.Errorf("a title that is %s gave %v", name, err)
		}
	}
}

func TestAnUpdateNamesWhatChangedAndNothingElse(t *testing.T) {
	g := Goal{ID: "g", UserID: "ada", Details: Details{Title: "a", Priority: PriorityLow, Metadata: `{"a":1,"b":[2]}`, DueAt: noon}, Version: 1}
	same, reordered := "a", Metadata(`{ "b": [2], "a": 1 }`)
	if c, err := g.Update(Patch{Title: &same, Metadata: &reordered}); c != nil || err != nil {
		t.Errorf("an update that changes nothing gave %v, %v", c, err)
	}
	title, none := "b", time.Time{}
	c, err := g.Update(Patch{Title: &title, DueAt: &none})
	u, ok := c.(Updated)
	if err != nil || !ok || strings.Join(u.Changed, ",") != "title,due_at" || u.Details.Title != "b" || !u.Details.DueAt.IsZero() {
		t.Errorf("got %+v, %v", c, err)
	}
	cleared := Priority("")
	if c, _ := g.Update(Patch{Priority: &cleared}); c.(Updated).Details.Priority != PriorityMedium {
		t.Errorf("a cleared priority is %q, want medium", c.(Updated).Details.Priority)
	}
	empty := ""
	if _, err := g.Update(Patch{Title: &empty}); !errs.BadInput.Is(err) {
		t.Errorf("a cleared title gave %v", err)
	}
}

func TestAnotherCourseIsNotTheDeletedOne(t *testing.T) {
	g := Goal{Details: Details{Title: "a", Priority: PriorityLow, CourseID: "c1"}}
	g = *Apply(&g, g.MarkCourseDeleted(), at(2))
	if !g.CourseDeleted || g.MarkCourseDeleted() != nil {
		t.Fatalf("marked: %+v", g)
	}
	title, course := "b", "c2"
	c, _ := g.Update(Patch{Title: &title})
	if !Apply(&g, c, at(3)).CourseDeleted {
		t.Error("another title took the mark away")
	}
	c, _ = g.Update(Patch{CourseID: &course})
	if Apply(&g, c, at(3)).CourseDeleted {
		t.Error("the mark went along to another course")
	}
	if (Goal{}).MarkCourseDeleted() != nil {
		t.Error("a goal without course was marked")
	}
}

func TestMetadataIsAnObjectThatTheDatabaseCanKeep(t *testing.T) {
	for name, text := range map[string]string{
		"an array": `[1]`, "null": `null`, "a string": `"x"`, "cut off": `{"a":`, "two values": `{} {}`,
		"too long": `{"a":"` + strings.Repeat("x", MaxMetadata) + `"}`, "an escaped NUL": `{"a":"\u0000"}`,
		"a NUL as name": `{"\u0000":1}`, "a huge number": `{"a":1e400}`, "a number that swells": `{"a":1e300}`,
		"too deep":  `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		"very deep": `{"a":` + strings.Repeat("[", 16000) + `}`, "not UTF-8": "{\"a\":\"\xff\"}",
	} {
		if _, err := ParseMetadata("metadata", text); !errs.BadInput.Is(err) {
			t.Errorf("%s gave %v", name, err)
		}
	}
	for text, want := range map[string]string{
		"": "{}", " {} ": "{}", `{"b":1.50, "a":"<é>"}`: `{"a":"<é>","b":1.50}`, `{"a":1,"a":2}`: `{"a":2}`,
		`{"a":"[[{{\"[["}`: `{"a":"[[{{\"[["}`,
	} {
		if got, err := ParseMetadata("metadata", text); err != nil || got.Text() != want {
			t.Errorf("%q became %q, %v; want %q", text, got, err, want)
		}
	}
}

func FuzzMetadataIsRefusedOrStable(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2,{"b":null}]}`, `{"a":1e5}`, `{"\ud800":1}`, `[`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once, err := ParseMetadata("metadata", text)
		if err != nil {
			return
		}
		if twice, err := ParseMetadata("metadata", once.Text()); err != nil || twice != once || !once.Equal(Metadata(text)) {
			t.Errorf("%q became %q, then %q, %v", text, once, twice, err)
		}
	})
}

func TestAGoalFollowsItsTasks(t *testing.T) {
	for name, c := range map[string]struct {
		status Status
		news   TaskNews
		want   Status
	}{
		"starts with its first task":                {StatusPending, TaskNews{Total: 2, Begun: true, Started: true}, StatusInProgress},
		"waits while tasks only come":               {StatusPending, TaskNews{Total: 2}, StatusPending},
		"completes with the last":                   {StatusInProgress, TaskNews{Total: 2, Completed: 2, Begun: true, Closed: true}, StatusCompleted},
		"does not complete with one left":           {StatusInProgress, TaskNews{Total: 2, Completed: 1, Begun: true, Closed: true}, StatusInProgress},
		"is not done when all was skipped":          {StatusInProgress, TaskNews{Total: 0, Closed: true}, StatusInProgress},
		"starts and completes at once":              {StatusPending, TaskNews{Total: 1, Completed: 1, Begun: true, Closed: true}, StatusCompleted},
		"goes on when a task of it is started":      {StatusBlocked, TaskNews{Total: 2, Begun: true, Started: true}, StatusInProgress},
		"stays blocked when a task comes":           {StatusBlocked, TaskNews{Total: 2, Begun: true}, StatusBlocked},
		"completes even when blocked":               {StatusBlocked, TaskNews{Total: 1, Completed: 1, Begun: true, Closed: true}, StatusCompleted},
		"reopens with a task":                       {StatusCompleted, TaskNews{Total: 1, Begun: true, Reopened: true}, StatusInProgress},
		"stays completed when nothing was reopened": {StatusCompleted, TaskNews{Total: 2, Completed: 1, Begun: true, Closed: true}, StatusCompleted},
		"stays cancelled":                           {StatusCancelled, TaskNews{Total: 1, Completed: 1, Begun: true, Closed: true, Reopened: true}, StatusCancelled},
		"does not complete anew by an edit":         {StatusInProgress, TaskNews{Total: 1, Completed: 1, Begun: true}, StatusInProgress},
	} {
		g := &Goal{Status: c.status, Version: 1}
		for i, change := range g.FollowTasks(c.news) {
			g = Apply(g, change, at(int64(i)+2))
		}
		if g.Status != c.want {
			t.Errorf("it %s: got %s, want %s", name, g.Status, c.want)
		}
	}
}

func TestProgressIsCompletedOverThoseThatCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(0, 50).Draw(t, "total")
		done := rapid.IntRange(0, total).Draw(t, "done")
		p := Progress{Percent: rapid.Float64Range(0, 100).Draw(t, "before"), Manual: true, Version: 1}
		c := p.Follow(TaskNews{Total: total, Completed: done})
		if c == nil || c.Manual || c.Percent < 0 || c.Percent > 100 || (c.Percent == 100) != (total > 0 && done == total) {
			t.Fatalf("%d of %d became %+v", done, total, c)
		}
		after := ApplyProgress(&p, *c, at(2))
		if again := after.Follow(TaskNews{Total: total, Completed: done}); again != nil {
			t.Fatalf("the same news changed it again: %+v", again)
		}
	})
}

func TestProgressByHandIsForOpenGoals(t *testing.T) {
	for _, s := range Statuses {
		c, err := Goal{ID: "g", Status: s}.SetProgress(40)
		if s.Open() && (err != nil || c.Percent != 40 || !c.Manual) {
			t.Errorf("%s: %+v, %v", s, c, err)
		}
		if !s.Open() && !ErrClosed.Is(err) {
			t.Errorf("%s: %v, want ErrClosed", s, err)
		}
	}
	for _, percent := range []float64{-1, 100.5} {
		if _, err := (Goal{Status: StatusPending}).SetProgress(percent); !errs.BadInput.Is(err) {
			t.Errorf("%v %%: %v", percent, err)
		}
	}
	if c := (Goal{}).Finish(); c == nil || c.Percent != 100 {
		t.Errorf("a goal without tasks that is done has %+v", c)
	}
	if c := (Goal{Progress: Progress{Total: 3, Completed: 1}}).Finish(); c != nil {
		t.Errorf("a goal with tasks left that is closed has %+v", c)
	}
}
