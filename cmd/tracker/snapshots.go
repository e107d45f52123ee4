package main

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/validation"
)

// snapshots gives the index of course material what learners submitted: neither
// module knows the other.
type snapshots struct{ validation validation.Service }

func newSnapshots(v validation.Service) rag.Snapshots { return snapshots{v} }

// Files implements rag.Snapshots.
func (s snapshots) Files(ctx context.Context, id string) ([]rag.File, error) {
	found, err := s.validation.Snapshot(ctx, auth.System("index"), id)
	if validation.ErrSnapshotNotFound.Is(err) {
		return nil, nil
	}
	files := make([]rag.File, len(found.Files))
	for i, f := range found.Files {
		files[i] = rag.File{Path: f.Path, Content: []byte(f.Content)}
	}
	return files, err
}
