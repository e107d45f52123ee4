// Package goalsfx wires the goals module.
package goalsfx

import (
	"context"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/rpc"
	"github.com/goals-tracker/tracker/modules/goals/internal/service"
)

// Module provides goals.Service and its Connect service. Who may use a course
// is asked of the academy; where none is provided every course is open.
var Module = fx.Module("goals",
	fx.Provide(newService),
	fx.Provide(fx.Annotate(newRPC, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(fx.Annotate(onCourses, fx.ResultTags(`group:"academy.reactions"`))),
	fx.Invoke(registerFolds),
)

type params struct {
	fx.In
	DB      *postgres.DB
	Log     *events.Log
	Academy academy.Service `optional:"true"`
}

func newService(p params) goals.Service {
	if p.Academy == nil {
		return service.New(p.DB, p.Log, nil)
	}
	return service.New(p.DB, p.Log, p.Academy)
}

// marks is how many goals of a deleted course are marked in one unit of work.
const marks = 100

// onCourses marks the goals of courses that the academy deletes.
func onCourses(s goals.Service) academy.Reaction {
	return academy.Reaction{Name: "goals", Types: []string{academy.CourseDeleted},
		Work: func(ctx context.Context, tx *postgres.Tx, change academy.Change) (bool, error) {
			marked, err := s.MarkCourseDeletedTx(ctx, tx, change.CourseID, marks)
			return marked > 0, err
		}}
}

func newRPC(db *postgres.DB, s goals.Service) corerpc.Service { return rpc.New(db, s).Service() }

func registerFolds(log *events.Log) {
	log.Fold(service.Fold{})
	log.Fold(service.ProgressFold{})
}
