package rpc

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/convert"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

type request = tasksv1.UpdateTaskRequest

// fields are what a patch may name; each takes its value from the request,
// where an absent one is the zero value and clears.
var fields = map[string]func(*tasks.Patch, *request) error{
	"title":           func(p *tasks.Patch, r *request) error { return put(&p.Title, r.GetTitle()) },
	"description":     func(p *tasks.Patch, r *request) error { return put(&p.Description, r.GetDescription()) },
	"type":            func(p *tasks.Patch, r *request) error { return put(&p.Type, convert.Type(r.GetType())) },
	"position":        func(p *tasks.Patch, r *request) error { return put(&p.Position, int(r.GetPosition())) },
	"estimated_hours": func(p *tasks.Patch, r *request) error { return put(&p.EstimatedHours, r.EstimatedHours) },
	"actual_hours":    func(p *tasks.Patch, r *request) error { return put(&p.ActualHours, r.ActualHours) },
	"depends_on":      func(p *tasks.Patch, r *request) error { return put(&p.DependsOn, r.GetDependsOn()) },
	"concepts":        func(p *tasks.Patch, r *request) error { return put(&p.Concepts, r.GetConcepts()) },
	"language":        func(p *tasks.Patch, r *request) error { return put(&p.Language, r.GetLanguage()) },
	"validation": func(p *tasks.Patch, r *request) error {
		v, err := validationOf(r.GetValidation())
		p.Validation = &v
		return err
	},
	"metadata": func(p *tasks.Patch, r *request) error {
		metadata, err := goals.ParseMetadata("metadata", r.GetMetadata())
		p.Metadata = &metadata
		return err
	},
}

func put[T any](to **T, value T) error { *to = &value; return nil }

// patchOf reads what a request changes: what its mask names, or without a mask
// what is present.
func patchOf(req *request) (p tasks.Patch, err error) {
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

// validationOf reads how to judge; its options are looked at as metadata is.
func validationOf(v *tasksv1.TaskValidation) (*tasks.Validation, error) {
	read := convert.Validation(v)
	if read == nil {
		return nil, nil
	}
	var err error
	read.Options, err = goals.ParseMetadata("validation.options", v.GetOptions())
	return read, err
}
