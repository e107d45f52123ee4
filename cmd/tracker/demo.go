package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
	"github.com/goals-tracker/tracker/cmd/academy/standin"
)

type demoCmd struct {
	Server  string `default:"" help:"The running server. Defaults to server.address."`
	Academy string `default:"" help:"The academy's stand-in. Defaults to USER_SERVICE_URL, else http://127.0.0.1:8001."`
	Spanish bool   `help:"Walk through the Spanish course."`
	Short   bool   `help:"Only the eight steps, without a vague goal on the other course."`
}

// script is who does what in the demo.
type script struct {
	course, learner, teacher, goal, description string
	// vague is a goal that says too little; answers are what its learner says when
	// asked.
	vague   string
	answers []string
}

var scripts = map[bool]script{
	false: {courses.PythonBasicsEN, "ben@academy.test", "tess@academy.test", "Learn loops and functions in Python", "I want to repeat things with loops and write functions of my own.", "Get better at programming", []string{"Loops", "Nothing yet"}},
	true:  {courses.PythonBasicsES, "lucia@academy.test", "tomas@academy.test", "Aprender bucles y funciones en Python", "Quiero repetir cosas con bucles y escribir mis propias funciones.", "Mejorar programando", []string{"Bucles", "Todavía nada"}},
}

// Run walks through the reference's eight steps with real input.
func (c *demoCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	d := demo{script: scripts[c.Spanish], academy: firstOf(c.Academy, cfg.Academy.URL, "http://127.0.0.1:8001")}
	d.server = firstOf(c.Server, "http://"+cfg.Server.Address)
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	for i, step := range []struct {
		title string
		run   func(context.Context) error
	}{
		{"the learner logs in at the academy and gets a token", d.login},
		{"a WebSocket is opened with it", d.connect},
		{"a goal on the course is created", d.createGoal},
		{"tasks are planned on the course's material, with citations", d.plan},
		{"the tracker asks the academy about the course", d.courseInfo},
		{"two real submissions are judged in the sandbox", d.submit},
		{"feedback explains the verdicts", d.feedback},
		{"every step is in the event log", d.events},
	} {
		fmt.Printf("\n%d. %s\n", i+1, step.title)
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	if !c.Short {
		other := demo{script: scripts[!c.Spanish], academy: d.academy}
		other.server = d.server
		fmt.Printf("\nBesides: a vague goal on the other course, %q\n", other.vague)
		if err := other.planVague(ctx); err != nil {
			return fmt.Errorf("plan a vague goal: %w", err)
		}
	}
	fmt.Println("\nAll eight steps worked.")
	return nil
}

// demo is what the steps hand to each other.
type demo struct {
	script
	academy string
	person
	socket *socket
	goalID string
	task   demoTask
	// reviewed counts the verdicts that feedback is awaited for.
	snapshots []string
}

type demoTask struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Type       string   `json:"type"`
	Status     string   `json:"status"`
	DependsOn  []string `json:"depends_on"`
	Validation *struct {
		Tests []struct{ Path string } `json:"tests"`
	} `json:"validation"`
	Citations []struct {
		Path      string `json:"path"`
		Heading   string `json:"heading"`
		StartLine int    `json:"start_line"`
		EndLine   int    `json:"end_line"`
	} `json:"citations"`
	AIFeedback *string `json:"ai_feedback"`
}

func password(email string) string {
	for _, u := range standin.SampleUsers() {
		if u.Email == email {
			return u.Password
		}
	}
	return ""
}

func (d *demo) login(ctx context.Context) error {
	if err := d.ingest(ctx); err != nil {
		return err
	}
	token, claims, err := login(ctx, d.academy, d.learner, password(d.learner))
	if err != nil {
		return err
	}
	d.token = token
	say("user_id %v, roles %v, courses %v", claims["user_id"], claims["roles"], claims["course_ids"])
	return nil
}

// ingest is what the course's teacher does once: without material there is
// nothing to plan from.
func (d *demo) ingest(ctx context.Context) error {
	token, claims, err := login(ctx, d.academy, d.teacher, password(d.teacher))
	if err != nil {
		return err
	}
	folder, from, err := materialOf(d.course)
	if err != nil {
		return err
	}
	var files []map[string]string
	err = fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(folder, path)
		files = append(files, map[string]string{"path": path, "content": base64.StdEncoding.EncodeToString(content)})
		return err
	})
	if err != nil {
		return err
	}
	var report struct{ Added, Changed, Unchanged, Chunks int }
	teacher := person{server: d.server, token: token}
	if err := teacher.do(ctx, http.MethodPost, "/api/v1/courses/"+d.course+"/documents", map[string]any{"files": files, "prune": true}, &report); err != nil {
		return err
	}
	say("(before: teacher %v put %s into the index: %d files new, %d changed, %d as they were)", claims["user_id"], from, report.Added, report.Changed, report.Unchanged)
	return nil
}

// materialOf is the folder of a sample course, and what to call it: the one in
// this checkout, whose files may be edited, else the one that the program carries.
func materialOf(course string) (folder fs.FS, from string, err error) {
	c, err := courses.Find(course)
	if err != nil {
		return nil, "", err
	}
	dir := filepath.Join("cmd", "academy", "courses", filepath.FromSlash(c.Folder()))
	if _, err := os.Stat(filepath.Join(dir, "course.md")); err == nil {
		return os.DirFS(dir), "the folder " + dir, nil
	}
	return c.FS(), "the course's material", nil
}

func (d *demo) connect(ctx context.Context) error {
	var err error
	if d.socket, err = d.open(ctx); err != nil {
		return err
	}
	hello, err := d.socket.await(ctx, 10*time.Second, func(m message) bool { return m.Type == "hello" })
	say("hello %s", hello.Payload)
	return err
}

func (d *demo) createGoal(ctx context.Context) error {
	var goal struct{ ID, Status string }
	err := d.socket.command(ctx, "goal.create", map[string]any{"title": d.goal, "description": d.description, "course_id": d.course, "priority": "high"}, &goal)
	d.goalID = goal.ID
	say("goal %s, %s", goal.ID, goal.Status)
	return err
}

func (d *demo) courseInfo(ctx context.Context) error {
	var course struct{ ID, Title, Status string }
	err := d.do(ctx, http.MethodGet, "/api/v1/courses/"+url.PathEscape(d.course), nil, &course)
	say("%s: %q, %s", course.ID, course.Title, course.Status)
	return err
}

// submit hands in the exercise's starter, which fails, then its solution.
func (d *demo) submit(ctx context.Context) error {
	exercise, err := d.exercise()
	if err != nil {
		return err
	}
	for _, id := range d.task.DependsOn {
		var read demoTask
		if err := d.socket.command(ctx, "task.complete", map[string]any{"task_id": id, "actual_hours": 0.5}, &read); err != nil {
			return err
		}
		say("(before: the learner read %q and calls it done)", read.Title)
	}
	say("for task %s, %q", d.task.ID, d.task.Title)
	for _, attempt := range []struct {
		what  string
		files map[string]string
		want  string
	}{{"the starter as it is", exercise.Starter, "failed"}, {"a solution", exercise.Solution, "passed"}} {
		var files []map[string]string
		for _, path := range slices.Sorted(maps.Keys(attempt.files)) {
			files = append(files, map[string]string{"path": path, "content": attempt.files[path]})
		}
		var snapshot struct {
			ID     string
			Number int
		}
		if err := d.socket.command(ctx, "task.validate", map[string]any{"task_id": d.task.ID, "files": files}, &snapshot); err != nil {
			return err
		}
		verdict, err := d.socket.await(ctx, time.Minute, func(m message) bool {
			return m.Type == "validation.completed" && m.field("snapshot_id") == snapshot.ID
		})
		if err != nil {
			return err
		}
		var run struct {
			RunID       string `json:"run_id"`
			Verdict     string `json:"verdict"`
			TestsPassed int    `json:"tests_passed"`
			TestsTotal  int    `json:"tests_total"`
		}
		if err := json.Unmarshal(verdict.Payload, &run); err != nil {
			return err
		}
		say("snapshot %d (%s), run %s: %s, %d of %d tests passed", snapshot.Number, attempt.what, run.RunID, run.Verdict, run.TestsPassed, run.TestsTotal)
		if run.Verdict != attempt.want {
			return fmt.Errorf("the verdict on %s is %s, not %s", attempt.what, run.Verdict, attempt.want)
		}
		d.snapshots = append(d.snapshots, run.RunID)
	}
	return nil
}

// exercise finds the course's exercise that the task was made of, by its tests.
func (d *demo) exercise() (courses.Exercise, error) {
	course, err := courses.Find(d.course)
	if err != nil {
		return courses.Exercise{}, err
	}
	all, err := course.Exercises()
	if err != nil {
		return courses.Exercise{}, err
	}
	for _, e := range all {
		for _, test := range d.task.Validation.Tests {
			if _, ok := e.Tests[test.Path[strings.LastIndexByte(test.Path, '/')+1:]]; ok {
				return e, nil
			}
		}
	}
	return courses.Exercise{}, fmt.Errorf("task %s has tests that no exercise of %s has", d.task.ID, d.course)
}

func (d *demo) feedback(ctx context.Context) error {
	for _, run := range d.snapshots {
		m, err := d.socket.await(ctx, time.Minute, func(m message) bool {
			return m.Type == "feedback.generated" && m.field("validation_run_id") == run
		})
		if err != nil {
			return err
		}
		say("on run %s, by %s:", run, m.field("label"))
		for line := range strings.Lines(m.field("text")) {
			fmt.Print("     | ", line)
		}
		fmt.Println()
	}
	return nil
}

func (d *demo) events(ctx context.Context) error {
	var list struct {
		Events []struct {
			Position int64
			Type     string
			StreamID string `json:"stream_id"`
		}
	}
	if err := d.do(ctx, http.MethodGet, "/api/v1/events?page_size=100&goal_id="+d.goalID, nil, &list); err != nil {
		return err
	}
	for _, e := range list.Events {
		say("%6d  %-22s %s", e.Position, e.Type, e.StreamID)
	}
	return d.socket.conn.CloseNow()
}

func say(format string, args ...any) { fmt.Printf("   "+format+"\n", args...) }

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return strings.TrimRight(v, "/")
		}
	}
	return ""
}

// readClaims shows what a token says; who trusts it verifies it.
func readClaims(token string) (map[string]any, error) {
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	return claims, nil
}
