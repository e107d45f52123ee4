package watch_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
	"github.com/goals-tracker/tracker/modules/rag/internal/watch"
)

type bundle struct {
	*service.Service
	t    *testing.T
	db   *postgres.DB
	root string
	// ingests counts them.
	ingests atomic.Int64
	deleted atomic.Bool
}

// Ingest implements watch.Ingester.
func (b *bundle) Ingest(ctx context.Context, call postgres.Call, courseID string, files []rag.File, prune bool, progress func(rag.Progress)) (rag.Report, error) {
	b.ingests.Add(1)
	return b.Service.Ingest(ctx, call, courseID, files, prune, progress)
}

func setup(t *testing.T) *bundle {
	t.Helper()
	db := postgrestest.DB(t)
	b := &bundle{t: t, db: db, root: t.TempDir()}
	b.Service = service.New(db, nil, rag.DefaultConfig(), time.Now).WithDeleted(func(context.Context, postgres.Queryer, string) (bool, error) {
		return b.deleted.Load(), nil
	})
	return b
}

func (b *bundle) write(name, text string) {
	b.t.Helper()
	file := filepath.Join(b.root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// watch runs a server's watcher until stop is called.
func (b *bundle) watch(cfg rag.WatchConfig) (stop func()) {
	b.t.Helper()
	w := watch.New(b.db, b, map[string]rag.WatchConfig{"c1": cfg}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(b.t.Context())
	var done sync.WaitGroup
	done.Go(func() { w.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	b.t.Cleanup(stop)
	return stop
}

func (b *bundle) paths() string {
	b.t.Helper()
	list, err := b.Outline(b.t.Context(), auth.System("test"), "c1")
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, d := range list {
		all = append(all, d.Path)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// eventually waits for what must come, however busy the machine is.
func (b *bundle) eventually(what string, come func() bool) {
	b.t.Helper()
	for range 1200 {
		if come() {
			return
		}
		select {
		case <-b.t.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	b.t.Fatalf("%s does not come; the course has %q", what, b.paths())
}

func (b *bundle) has(want string) {
	b.t.Helper()
	b.eventually(want, func() bool { return b.paths() == want })
}

func (b *bundle) problem() (text string) {
	b.t.Helper()
	_ = b.db.Pool().QueryRow(b.t.Context(), `SELECT problem FROM rag.watches`).Scan(&text)
	return text
}

func TestACourseFollowsItsFolder(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]time.Duration{"as the system tells": time.Hour, "by looking again": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.write("a.md", "# A\n\nLions.\n")
			b.write(".git/config", "hidden")
			b.watch(rag.WatchConfig{Folder: b.root, Every: every})
			b.has("a.md")
			b.write("unit/b.md", "# B\n\nTigers.\n")
			b.has("a.md unit/b.md")
			b.write("unit/c.md", "# C\n\nBears.\n")
			b.has("a.md unit/b.md unit/c.md")
			if err := os.Remove(filepath.Join(b.root, "a.md")); err != nil {
				t.Fatal(err)
			}
			b.has("unit/b.md unit/c.md")
		})
	}
}

func TestAnEmptyOrMissingFolderTakesNothingOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("a.md", "# A\n\nLions.\n")
	b.watch(rag.WatchConfig{Folder: b.root, Every: 100 * time.Millisecond})
	b.has("a.md")
	if err := os.Remove(filepath.Join(b.root, "a.md")); err != nil {
		t.Fatal(err)
	}
	b.eventually("a word on the empty folder", func() bool { return strings.Contains(b.problem(), "no file") })
	if err := os.Remove(b.root); err != nil {
		t.Fatal(err)
	}
	b.eventually("a word on the missing folder", func() bool { return strings.Contains(b.problem(), "no such file") })
	if got := b.paths(); got != "a.md" {
		t.Errorf("the course has %q", got)
	}
	b.write("b.md", "# B\n\nTigers.\n")
	b.has("b.md")
	b.eventually("that all is well again", func() bool { return b.problem() == "" })
}

func TestTheFolderOfADeletedCourseIsLeftAloneUntilTheCourseIsBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("a.md", "# A\n\nLions.\n")
	b.watch(rag.WatchConfig{Folder: b.root, Every: 100 * time.Millisecond})
	b.has("a.md")
	b.deleted.Store(true)
	err := b.db.InTx(t.Context(), postgres.As(auth.System("academy")), func(ctx context.Context, tx *postgres.Tx) error {
		return b.RemoveCourse(ctx, tx, "c1")
	})
	if err != nil {
		t.Fatal(err)
	}
	before := b.ingests.Load()
	b.write("b.md", "# B\n\nTigers.\n")
	b.eventually("a look at the changed folder", func() bool { return b.ingests.Load() > before+1 })
	if got := b.paths(); got != "" {
		t.Errorf("the deleted course has %q", got)
	}
	b.eventually("a word on the deleted course", func() bool { return strings.Contains(b.problem(), `no course "c1"`) })
	b.deleted.Store(false)
	b.has("a.md b.md")
}

func TestOneOfTwoServersWatchesAndTheOtherTakesOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("a.md", "# A\n\nLions.\n")
	cfg := rag.WatchConfig{Folder: b.root, Every: 100 * time.Millisecond}
	holder := func() (name string) {
		_ = b.db.Pool().QueryRow(t.Context(), `SELECT holder FROM rag.watches WHERE held_until > now()`).Scan(&name)
		return name
	}
	stop := b.watch(cfg)
	b.has("a.md")
	first := holder()
	b.watch(cfg)
	b.write("b.md", "# B\n\nTigers.\n")
	b.has("a.md b.md")
	if got := b.ingests.Load(); got != 2 || holder() != first {
		t.Errorf("%d ingests, held by %s, at first by %s", got, holder(), first)
	}
	stop()
	b.eventually("another holder", func() bool { return holder() != "" && holder() != first })
	b.write("c.md", "# C\n\nBears.\n")
	b.has("a.md b.md c.md")
}

func TestACheckoutIsPulled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	origin := b.root
	git := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	git(origin, "init", "-q")
	b.write("a.md", "# A\n\nLions.\n")
	git(origin, "add", "a.md")
	git(origin, "commit", "-q", "-m", "a")
	checkout := filepath.Join(t.TempDir(), "checkout")
	git(origin, "clone", "-q", origin, checkout)
	b.watch(rag.WatchConfig{Folder: checkout, Pull: true, Every: 200 * time.Millisecond})
	b.has("a.md")
	b.write("b.md", "# B\n\nTigers.\n")
	git(origin, "add", "b.md")
	git(origin, "commit", "-q", "-m", "b")
	b.has("a.md b.md")
	// A repository that can't be reached any more is told, and what is there stays.
	if err := os.Rename(origin, origin+"-gone"); err != nil {
		t.Fatal(err)
	}
	b.eventually("a word on the pull", func() bool { return strings.Contains(b.problem(), "git pull") })
	if got := b.paths(); got != "a.md b.md" {
		t.Errorf("the course has %q", got)
	}
}

func TestAPullNeverAsksOnTheServersTerminal(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "session")
	ssh := filepath.Join(t.TempDir(), "ssh")
	if err := os.WriteFile(ssh, []byte("#!/bin/sh\ncut -d' ' -f6 /proc/self/stat >'"+seen+"'\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", ssh)
	b := setup(t)
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"remote", "add", "origin", "ssh://git@127.0.0.1:9/course.git"},
		{"config", "branch.main.remote", "origin"}, {"config", "branch.main.merge", "refs/heads/main"}} {
		if out, err := exec.Command("git", append([]string{"-C", b.root}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	b.write("a.md", "# A\n\nLions.\n")
	b.watch(rag.WatchConfig{Folder: b.root, Pull: true, Every: time.Hour})
	b.has("a.md")
	got, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	// After the name, which may hold blanks: state, parent, group, session.
	own := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))[3]
	if session := strings.TrimSpace(string(got)); session == "" || session == own {
		t.Errorf("ssh runs in session %q, the server in %q: it can ask on the server's terminal", session, own)
	}
}
