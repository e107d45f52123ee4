package service

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// sideFile is a file that an exercise keeps: its starter, solution or tests.
type sideFile struct {
	place
	path, content string
}

func tooLarge(size, most int) string {
	return fmt.Sprintf("it has %d bytes and a file may have %d; split it", size, most)
}

func notText(content []byte) string {
	if !utf8.Valid(content) || slices.Contains(content, 0) {
		return "it is not UTF-8 text; save it as UTF-8"
	}
	return ""
}

// strayed reports whether a file outside an exercise's folder calls itself a
// solution, or lies beside the exercises' folders and calls itself a test.
func strayed(file string) bool {
	folders := strings.Split(strings.ToLower(path.Dir(file)), "/")
	for _, folder := range folders {
		if roleFolders[folder] == rag.Solution {
			return true
		}
	}
	if _, inside := exerciseOf(file); inside {
		return false
	}
	if last := folders[len(folders)-1]; last == "exercises" || last == "ejercicios" {
		return roleOfName(path.Base(file)) != ""
	}
	return solutionName.MatchString(path.Base(file))
}

// solutionName is what can only be a solution's name; lessons may be on answers
// and on how to find solutions.
var solutionName = regexp.MustCompile(`(?i)^(?:(?:.*[_\-. ])?(?:solutions?|soluci[oó]n(?:es)?)|answers|answer[_\- ]key|respuestas)\.[^.]+$`)

// withdraw takes a document out of the index that was readable and no longer is.
func (in *ingestion) withdraw(ctx context.Context, path string) error {
	state, known := in.states[path]
	if !known {
		return nil
	}
	delete(in.states, path)
	in.report.Removed++
	return store.DropDocuments(ctx, in.tx, []string{state.ID})
}

// writeExercises stores the exercises whose statement or files changed.
func (in *ingestion) writeExercises(ctx context.Context, tx *postgres.Tx) error {
	touched := map[string]bool{}
	for i := range in.documents {
		d := &in.documents[i]
		if at, ok := exerciseOf(d.path); ok && at.statement {
			in.stated(d, at)
			touched[at.folder] = true
		}
	}
	for _, side := range in.sides {
		x, ok := in.exercises[side.folder]
		if !ok {
			if side.hidden() {
				in.problem(side.path, "its exercise has no exercise.md; send "+side.folder+"/exercise.md with it")
			}
			continue
		}
		if in.keepSide(&x, side) {
			in.exercises[side.folder] = x
			touched[side.folder] = true
		}
	}
	for _, folder := range sorted(touched) {
		if err := store.PutExercise(ctx, tx, in.collection, in.exercises[folder], in.now); err != nil {
			return err
		}
	}
	return nil
}

// stated takes over what a statement says of its exercise.
func (in *ingestion) stated(d *prepared, at place) {
	x, ok := in.exercises[at.folder]
	if !ok {
		x = rag.Exercise{ID: newID(), CourseID: in.courseID, Path: at.folder, Slug: path.Base(at.folder)}
	}
	x.DocumentID, x.Title, x.Language, x.Meta = in.states[d.path].ID, d.Title, d.Program, d.Meta
	x.Concepts, x.Difficulty, x.EstimatedHours = d.Meta.Concepts, d.Meta.Difficulty, d.Meta.EstimatedHours
	in.exercises[at.folder] = x
}

// keepSide puts a file into its exercise; it reports whether that changed anything.
func (in *ingestion) keepSide(x *rag.Exercise, side sideFile) bool {
	file := rag.ExerciseFile{Role: side.role, Path: side.path, Name: side.name, Content: side.content}
	at := slices.IndexFunc(x.Files, func(f rag.ExerciseFile) bool { return f.Path == side.path })
	same := at >= 0 && x.Files[at] == file
	if side.hidden() { // starters are counted as documents
		switch {
		case same:
			in.report.Unchanged++
		case at >= 0:
			in.report.Changed++
		default:
			in.report.Added++
		}
	}
	if same {
		return false
	}
	files := slices.Clone(x.Files)
	if at >= 0 {
		files[at] = file
	} else {
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b rag.ExerciseFile) int { return strings.Compare(a.Path, b.Path) })
	x.Files = files
	return true
}

// pruneExercises takes files that are gone out of exercises that stay; an
// exercise whose statement is gone goes with it.
func (in *ingestion) pruneExercises(ctx context.Context, tx *postgres.Tx, keep map[string]bool) error {
	for _, x := range in.exercises {
		var kept []rag.ExerciseFile
		for _, f := range x.Files {
			if keep[f.Path] {
				kept = append(kept, f)
			} else if f.Role != rag.Starter {
				in.report.Removed++
			}
		}
		if len(kept) == len(x.Files) {
			continue
		}
		x.Files = kept
		if err := store.PutExercise(ctx, tx, in.collection, x, in.now); err != nil {
			return err
		}
	}
	return nil
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}
