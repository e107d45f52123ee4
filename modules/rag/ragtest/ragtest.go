// Package ragtest gives tests of other modules the real course material, on the
// test's database.
package ragtest

import (
	"context"
	"io/fs"
	"testing"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/ragfx"
)

// Members says which courses people have joined, by user id.
type Members map[string][]string

// members answers as an academy that knows no more than that.
type members struct {
	academy.Service
	joined Members
}

// Courses implements academy.Service.
func (m members) Courses(_ context.Context, userID string) (list []academy.Membership, err error) {
	for _, id := range m.joined[userID] {
		list = append(list, academy.Membership{ID: id, Role: "student"})
	}
	return list, nil
}

// New is the service as ragfx wires it.
func New(db *postgres.DB, joined Members) rag.Service {
	return ragfx.NewService(db, members{joined: joined}, rag.DefaultConfig())
}

// Ingest puts a folder of material into a course, and takes out what is not in
// it.
func Ingest(t testing.TB, s rag.Service, courseID string, folder fs.FS) rag.Report {
	t.Helper()
	files, problems, err := rag.ReadFS(folder)
	if err != nil || len(problems) > 0 {
		t.Fatalf("read material of %s: %v, %v", courseID, problems, err)
	}
	report, err := s.Ingest(t.Context(), postgres.As(auth.System("test")), courseID, files, true, nil)
	if err != nil || len(report.Problems) > 0 {
		t.Fatalf("ingest %s: %v, %v", courseID, report.Problems, err)
	}
	return report
}
