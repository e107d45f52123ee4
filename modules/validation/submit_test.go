package validation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
)

func TestHostileSubmissionsAreRefusedByNameAndChangeNothing(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task := b.task(ada, "test_main.py", doubleTest)
	many := make([]string, 0, 402)
	for i := range 201 {
		many = append(many, fmt.Sprintf("f%d.py", i), "")
	}
	mib := strings.Repeat("x", 1<<20)
	code := "x"
	for _, c := range []struct {
		name string
		sub  validation.Submission
		kind *errs.Kind
		says string
	}{
		{"no file", validationtest.Files(task.ID), validation.ErrNoFiles, ""},
		{"parent", validationtest.Files(task.ID, "../x.py", ""), validation.ErrFileName, "../x.py"},
		{"inner parent", validationtest.Files(task.ID, "a/../../x.py", ""), validation.ErrFileName, "a/../../x.py"},
		{"absolute", validationtest.Files(task.ID, "/etc/passwd", ""), validation.ErrFileName, "/etc/passwd"},
		{"drive", validationtest.Files(task.ID, "C:/x.py", ""), validation.ErrFileName, "C:/x.py"},
		{"backslash", validationtest.Files(task.ID, `a\b.py`, ""), validation.ErrFileName, "slashes"},
		{"empty name", validationtest.Files(task.ID, "", ""), validation.ErrFileName, ""},
		{"empty part", validationtest.Files(task.ID, "a//b.py", ""), validation.ErrFileName, "a//b.py"},
		{"dot", validationtest.Files(task.ID, "./b.py", ""), validation.ErrFileName, "./b.py"},
		{"NUL", validationtest.Files(task.ID, "a\x00.py", ""), validation.ErrFileName, `\x00`},
		{"newline", validationtest.Files(task.ID, "a\n.py", ""), validation.ErrFileName, `\n`},
		{"not UTF-8", validationtest.Files(task.ID, "a\xff.py", ""), validation.ErrFileName, "UTF-8"},
		{"endless name", validationtest.Files(task.ID, strings.Repeat("a/", 300)+"b.py", ""), validation.ErrFileName, "512"},
		{"twice", validationtest.Files(task.ID, "a.py", "", "a.py", ""), validation.ErrFileName, "a.py"},
		{"twice but for case", validationtest.Files(task.ID, "a.py", "", "A.py", ""), validation.ErrFileName, "A.py"},
		{"file and folder", validationtest.Files(task.ID, "a", "", "a/b.py", ""), validation.ErrFileName, "is a file"},
		{"folder and file", validationtest.Files(task.ID, "a/b.py", "", "A", ""), validation.ErrFileName, "folder"},
		{"NUL inside", validationtest.Files(task.ID, "a.py", "x\x00"), validation.ErrFileContent, "a.py"},
		{"not text", validationtest.Files(task.ID, "a.py", "x\xff"), validation.ErrFileContent, "a.py"},
		{"large", validationtest.Files(task.ID, "a.py", mib+"x"), validation.ErrFileTooLarge, "1048577"},
		{"large together", validationtest.Files(task.ID, "a", mib, "b", mib, "c", mib, "d", mib, "e", "x"), validation.ErrSnapshotTooLarge, "4194305"},
		{"many", validationtest.Files(task.ID, many...), validation.ErrTooManyFiles, "201"},
		{"files and code", validation.Submission{TaskID: task.ID, Files: []validation.File{{Path: "a.py"}}, Code: &code}, errs.BadInput, "either"},
		{"another language", validation.Submission{TaskID: task.ID, Code: &code, Language: "cobol"}, validation.ErrNoValidator, "python"},
		{"another's task", validationtest.Files("0190a0a0-0000-7000-8000-000000000000", "a.py", ""), tasks.ErrNotFound, ""},
		{"no task", validationtest.Files("x", "a.py", ""), tasks.ErrNotFound, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := b.TrySubmit(t.Context(), ada, c.sub)
			if !c.kind.Is(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %s with %q", err, c.kind.Reason, c.says)
			}
			var e *errs.Error
			if errors.As(err, &e) && (e.Spanish == "" || e.Spanish == e.English) {
				t.Errorf("there is no Spanish text: %q", e.Spanish)
			}
		})
	}
	if n := b.count("SELECT count(*) FROM validation.code_snapshots"); n != 0 {
		t.Errorf("%d snapshots were stored", n)
	}
	if got := b.status(task.ID); got != tasks.StatusTodo {
		t.Errorf("the task is %s", got)
	}
	// What is at the limit is taken.
	s := b.Submit(t, ada, task.ID, "a", mib, "b", mib, "c", mib, "d/ñ é.py", mib)
	if got, err := b.Service.Snapshot(t.Context(), ada, s.ID); err != nil || len(got.Files) != 4 || got.Files[3].Path != "d/ñ é.py" {
		t.Errorf("got %v, %v", got.Digest, err)
	}
}

func TestSnapshotsOfATaskAreNumberedWithoutGapsHoweverManyComeAtOnce(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task := b.task(ada, "test_main.py", doubleTest)
	const n = 24
	var mu sync.Mutex
	var numbers []int
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			sub := validationtest.Files(task.ID, "main.py", fmt.Sprint(i))
			if i%4 == 3 {
				// One that is undone at its end.
				undone := errors.New("undone")
				err := b.DB.InTx(context.Background(), postgres.As(ada), func(ctx context.Context, tx *postgres.Tx) error {
					_, err := b.Service.SubmitTx(ctx, tx, sub)
					return errors.Join(err, undone)
				})
				if !errors.Is(err, undone) {
					t.Error(err)
				}
				return
			}
			s, err := b.TrySubmit(context.Background(), ada, sub)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			numbers = append(numbers, s.Number)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(numbers)
	for i, number := range numbers {
		if number != i+1 {
			t.Fatalf("numbers are %v", numbers)
		}
	}
	if len(numbers) != n*3/4 {
		t.Errorf("%d snapshots, want %d", len(numbers), n*3/4)
	}
	if got := b.count("SELECT count(*) FROM validation.runs WHERE status = 'queued'"); got != 1 {
		t.Errorf("%d runs of the task wait, only the newest should", got)
	}
	if got := b.count("SELECT count(*) FROM validation.queue"); got != 1 {
		t.Errorf("%d rows in the queue", got)
	}
}

func TestWithoutASandboxSubmissionsWaitAndValidatorsSayWhy(t *testing.T) {
	b := setup(t, validationtest.Options{NoSandbox: errors.New("user namespaces are forbidden: set kernel.unprivileged_userns_clone=1")})
	task := b.task(ada, "test_main.py", doubleTest)
	s := b.Submit(t, ada, task.ID, "main.py", "x = 1\n")
	if run := b.Run(t, s.RunID); run.Status != validation.StatusQueued || run.QueuePosition != 1 {
		t.Errorf("the run is %+v", run)
	}
	all := b.Service.Validators(t.Context())
	if len(all) != 1 || all[0].State != validation.StateNoSandbox || !strings.Contains(all[0].Advice, "kernel.unprivileged_userns_clone") {
		t.Errorf("validators: %+v", all)
	}
}

func TestValidatorsNameTheirLanguagesAndToolchain(t *testing.T) {
	b := setup(t, validationtest.Options{})
	b.Catalog.Look(t.Context())
	all := b.Service.Validators(t.Context())
	if len(all) != 1 || all[0].Name != "validator-python" || all[0].State != validation.StateReady || all[0].Version == "" ||
		!slices.Contains(all[0].Languages, "python") || !strings.Contains(all[0].Toolchain["python"], "3.") {
		t.Errorf("validators: %+v", all)
	}
}
