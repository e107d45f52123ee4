package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/chunk"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// A unit of work takes about this much of a long ingest.
const (
	batchFiles = 200
	batchBytes = 8 << 20
	pdfCost    = 15
)

// Ingest implements rag.Service.
func (s *Service) Ingest(ctx context.Context, call postgres.Call, courseID string, files []rag.File, prune bool, progress func(rag.Progress)) (rag.Report, error) {
	// Each unit of work is safe to repeat by itself; a key would let only the
	// first one through.
	call.Key, call.Hash = "", nil
	var total rag.Report
	if len(files) > s.cfg.MaxFiles {
		return total, rag.ErrTooMany.New(s.cfg.MaxFiles, len(files))
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b rag.File) int { return strings.Compare(a.Path, b.Path) })
	done := 0
	for _, batch := range batches(files) {
		var report rag.Report
		err := s.db.InTx(ctx, call, func(ctx context.Context, tx *postgres.Tx) (err error) {
			report, err = s.ingest(ctx, tx, courseID, batch, part{})
			return err
		})
		if err != nil {
			return total, err
		}
		total = sum(total, report)
		if done += len(batch); progress != nil {
			progress(rag.Progress{Done: done, Total: len(files)})
		}
	}
	last := part{last: true}
	if prune {
		last.keep = paths(files)
	}
	var report rag.Report
	err := s.db.InTx(ctx, call, func(ctx context.Context, tx *postgres.Tx) (err error) {
		report, err = s.ingest(ctx, tx, courseID, nil, last)
		return err
	})
	return sum(total, report), err
}

// IngestTx implements rag.Service.
func (s *Service) IngestTx(ctx context.Context, tx *postgres.Tx, courseID string, files []rag.File, prune bool) (rag.Report, error) {
	all := part{last: true}
	if prune {
		all.keep = paths(files)
	}
	return s.ingest(ctx, tx, courseID, files, all)
}

func paths(files []rag.File) map[string]bool {
	all := make(map[string]bool, len(files))
	for _, f := range files {
		if clean, err := cleanPath(f.Path); err == nil {
			all[clean] = true
		}
	}
	return all
}

// batches cuts files that are sorted by path, an exercise's staying together.
func batches(files []rag.File) [][]rag.File {
	var all [][]rag.File
	start, size := 0, 0
	for i, f := range files {
		if i > start && (i-start >= batchFiles || size+len(f.Content) > batchBytes) {
			here, _ := exerciseOf(f.Path)
			before, inside := exerciseOf(files[i-1].Path)
			if !inside || here.folder != before.folder {
				all = append(all, files[start:i])
				start, size = i, 0
			}
		}
		if size += len(f.Content); strings.EqualFold(path.Ext(f.Path), ".pdf") {
			size += pdfCost * len(f.Content) // slow to read, and others wait meanwhile
		}
	}
	if start < len(files) {
		all = append(all, files[start:])
	}
	return all
}

func sum(a, b rag.Report) rag.Report {
	return rag.Report{Added: a.Added + b.Added, Changed: a.Changed + b.Changed, Unchanged: a.Unchanged + b.Unchanged,
		Removed: a.Removed + b.Removed, Chunks: a.Chunks + b.Chunks, Problems: append(a.Problems, b.Problems...),
		Concepts: a.Concepts + b.Concepts, Cycles: append(a.Cycles, b.Cycles...)}
}

// ingestion is one unit of work of an ingest.
type ingestion struct {
	s          *Service
	tx         *postgres.Tx
	courseID   string
	collection int32
	now        time.Time
	states     map[string]store.State
	exercises  map[string]rag.Exercise
	// documents and sides are the files that can be taken: those to be indexed
	// if they changed, and those of exercises that are kept beside the index.
	documents []prepared
	sides     []sideFile
	report    rag.Report
}

// part says which part of an ingest a unit of work is.
type part struct {
	// last is set for what comes when all files are there: the concept graph, and
	// with keep that what isn't in it leaves.
	last bool
	keep map[string]bool
}

// there refuses a course that the academy has deleted. It is looked for behind the
// collection's lock, so that what is taken in either comes before the deletion, and
// goes with it, or not at all.
func (s *Service) there(ctx context.Context, tx *postgres.Tx, editor auth.Actor, courseID string) error {
	if s.deleted == nil {
		return nil
	}
	tx.Become(auth.System("rag"))
	defer tx.Become(editor)
	deleted, err := s.deleted(ctx, tx, courseID)
	if err == nil && deleted {
		err = academy.ErrCourseNotFound.New(courseID)
	}
	return err
}

// ingest takes files.
func (s *Service) ingest(ctx context.Context, tx *postgres.Tx, courseID string, files []rag.File, as part) (rag.Report, error) {
	editor, err := s.editor(ctx, tx.Actor(), courseID)
	if err != nil {
		return rag.Report{}, err
	}
	tx.Become(editor)
	in := &ingestion{s: s, tx: tx, courseID: courseID, now: s.now().UTC().Truncate(time.Microsecond)}
	if in.collection, err = store.Lock(ctx, tx, courseID); err != nil {
		return in.report, err
	}
	if err := s.there(ctx, tx, editor, courseID); err != nil {
		return in.report, err
	}
	if in.states, err = store.States(ctx, tx, in.collection); err != nil {
		return in.report, err
	}
	list, err := store.Exercises(ctx, tx, editor, courseID)
	if err != nil {
		return in.report, err
	}
	in.exercises = make(map[string]rag.Exercise, len(list))
	for _, x := range list {
		in.exercises[x.Path] = x
	}
	if err := in.sort(ctx, files); err != nil {
		return in.report, err
	}
	if all := len(in.states) + in.report.Added; all > s.cfg.MaxFiles {
		return in.report, rag.ErrTooMany.New(s.cfg.MaxFiles, all)
	}
	if err := in.write(ctx, tx); err != nil {
		return in.report, err
	}
	if as.keep != nil {
		if err := in.prune(ctx, tx, as.keep); err != nil {
			return in.report, err
		}
	}
	if as.last {
		g, problems, err := relate(ctx, tx, in.collection, courseID, in.now)
		if err != nil {
			return in.report, err
		}
		in.report.Concepts, in.report.Cycles = len(g.Concepts), g.Cycles
		in.report.Problems = append(in.report.Problems, problems...)
	}
	return in.report, store.SweepTerms(ctx, tx, in.collection)
}

func (in *ingestion) problem(path, reason string) {
	in.report.Problems = append(in.report.Problems, rag.Problem{Path: strings.ToValidUTF8(path, "\uFFFD"), Reason: reason})
}

// sort looks at each file and decides what is to be done with it.
func (in *ingestion) sort(ctx context.Context, files []rag.File) error {
	seen := map[string]bool{}
	for _, f := range files {
		path, err := cleanPath(f.Path)
		switch {
		case err != nil:
			in.problem(f.Path, err.Error())
		case seen[path]:
			in.problem(path, "the path was sent twice; the first file was taken")
		case len(f.Content) > in.s.cfg.MaxFileBytes:
			in.problem(path, tooLarge(len(f.Content), in.s.cfg.MaxFileBytes))
		default:
			seen[path] = true
			if err := in.take(ctx, path, f.Content); err != nil {
				return err
			}
		}
	}
	settle(in.documents, in.states)
	return nil
}

// take decides about one file.
func (in *ingestion) take(ctx context.Context, path string, content []byte) error {
	at, inExercise := exerciseOf(path)
	if inExercise && at.role != "" {
		if reason := notText(content); reason != "" {
			in.problem(path, reason)
			return nil
		}
		in.sides = append(in.sides, sideFile{place: at, path: path, content: string(content)})
	}
	if at.hidden() {
		return in.withdraw(ctx, path)
	}
	if strayed(path) {
		in.problem(path, "solutions and tests are never indexed; keep this one in exercises/<name>/solution/ or tests/ to have it used")
		return in.withdraw(ctx, path)
	}
	digest := sha256.Sum256(content)
	state, known := in.states[path]
	missing := at.statement && in.exercises[at.folder].ID == ""
	if known && !missing && state.Pipeline == in.s.pipeline() && bytes.Equal(state.Digest, digest[:]) {
		in.report.Unchanged++
		return nil
	}
	if kind, _, _ := chunk.KindOf(path); kind == rag.PDF {
		// It may take long, and the server ends units of work that seem asleep.
		if err := store.Touch(ctx, in.tx); err != nil {
			return err
		}
	}
	doc, err := chunk.Cut(ctx, path, string(content), at.statement)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		in.problem(path, err.Error())
		return nil
	}
	if known {
		in.report.Changed++
	} else {
		in.report.Added++
	}
	in.report.Chunks += len(doc.Chunks)
	in.documents = append(in.documents, prepared{Document: doc, path: path, content: doc.Content, digest: digest[:]})
	return nil
}

// write stores the documents that changed, then the exercises.
func (in *ingestion) write(ctx context.Context, tx *postgres.Tx) error {
	if len(in.documents) > 0 {
		if err := in.writeDocuments(ctx, tx); err != nil {
			return err
		}
	}
	return in.writeExercises(ctx, tx)
}

func (in *ingestion) writeDocuments(ctx context.Context, tx *postgres.Tx) error {
	rows := make([]store.Row, len(in.documents))
	var replaced []string
	for i := range in.documents {
		d := &in.documents[i]
		state, known := in.states[d.path]
		if known {
			replaced = append(replaced, state.ID)
		} else {
			state.ID = newID()
		}
		rows[i] = d.row(state.ID, in.s.pipeline())
		in.states[d.path] = store.State{ID: state.ID, Path: d.path, Kind: d.Kind, Language: rows[i].Language, Digest: d.digest, Pipeline: in.s.pipeline()}
	}
	if err := store.PutDocuments(ctx, tx, in.collection, rows, in.now); err != nil {
		return err
	}
	known := map[string][]store.Known{}
	if len(replaced) > 0 {
		list, err := store.ChunksOf(ctx, tx, replaced)
		if err != nil {
			return err
		}
		for _, k := range list {
			known[k.DocumentID] = append(known[k.DocumentID], k)
		}
	}
	var c changes
	for i := range in.documents {
		c.compare(in.documents[i].chunks(rows[i].ID, in.s.pipeline(), in.s.cfg.HeadingWeight), known[rows[i].ID], newID)
	}
	if err := store.DropChunks(ctx, tx, c.drop); err != nil {
		return err
	}
	if err := store.MoveChunks(ctx, tx, c.move); err != nil {
		return err
	}
	if len(c.add) > 0 && in.s.tickets != nil {
		in.s.tickets.Issue(tx)
	}
	return store.AddChunks(ctx, tx, in.collection, c.add)
}

// prune drops what is not among the files.
func (in *ingestion) prune(ctx context.Context, tx *postgres.Tx, keep map[string]bool) error {
	var gone []string
	for path, state := range in.states {
		if !keep[path] {
			gone = append(gone, state.ID)
		}
	}
	in.report.Removed += len(gone)
	if err := in.pruneExercises(ctx, tx, keep); err != nil || len(gone) == 0 {
		return err
	}
	slices.Sort(gone)
	return store.DropDocuments(ctx, tx, gone)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
