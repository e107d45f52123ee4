package react_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/react"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
)

type noAcademy struct{}

func (noAcademy) Courses(context.Context, string) ([]academy.Membership, error) { return nil, nil }

// submitted are snapshots by id.
type submitted map[string][]rag.File

func (s submitted) Files(_ context.Context, id string) ([]rag.File, error) { return s[id], nil }

type bundle struct {
	*service.Service
	t         *testing.T
	db        *postgres.DB
	handle    func(context.Context, *postgres.Tx, events.Event) error
	submitted submitted
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := postgrestest.DB(t)
	s := service.New(db, noAcademy{}, rag.DefaultConfig(), time.Now).WithKey([]byte("a key for tests, and for nothing"))
	files := submitted{}
	return &bundle{Service: s, t: t, db: db, handle: react.New(s, files).Subscription().Handle, submitted: files}
}

func person(id string, courses ...string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{auth.Student}, CourseIDs: courses}
}

var tess = auth.Actor{UserID: "tess", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}}

func (b *bundle) happened(user, course string, data proto.Message) {
	b.t.Helper()
	err := b.db.InTx(b.t.Context(), postgres.As(auth.System("test")), func(ctx context.Context, tx *postgres.Tx) error {
		return b.handle(ctx, tx, events.Event{Data: data, Stream: events.Stream{SubjectID: user, CourseID: course}})
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) goal(user, title string) string {
	id := uuid.NewString()
	b.happened(user, "", &goalsv1.GoalCreated{GoalId: id, Details: &goalsv1.GoalDetails{Title: title, Description: "About " + title + "."}})
	return id
}

func (b *bundle) task(user, course, goal, title string) string {
	id := uuid.NewString()
	b.happened(user, course, &tasksv1.TaskCreated{TaskId: id, GoalId: goal, Details: &tasksv1.TaskDetails{Title: title, CourseId: &course}})
	return id
}

// judged has code run, with a verdict.
func (b *bundle) judged(user, course, task string, verdict validationv1.Verdict, files ...string) string {
	id := uuid.NewString()
	for i := 0; i < len(files); i += 2 {
		b.submitted[id] = append(b.submitted[id], rag.File{Path: files[i], Content: []byte(files[i+1])})
	}
	b.verdict(user, course, task, id, verdict)
	return id
}

func (b *bundle) verdict(user, course, task, snapshot string, verdict validationv1.Verdict) {
	b.happened(user, course, &validationv1.ValidationCompleted{TaskId: task, SnapshotId: snapshot,
		Status: validationv1.RunStatus_RUN_STATUS_DONE, Verdict: verdict})
}

// found are the paths that a search finds, as a person asks it.
func (b *bundle) found(who auth.Actor, scope rag.Scope, course, text string) string {
	b.t.Helper()
	r, err := b.Search(b.t.Context(), who, rag.Query{Text: text, Scope: scope, CourseID: course, Peers: true})
	if err != nil {
		b.t.Fatal(err)
	}
	var paths []string
	for _, p := range r.Passages {
		paths = append(paths, p.Path)
	}
	return strings.Join(paths, " ")
}

func (b *bundle) policy(change rag.PolicyPatch) {
	b.t.Helper()
	err := b.db.InTx(b.t.Context(), postgres.As(tess), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := b.UpdatePolicyTx(ctx, tx, "c1", change)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) peers(on bool) {
	b.t.Helper()
	b.policy(rag.PolicyPatch{PeerSnapshots: &on})
}

func (b *bundle) settle() {
	b.t.Helper()
	if err := b.Settle(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

const passed, failed = validationv1.Verdict_VERDICT_PASSED, validationv1.Verdict_VERDICT_FAILED

func TestWhatLearnersHaveIsFoundByThemAndNobodyElse(t *testing.T) {
	b := setup(t)
	goal := b.goal("ada", "Learn penguins")
	task := b.task("ada", "c1", goal, "Feed the walrus")
	b.judged("ada", "c1", task, passed, "zoo.py", "def feed_lion():\n    return 1\n")
	b.happened("ada", "c1", &agentsv1.FeedbackGenerated{FeedbackId: uuid.NewString(), TaskId: task, Text: "Mind the giraffe.",
		Comments: []*agentsv1.Comment{{Text: "The elephant leaks.", File: "zoo.py", StartLine: 2}}})
	ada, bob := person("ada", "c1"), person("bob", "c1")
	for query, want := range map[string]string{
		"penguins": "goals/" + goal + ".md", "walrus": "tasks/" + task + ".md", "feed_lion": "snapshots/" + task + "/zoo.py",
		"giraffe": "feedback/" + task, "elephant": "feedback/" + task,
	} {
		if got := b.found(ada, rag.ScopeUser, "", query); !strings.HasPrefix(got, want) {
			t.Errorf("ada finds %q by %q, want %s", got, query, want)
		}
		if got := b.found(ada, rag.ScopeGlobal, "", query); !strings.HasPrefix(got, want) {
			t.Errorf("ada finds %q by %q everywhere, want %s", got, query, want)
		}
		for _, who := range []auth.Actor{bob, tess} {
			for _, scope := range []rag.Scope{rag.ScopeUser, rag.ScopeCourse, rag.ScopeGlobal} {
				if got := b.found(who, scope, "c1", query); got != "" {
					t.Errorf("%s finds %q by %q in scope %s", who.UserID, got, query, scope)
				}
			}
		}
	}
}

func TestTheIndexFollowsWhatBecomesOfGoalsAndTasks(t *testing.T) {
	b := setup(t)
	ada := person("ada", "c1")
	goal := b.goal("ada", "Learn penguins")
	task := b.task("ada", "c1", goal, "Feed the walrus")
	code := b.judged("ada", "c1", task, passed, "zoo.py", "def feed_lion():\n    return 1\n", "old.py", "def stale_lion(): pass\n")
	b.judged("ada", "c1", task, failed, "zoo.py", "def broken_lion(): pass\n")
	if got := b.found(ada, rag.ScopeUser, "", "broken_lion feed_lion"); got != "snapshots/"+task+"/zoo.py" && !strings.HasPrefix(got, "snapshots/"+task+"/zoo.py ") {
		t.Errorf("after code that failed ada finds %q", got)
	}
	next := b.judged("ada", "c1", task, passed, "zoo.py", "def feed_tiger():\n    return 1\n")
	if got := b.found(ada, rag.ScopeUser, "", "stale_lion"); strings.Contains(got, "old.py") {
		t.Errorf("a file that the newest code has no more is found: %q", got)
	}
	b.verdict("ada", "c1", task, code, failed)
	if got := b.found(ada, rag.ScopeUser, "", "feed_tiger"); !strings.Contains(got, "zoo.py") {
		t.Error("another verdict on older code took the newest away")
	}
	b.verdict("ada", "c1", task, next, failed)
	if got := b.found(ada, rag.ScopeUser, "", "feed_tiger"); strings.Contains(got, "zoo.py") {
		t.Error("code that does not hold any more is found")
	}
	b.happened("ada", "", &goalsv1.GoalUpdated{GoalId: goal, Details: &goalsv1.GoalDetails{Title: "Learn seals"}})
	if got := b.found(ada, rag.ScopeUser, "", "penguins"); strings.Contains(got, "goals/") {
		t.Errorf("a goal is found by its old title: %q", got)
	}
	b.happened("ada", "c1", &tasksv1.TaskDeleted{TaskId: task, GoalId: goal})
	b.happened("ada", "", &goalsv1.GoalDeleted{GoalId: goal})
	b.judged("ada", "c1", task, passed, "zoo.py", "def late_lion(): pass\n")
	b.happened("ada", "c1", &agentsv1.FeedbackGenerated{FeedbackId: uuid.NewString(), TaskId: task, Text: "Late walrus."})
	for table, query := range map[string]string{
		"documents": `SELECT count(*) FROM rag.documents`, "chunks": `SELECT count(*) FROM rag.chunks`,
		"postings": `SELECT count(*) FROM rag.postings`, "terms": `SELECT count(*) FROM rag.terms`,
		"counted": `SELECT sum(chunks) + sum(tokens) FROM rag.collections`,
	} {
		var n int
		if err := b.db.Pool().QueryRow(t.Context(), query).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d are left, %v", table, n, err)
		}
	}
}

func TestPeersFindValidatedCodeUnderAPseudonymWhileTheCourseLetsThem(t *testing.T) {
	b := setup(t)
	ada, bob, zoe := person("lovelace", "c1"), person("bob", "c1"), person("zoe", "c2")
	task := b.task("lovelace", "c1", b.goal("lovelace", "Zoo"), "Feed")
	code := "# Author: Ada Lovelace\n# mail ada@example.org\ndef feed_lion():\n    return 1\n"
	b.judged("lovelace", "c1", task, passed, "zoo.py", code)
	if got := b.found(bob, rag.ScopeCourse, "c1", "feed_lion"); got != "" {
		t.Fatalf("where nothing is set, bob finds %q", got)
	}
	b.peers(true)
	b.settle()
	got := b.found(bob, rag.ScopeCourse, "c1", "feed_lion")
	if !strings.HasPrefix(got, "peers/") || strings.Contains(got, "lovelace") || strings.Contains(got, task) {
		t.Fatalf("bob finds %q", got)
	}
	r, err := b.Search(t.Context(), bob, rag.Query{Text: "feed_lion", CourseID: "c1", Peers: true})
	if err != nil || len(r.Passages) != 1 || strings.Contains(r.Passages[0].Text, "Lovelace") || strings.Contains(r.Passages[0].Text, "@") {
		t.Fatalf("%+v, %v", r, err)
	}
	if d, err := b.Document(t.Context(), bob, r.Passages[0].DocumentID); err != nil || strings.Contains(d.Content+d.Title+d.Path, "Lovelace") {
		t.Errorf("%+v, %v", d, err)
	}
	if r, err := b.Search(t.Context(), bob, rag.Query{Text: "feed_lion", CourseID: "c1"}); err != nil || len(r.Passages) > 0 {
		t.Errorf("what is written for learners could quote a peer's code: %+v, %v", r, err)
	}
	if list, err := b.Passages(t.Context(), bob, rag.PassageFilter{CourseID: "c1"}); err != nil || len(list) > 0 {
		t.Errorf("a peer's code counts as the course's material: %+v, %v", list, err)
	}
	if got := b.found(zoe, rag.ScopeGlobal, "", "feed_lion"); got != "" {
		t.Errorf("who is not in the course finds %q", got)
	}
	if got := b.found(ada, rag.ScopeUser, "", "feed_lion"); !strings.HasPrefix(got, "snapshots/"+task+"/zoo.py") {
		t.Errorf("ada finds her own code as %q", got)
	}
	// What passes later is there at once.
	other := b.task("lovelace", "c1", b.goal("lovelace", "Farm"), "Milk")
	b.judged("lovelace", "c1", other, passed, "farm.py", "def milk_cow(): pass\n")
	if got := b.found(bob, rag.ScopeCourse, "c1", "milk_cow"); !strings.HasPrefix(got, "peers/") {
		t.Errorf("bob finds %q", got)
	}
	b.happened("lovelace", "c1", &tasksv1.TaskDeleted{TaskId: other})
	if got := b.found(bob, rag.ScopeCourse, "c1", "milk_cow"); got != "" {
		t.Errorf("code of a deleted task is found: %q", got)
	}
	document := r.Passages[0].DocumentID
	b.peers(false) // hides at once, before anything is deleted
	if got := b.found(bob, rag.ScopeCourse, "c1", "feed_lion") + b.found(bob, rag.ScopeGlobal, "", "feed_lion"); got != "" {
		t.Errorf("bob still finds %q", got)
	}
	if _, err := b.Document(t.Context(), bob, document); !rag.ErrNotFound.Is(err) {
		t.Errorf("bob still reads it: %v", err)
	}
	b.settle()
	var n int
	if err := b.db.Pool().QueryRow(t.Context(), `SELECT count(*) FROM rag.collections WHERE shared`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d copies are left, %v", n, err)
	}
}

func TestATaskThatGoesToAnotherCourseTakesItsCodeAlong(t *testing.T) {
	b := setup(t)
	b.peers(true)
	goal := b.goal("ada", "Zoo")
	task := b.task("ada", "c1", goal, "Feed")
	b.judged("ada", "c1", task, passed, "zoo.py", "def feed_lion(): pass\n")
	bob := person("bob", "c1")
	if got := b.found(bob, rag.ScopeCourse, "c1", "feed_lion"); got == "" {
		t.Fatal("bob finds nothing")
	}
	to := "c2"
	b.happened("ada", to, &tasksv1.TaskUpdated{TaskId: task, GoalId: goal, Details: &tasksv1.TaskDetails{Title: "Feed", CourseId: &to}})
	if got := b.found(bob, rag.ScopeCourse, "c1", "feed_lion"); got != "" {
		t.Errorf("bob finds what is no more of his course: %q", got)
	}
}

func TestTheCoursesPolicyIsItsTeachers(t *testing.T) {
	b := setup(t)
	on := true
	for _, who := range []auth.Actor{person("bob", "c1"), {UserID: "eve", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c2"}}} {
		err := b.db.InTx(t.Context(), postgres.As(who), func(ctx context.Context, tx *postgres.Tx) error {
			_, err := b.UpdatePolicyTx(ctx, tx, "c1", rag.PolicyPatch{PeerSnapshots: &on})
			return err
		})
		if !rag.ErrNotATeacher.Is(err) {
			t.Errorf("%s: %v", who.UserID, err)
		}
		// The database holds where the service wouldn't.
		err = b.db.InTx(t.Context(), postgres.As(who), func(ctx context.Context, tx *postgres.Tx) error {
			raw, err := tx.PGX(ctx)
			if err != nil {
				return err
			}
			_, err = raw.Exec(ctx, `INSERT INTO rag.policies (course_id, peer_snapshots, updated_at) VALUES ('c1', true, now())`)
			return err
		})
		if err == nil {
			t.Errorf("%s writes the policy of c1 past the service", who.UserID)
		}
	}
	global, user := rag.ScopeGlobal, rag.ScopeUser
	b.policy(rag.PolicyPatch{DefaultScope: &global})
	b.peers(true)
	p, err := b.Policy(t.Context(), person("bob", "c1"), "c1")
	if err != nil || p.DefaultScope != rag.ScopeGlobal || !p.PeerSnapshots {
		t.Errorf("%+v, %v", p, err)
	}
	err = b.db.InTx(t.Context(), postgres.As(tess), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := b.UpdatePolicyTx(ctx, tx, "c1", rag.PolicyPatch{DefaultScope: &user})
		return err
	})
	if !rag.ErrBadPolicy.Is(err) {
		t.Errorf("a default scope of one's own: %v", err)
	}
	if _, err := b.Policy(t.Context(), person("zoe", "c2"), "c1"); !rag.ErrNotYourCourse.Is(err) {
		t.Errorf("zoe reads it: %v", err)
	}
	// A search that doesn't say goes by it: zoe's course is not in c1.
	ingest := func(course, text string) {
		if _, err := b.Ingest(t.Context(), postgres.As(auth.System("test")), course, []rag.File{{Path: "a.md", Content: []byte(text)}}, true, nil); err != nil {
			t.Fatal(err)
		}
	}
	ingest("c1", "A lion.\n")
	ingest("c2", "A tiger.\n")
	if got := b.found(person("bob", "c1", "c2"), "", "c1", "tiger"); got != "a.md" {
		t.Errorf("by the course's default scope bob finds %q", got)
	}
	if got := b.found(person("bob", "c1"), "", "c1", "tiger"); got != "" {
		t.Errorf("a default scope gave bob a course that is not his: %q", got)
	}
}

func TestWhenACourseIsRemovedItsMaterialAndCopiesGoAndLearnersKeepTheirs(t *testing.T) {
	b := setup(t)
	b.peers(true)
	if _, err := b.Ingest(t.Context(), postgres.As(tess), "c1", []rag.File{{Path: "a.md", Content: []byte("---\nconcepts: [lions]\n---\nA lion.\n")}}, true, nil); err != nil {
		t.Fatal(err)
	}
	task := b.task("ada", "c1", b.goal("ada", "Zoo"), "Feed")
	b.judged("ada", "c1", task, passed, "zoo.py", "def feed_lion(): pass\n")
	if got := b.found(person("bob", "c1"), rag.ScopeCourse, "c1", "feed_lion"); got == "" {
		t.Fatal("bob finds nothing")
	}
	err := b.db.InTx(t.Context(), postgres.As(auth.System("academy")), func(ctx context.Context, tx *postgres.Tx) error {
		return b.RemoveCourse(ctx, tx, "c1")
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.found(person("bob", "c1"), rag.ScopeGlobal, "", "lion feed_lion"); got != "" {
		t.Errorf("bob finds %q", got)
	}
	if got := b.found(person("ada", "c1"), rag.ScopeUser, "", "feed_lion"); !strings.HasPrefix(got, "snapshots/") {
		t.Errorf("ada finds %q of her own", got)
	}
	var n int
	err = b.db.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM rag.policies) + (SELECT count(*) FROM rag.concepts) + (SELECT count(*) FROM rag.concept_edges)`).Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("%d rows of the course are left, %v", n, err)
	}
}

// ownKeys are people's keys until they are forgotten.
type ownKeys map[string][]byte

func (k ownKeys) Key(userID string) ([]byte, error) {
	if k[userID] == nil {
		k[userID] = []byte(uuid.NewString())
	}
	return k[userID], nil
}

func TestAPseudonymCanBeMadeAgainByNobodyOnceThePersonsKeyIsForgotten(t *testing.T) {
	b := setup(t)
	keys := ownKeys{}
	b.WithKeys(keys)
	b.peers(true)
	bob := person("bob", "c1")
	task := b.task("ada", "c1", b.goal("ada", "Zoo"), "Feed")
	snapshot := b.judged("ada", "c1", task, passed, "zoo.py", "def feed_lion(): pass\n")
	name := b.found(bob, rag.ScopeCourse, "c1", "feed_lion")
	b.verdict("ada", "c1", task, snapshot, passed)
	if again := b.found(bob, rag.ScopeCourse, "c1", "feed_lion"); again != name || !strings.HasPrefix(name, "peers/") {
		t.Errorf("with the same key it is %q and then %q", name, again)
	}
	delete(keys, "ada")
	b.verdict("ada", "c1", task, snapshot, passed)
	after := b.found(bob, rag.ScopeCourse, "c1", "feed_lion")
	before, now := strings.Split(name, "/"), strings.Split(after, "/")
	if len(before) != 4 || len(now) != 4 || before[1] == now[1] || before[2] == now[2] {
		t.Errorf("%q is %q without the key", name, after)
	}
}
