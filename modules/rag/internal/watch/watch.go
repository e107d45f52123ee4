// Package watch keeps courses' material as folders on this machine have it: a
// plain folder, or a checkout of a repository that it pulls. Of several servers
// one watches a course; when it goes, another takes over.
package watch

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

const (
	// lease is how long a server that went silent is waited for.
	lease = time.Minute
	// calm is how long nothing must change before files are read: editors and
	// checkouts write many.
	calm = 400 * time.Millisecond
)

// Ingester takes files into a course.
type Ingester interface {
	Ingest(ctx context.Context, call postgres.Call, courseID string, files []rag.File, prune bool, progress func(rag.Progress)) (rag.Report, error)
}

// Watcher watches folders.
type Watcher struct {
	db     *postgres.DB
	to     Ingester
	cfg    map[string]rag.WatchConfig
	logger *slog.Logger
	holder string
	// Told hears of each ingest; it may be nil.
	Told func(courseID string, report rag.Report, problems []rag.Problem)
}

// New makes a watcher of folders by course id.
func New(db *postgres.DB, to Ingester, cfg map[string]rag.WatchConfig, logger *slog.Logger) *Watcher {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &Watcher{db: db, to: to, cfg: cfg, logger: logger, holder: host + "/" + uuid.NewString()}
}

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	var all sync.WaitGroup
	for course, cfg := range w.cfg {
		all.Go(func() { w.follow(ctx, course, cfg) })
	}
	all.Wait()
}

// follow watches one folder. What fails is told and tried again.
func (w *Watcher) follow(ctx context.Context, course string, cfg rag.WatchConfig) {
	f := &folder{w: w, course: course, cfg: cfg, as: auth.System("watch"), logger: w.logger.With("course", course, "folder", cfg.Folder)}
	notes := notify(cfg.Folder, f.logger)
	defer notes.close()
	defer func() {
		_ = store.ReleaseWatch(context.WithoutCancel(ctx), w.db.As(f.as), course, w.holder)
	}()
	every := cfg.Every
	if every <= 0 {
		every = rag.DefaultWatchEvery
	}
	tick := time.NewTicker(min(every, lease/3))
	defer tick.Stop()
	last := time.Time{}
	for {
		due := time.Since(last) >= every
		if notes.take() || due {
			last = time.Now()
			if err := f.look(ctx, due); err != nil && ctx.Err() == nil {
				f.logger.Warn("the course's folder was not taken in; it is tried again", "error", err)
			}
			notes.follow()
		} else if _, _, err := store.HoldWatch(ctx, w.db.As(f.as), course, w.holder, lease); err != nil && ctx.Err() == nil {
			f.logger.Warn("the watch of a folder can't be kept", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-notes.came:
		case <-tick.C:
		}
	}
}

type folder struct {
	w      *Watcher
	course string
	cfg    rag.WatchConfig
	as     auth.Actor
	logger *slog.Logger
}

// look takes the folder in if it is not as it was the last time.
func (f *folder) look(ctx context.Context, due bool) error {
	known, held, err := f.hold(ctx)
	if err != nil || !held {
		return err
	}
	problem := ""
	if f.cfg.Pull && due {
		if err := pull(ctx, f.cfg.Folder); err != nil {
			problem = err.Error()
			f.logger.Warn("the repository can't be pulled; what is there is watched", "error", err)
		}
	}
	seen, err := f.settled(ctx)
	if err != nil {
		return f.note(ctx, known, err)
	}
	if seen == known {
		return f.tell(ctx, known, problem)
	}
	files, problems, err := rag.ReadFS(os.DirFS(f.cfg.Folder))
	if err != nil {
		return f.note(ctx, known, err)
	}
	if len(files) == 0 {
		// A folder that isn't mounted looks like this, too.
		return f.note(ctx, known, fmt.Errorf("%s holds no file that can be read, so nothing is changed; use `tracker rag ingest --prune` to empty a course", filepath.Clean(f.cfg.Folder)))
	}
	report, err := f.w.to.Ingest(ctx, postgres.As(f.as), f.course, files, true, func(rag.Progress) { _, _, _ = f.hold(ctx) })
	if err != nil {
		return f.note(ctx, known, err)
	}
	all := append(problems, report.Problems...)
	f.logger.Info("course material was taken in", "added", report.Added, "changed", report.Changed, "removed", report.Removed,
		"unchanged", report.Unchanged, "problems", len(all), "cycles", len(report.Cycles))
	if f.w.Told != nil {
		f.w.Told(f.course, report, problems)
	}
	return f.tell(ctx, seen, problem)
}

func (f *folder) hold(ctx context.Context) (string, bool, error) {
	return store.HoldWatch(ctx, f.w.db.As(f.as), f.course, f.w.holder, lease)
}

// note keeps what went wrong where operators find it.
func (f *folder) note(ctx context.Context, fingerprint string, problem error) error {
	if err := f.tell(ctx, fingerprint, problem.Error()); err != nil {
		return err
	}
	return problem
}

func (f *folder) tell(ctx context.Context, fingerprint, problem string) error {
	return store.RanWatch(ctx, f.w.db.As(f.as), f.course, f.w.holder, fingerprint, problem)
}

// settled is the folder's fingerprint once it stays the same for a moment.
func (f *folder) settled(ctx context.Context) (string, error) {
	seen, err := Fingerprint(f.cfg.Folder)
	for err == nil {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(calm):
		}
		var again string
		if again, err = Fingerprint(f.cfg.Folder); again == seen {
			break
		}
		seen = again
	}
	return seen, err
}
