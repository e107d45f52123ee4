package service

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/chunk"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// Own is a document of a learner's own.
type Own struct {
	Path, Title, Content string
	// About says what it is of: goal_id, task_id, course_id, snapshot_id.
	About map[string]any
}

// Snapshots of a task stand below this.
const snapshots = "snapshots/"

// PutOwn writes documents into what a learner has of their own; with a prefix,
// other documents of the task below it go.
func (s *Service) PutOwn(ctx context.Context, tx *postgres.Tx, userID string, docs []Own, taskID, prefix string) error {
	return s.put(ctx, tx, "", userID, docs, taskID, prefix)
}

// HasTask reports whether a task of a learner is there: what comes late of one
// that was deleted is not kept.
func (s *Service) HasTask(ctx context.Context, tx *postgres.Tx, userID, taskID string) (bool, error) {
	list, err := store.OwnOf(ctx, tx, userID, "task_id", taskID)
	return len(list) > 0, err
}

// put writes documents into a learner's collection: their own, or what they
// have for a course to read.
func (s *Service) put(ctx context.Context, tx *postgres.Tx, courseID, userID string, docs []Own, taskID, prefix string) error {
	collection, err := store.LockOwn(ctx, tx, courseID, userID)
	if err != nil {
		return err
	}
	in := &ingestion{s: s, tx: tx, collection: collection, now: s.now().UTC().Truncate(time.Microsecond)}
	paths := make([]string, len(docs))
	for i, d := range docs {
		paths[i] = d.Path
	}
	task := ""
	if prefix != "" {
		task = taskID
	}
	if in.states, err = store.OwnStates(ctx, tx, collection, paths, task, prefix); err != nil {
		return err
	}
	var gone []string
	for at, state := range in.states {
		if !slices.Contains(paths, at) {
			gone = append(gone, state.ID)
		}
	}
	for _, d := range docs {
		if err := in.own(ctx, d); err != nil {
			return err
		}
	}
	settle(in.documents, in.states)
	if len(in.documents) > 0 {
		if err := in.writeDocuments(ctx, tx); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		if err := store.DropDocuments(ctx, tx, gone); err != nil {
			return err
		}
	}
	return store.SweepTerms(ctx, tx, collection)
}

// own cuts a learner's document if it changed. What can't be read is left out:
// nobody waits for it.
func (in *ingestion) own(ctx context.Context, d Own) error {
	about, err := json.Marshal(d.About)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(d.Title + "\x00" + string(about) + "\x00" + d.Content))
	if state, known := in.states[d.Path]; known && state.Pipeline == in.s.pipeline() && string(state.Digest) == string(digest[:]) {
		return nil
	}
	if kind, _, ok := chunk.KindOf(d.Path); !ok || kind == rag.PDF || kind == rag.HTML || len(d.Content) > in.s.cfg.MaxFileBytes {
		return nil
	}
	doc, err := chunk.Cut(ctx, d.Path, d.Content, false)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if d.Title != "" {
		doc.Title = d.Title
	}
	doc.Meta = rag.Meta{Extra: d.About}
	in.documents = append(in.documents, prepared{Document: doc, path: d.Path, content: doc.Content, digest: digest[:]})
	return nil
}

// PutSnapshot makes code that passed the newest of its task, for the learner
// and, where the course's policy says so, for its course.
func (s *Service) PutSnapshot(ctx context.Context, tx *postgres.Tx, userID, courseID, taskID, snapshotID string, files []rag.File) error {
	docs := make([]Own, 0, len(files))
	for _, f := range files {
		if clean, err := cleanPath(f.Path); err == nil && notText(f.Content) == "" && strings.TrimSpace(string(f.Content)) != "" {
			docs = append(docs, Own{Path: snapshots + taskID + "/" + clean, Content: string(f.Content),
				About: map[string]any{"task_id": taskID, "snapshot_id": snapshotID, "course_id": courseID}})
		}
	}
	if err := s.PutOwn(ctx, tx, userID, docs, taskID, snapshots); err != nil {
		return err
	}
	return s.share(ctx, tx, userID, taskID)
}

// Revoke takes a snapshot out that doesn't hold any more.
func (s *Service) Revoke(ctx context.Context, tx *postgres.Tx, userID, taskID, snapshotID string) error {
	files, err := store.OwnFiles(ctx, tx, userID, taskID)
	if err != nil || len(files) == 0 || files[0].Meta.Extra["snapshot_id"] != snapshotID {
		return err
	}
	return s.PutSnapshot(ctx, tx, userID, "", taskID, "", nil)
}

// Move tells of the course that a task is now of.
func (s *Service) Move(ctx context.Context, tx *postgres.Tx, userID, courseID, taskID string) error {
	files, err := store.OwnFiles(ctx, tx, userID, taskID)
	if err != nil || len(files) == 0 || files[0].Meta.Extra["course_id"] == courseID {
		return err
	}
	snapshotID, _ := files[0].Meta.Extra["snapshot_id"].(string)
	list := make([]rag.File, len(files))
	for i, f := range files {
		list[i] = rag.File{Path: strings.TrimPrefix(f.Path, snapshots+taskID+"/"), Content: []byte(f.Content)}
	}
	return s.PutSnapshot(ctx, tx, userID, courseID, taskID, snapshotID, list)
}

// Forget takes out what a learner has of a goal or task; kind is "goal_id" or
// "task_id".
func (s *Service) Forget(ctx context.Context, tx *postgres.Tx, userID, kind, id string) error {
	return s.forget(ctx, tx, userID, kind, id, func(store.OwnDocument) bool { return true })
}

func (s *Service) forget(ctx context.Context, tx *postgres.Tx, userID, kind, id string, which func(store.OwnDocument) bool) error {
	list, err := store.OwnOf(ctx, tx, userID, kind, id)
	if err != nil {
		return err
	}
	collections := map[int32][]string{}
	for _, d := range list {
		if which(d) {
			collections[d.Collection] = append(collections[d.Collection], d.ID)
		}
	}
	for _, d := range list {
		ids := collections[d.Collection]
		if len(ids) == 0 {
			continue
		}
		delete(collections, d.Collection)
		if _, err := store.LockOwn(ctx, tx, d.CourseID, userID); err != nil {
			return err
		}
		if err := store.DropDocuments(ctx, tx, ids); err != nil {
			return err
		}
		if err := store.SweepTerms(ctx, tx, d.Collection); err != nil {
			return err
		}
	}
	return nil
}

// share makes the copy of a task's validated code for its course as the
// course's policy says; copies for another course go.
func (s *Service) share(ctx context.Context, tx *postgres.Tx, userID, taskID string) error {
	files, err := store.OwnFiles(ctx, tx, userID, taskID)
	if err != nil {
		return err
	}
	courseID := ""
	if len(files) > 0 {
		courseID, _ = files[0].Meta.Extra["course_id"].(string)
	}
	stale := func(d store.OwnDocument) bool { return d.CourseID != "" && d.CourseID != courseID }
	if err := s.forget(ctx, tx, userID, "task_id", taskID, stale); err != nil || courseID == "" {
		return err
	}
	if err := store.LockPolicy(ctx, tx, courseID); err != nil {
		return err
	}
	policy, err := store.Policy(ctx, tx, tx.Actor(), courseID)
	if err != nil || !policy.PeerSnapshots {
		return err
	}
	own, err := s.ownKey(userID)
	if err != nil {
		return err
	}
	folder := "peers/" + s.pseudonym(own, courseID, userID) + "/" + s.pseudonym(own, courseID, taskID) + "/"
	docs := make([]Own, len(files))
	for i, f := range files {
		docs[i] = Own{Path: folder + strings.TrimPrefix(f.Path, snapshots+taskID+"/"), Title: path.Base(f.Path),
			Content: unnamed(f.Content), About: map[string]any{"task_id": taskID}}
	}
	return s.put(ctx, tx, courseID, userID, docs, taskID, "peers/")
}

// ownKey is a person's own key; none where people have none.
func (s *Service) ownKey(userID string) ([]byte, error) {
	if s.keys == nil {
		return nil, nil
	}
	return s.keys.Key(userID)
}

// pseudonym names somebody or something within a course: the same for as long
// as both keys live, another in another course, nobody's without one of them.
func (s *Service) pseudonym(own []byte, courseID, id string) string {
	mac := hmac.New(sha256.New, slices.Concat(s.key, own))
	mac.Write([]byte(courseID + "\x00" + id))
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:5]))
}

var (
	mail   = regexp.MustCompile(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`)
	signed = regexp.MustCompile(`(?im)^(\s*(?:#|//|--|/?\*+|<!--|"""|''').*?\b(?:author|autora?|written by|made by|hecho por|escrito por|name|nombre|student|alumn[oa]|estudiante|copyright)\b\s*[:=©]?).*$`)
)

// unnamed takes out of code by what its author may have signed it: addresses,
// and comments that name somebody.
func unnamed(code string) string {
	return signed.ReplaceAllString(mail.ReplaceAllString(code, "…"), "$1 …")
}
