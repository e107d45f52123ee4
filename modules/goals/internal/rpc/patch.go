package rpc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/convert"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// mutate runs a mutation that answers with the goal.
func (h *Handler) mutate(ctx context.Context, req proto.Message, do func(context.Context, *postgres.Tx) (goals.Goal, error)) (*goalsv1.Goal, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*goalsv1.Goal, error) {
		g, err := do(ctx, tx)
		if err != nil {
			return nil, err
		}
		return convert.Goal(g), nil
	})
}

// fields are what a patch may name; each takes its value from the request,
// where an absent one is the zero value and clears.
var fields = map[string]func(*goals.Patch, *goalsv1.UpdateGoalRequest) error{
	"title": func(p *goals.Patch, r *goalsv1.UpdateGoalRequest) error { return put(&p.Title, r.GetTitle()) },
	"description": func(p *goals.Patch, r *goalsv1.UpdateGoalRequest) error {
		return put(&p.Description, r.GetDescription())
	},
	"course_id": func(p *goals.Patch, r *goalsv1.UpdateGoalRequest) error { return put(&p.CourseID, r.GetCourseId()) },
	"priority": func(p *goals.Patch, r *goalsv1.UpdateGoalRequest) error {
		return put(&p.Priority, convert.Priority(r.GetPriority()))
	},
	"validation_criteria": func(p *goals.Patch, r *goalsv1.UpdateGoalRequest) error {
		return put(&p.Criteria, r.GetValidationCriteria())
	},
	"metadata": func(p *goals.Patch, r *goalsv1.UpdateGoalRequest) error {
		metadata, err := goals.ParseMetadata("metadata", r.GetMetadata())
		p.Metadata = &metadata
		return err
	},
	"due_at": func(p *goals.Patch, r *goalsv1.UpdateGoalRequest) error {
		return put(&p.DueAt, convert.Time(r.GetDueAt()))
	},
}

func put[T any](to **T, value T) error { *to = &value; return nil }

// patchOf reads what a request changes: what its mask names, or without a mask
// what is present.
func patchOf(req *goalsv1.UpdateGoalRequest) (p goals.Patch, err error) {
	paths := req.GetUpdateMask().GetPaths()
	if len(paths) == 0 {
		message := req.ProtoReflect()
		for name := range fields {
			if message.Has(message.Descriptor().Fields().ByName(protoreflect.Name(name))) {
				paths = append(paths, name)
			}
		}
	}
	for _, path := range paths {
		field, known := fields[path]
		if !known {
			all := strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
			return p, wire.FieldError("update_mask",
				fmt.Sprintf("names %.100q, which can't be changed; it may name %s", path, all),
				fmt.Sprintf("nombra %.100q, que no se puede cambiar; puede nombrar %s", path, all))
		}
		if err := field(&p, req); err != nil {
			return p, err
		}
	}
	return p, nil
}
