// Package rpc serves tracker.validation.v1.ValidationService: it converts and
// calls the service, which decides.
package rpc

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/convert"
	"github.com/goals-tracker/tracker/modules/validation/report"
	validationv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1/validationv1connect"
)

// Handler implements validationv1connect.ValidationServiceHandler.
type Handler struct {
	db         *postgres.DB
	validation validation.Service
}

// New makes the handler.
func New(db *postgres.DB, service validation.Service) *Handler {
	return &Handler{db: db, validation: service}
}

var _ validationv1connect.ValidationServiceHandler = (*Handler)(nil)

// Service is the handler as the server mounts it.
func Service(db *postgres.DB, service validation.Service) corerpc.Service {
	return corerpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return validationv1connect.NewValidationServiceHandler(New(db, service), opts...)
	}}
}

// SubmitSnapshot implements the handler.
func (h *Handler) SubmitSnapshot(ctx context.Context, req *validationv1.SubmitSnapshotRequest) (*validationv1.Snapshot, error) {
	h.validation.Ready(ctx)
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*validationv1.Snapshot, error) {
		s, err := h.validation.SubmitTx(ctx, tx, convert.Submission(req))
		if err != nil {
			return nil, err
		}
		return convert.Snapshot(s), nil
	})
}

// ListSnapshots implements the handler.
func (h *Handler) ListSnapshots(ctx context.Context, req *validationv1.ListSnapshotsRequest) (*validationv1.ListSnapshotsResponse, error) {
	page, err := h.validation.Snapshots(ctx, corerpc.Actor(ctx), validation.Query{
		TaskID: req.GetTaskId(), Size: int(req.GetPageSize()), Token: req.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	answer := &validationv1.ListSnapshotsResponse{NextPageToken: page.Next}
	for _, s := range page.Snapshots {
		answer.Snapshots = append(answer.Snapshots, convert.Snapshot(s))
	}
	return answer, nil
}

// GetSnapshot implements the handler.
func (h *Handler) GetSnapshot(ctx context.Context, req *validationv1.GetSnapshotRequest) (*validationv1.Snapshot, error) {
	s, err := h.validation.Snapshot(ctx, corerpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return convert.Snapshot(s), nil
}

// GetRun implements the handler.
func (h *Handler) GetRun(ctx context.Context, req *validationv1.GetRunRequest) (*validationv1.Run, error) {
	r, err := h.validation.Run(ctx, corerpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return convert.Run(r), nil
}

var formats = map[validationv1.ReportFormat]struct {
	name      report.Format
	mediaType string
}{
	validationv1.ReportFormat_REPORT_FORMAT_TEXT:  {report.Text, "text/plain; charset=utf-8"},
	validationv1.ReportFormat_REPORT_FORMAT_JSON:  {report.JSON, "application/json"},
	validationv1.ReportFormat_REPORT_FORMAT_SARIF: {report.SARIF, "application/sarif+json"},
	validationv1.ReportFormat_REPORT_FORMAT_JUNIT: {report.JUnit, "application/xml"},
}

// GetRunReport implements the handler.
func (h *Handler) GetRunReport(ctx context.Context, req *validationv1.GetRunReportRequest) (*validationv1.RunReport, error) {
	r, err := h.validation.Report(ctx, corerpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	format := req.GetFormat()
	if format == validationv1.ReportFormat_REPORT_FORMAT_UNSPECIFIED {
		format = validationv1.ReportFormat_REPORT_FORMAT_JSON
	}
	var content strings.Builder
	if err := report.Write(&content, formats[format].name, r, report.Options{Language: req.GetLanguage(), Took: r.Timings.Total()}); err != nil {
		return nil, fmt.Errorf("write report of run %s: %w", req.GetId(), err)
	}
	return &validationv1.RunReport{RunId: req.GetId(), Format: format, MediaType: formats[format].mediaType, Content: content.String()}, nil
}

// GetCoursePolicy implements the handler.
func (h *Handler) GetCoursePolicy(ctx context.Context, req *validationv1.GetCoursePolicyRequest) (*validationv1.CoursePolicy, error) {
	j, err := h.validation.Judging(ctx, corerpc.Actor(ctx), req.GetCourseId())
	if err != nil {
		return nil, err
	}
	return convert.Policy(j), nil
}

// UpdateCoursePolicy implements the handler.
func (h *Handler) UpdateCoursePolicy(ctx context.Context, req *validationv1.UpdateCoursePolicyRequest) (*validationv1.CoursePolicy, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*validationv1.CoursePolicy, error) {
		j, err := h.validation.UpdatePolicyTx(ctx, tx, req.GetCourseId(), convert.PolicyPatch(req))
		if err != nil {
			return nil, err
		}
		return convert.Policy(j), nil
	})
}

// RejudgeTask implements the handler.
func (h *Handler) RejudgeTask(ctx context.Context, req *validationv1.RejudgeTaskRequest) (*validationv1.Rejudging, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*validationv1.Rejudging, error) {
		r, err := h.validation.RejudgeTaskTx(ctx, tx, req.GetTaskId())
		if err != nil {
			return nil, err
		}
		return convert.Rejudging(r), nil
	})
}

// RejudgeCourse implements the handler.
func (h *Handler) RejudgeCourse(ctx context.Context, req *validationv1.RejudgeCourseRequest) (*validationv1.Rejudging, error) {
	return corerpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*validationv1.Rejudging, error) {
		r, err := h.validation.RejudgeCourseTx(ctx, tx, req.GetCourseId())
		if err != nil {
			return nil, err
		}
		return convert.Rejudging(r), nil
	})
}

// GetRejudging implements the handler.
func (h *Handler) GetRejudging(ctx context.Context, req *validationv1.GetRejudgingRequest) (*validationv1.Rejudging, error) {
	r, err := h.validation.Rejudging(ctx, corerpc.Actor(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return convert.Rejudging(r), nil
}

// ListValidators implements the handler.
func (h *Handler) ListValidators(ctx context.Context, _ *validationv1.ListValidatorsRequest) (*validationv1.ListValidatorsResponse, error) {
	answer := &validationv1.ListValidatorsResponse{}
	for _, v := range h.validation.Validators(ctx) {
		answer.Validators = append(answer.Validators, convert.Validator(v))
	}
	return answer, nil
}
