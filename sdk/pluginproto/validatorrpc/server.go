package validatorrpc

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	validatorv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/validator/v1"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Register serves a judge on a gRPC server.
func Register(s grpc.ServiceRegistrar, judge judging.Judge) {
	validatorv1.RegisterValidatorServiceServer(s, &server{judge: judge})
}

type server struct {
	validatorv1.UnimplementedValidatorServiceServer
	judge judging.Judge
}

func (s *server) Describe(ctx context.Context, _ *validatorv1.DescribeRequest) (*validatorv1.DescribeResponse, error) {
	d, err := s.judge.Describe(ctx)
	if err != nil {
		return nil, toStatus(err)
	}
	return descriptionToProto(d), nil
}

func (s *server) Plan(ctx context.Context, req *validatorv1.PlanRequest) (*validatorv1.PlanResponse, error) {
	steps, err := s.judge.Plan(ctx, &judging.PlanRequest{
		Submission: submissionFromProto(req.GetSubmission()), Task: taskFromProto(req.GetTask()),
		Toolchain: req.GetToolchain(), Nonce: req.GetNonce(), OneProcess: req.GetOneProcess(),
	})
	if err != nil {
		return nil, toStatus(err)
	}
	return &validatorv1.PlanResponse{Steps: each(steps, stepToProto)}, nil
}

func (s *server) Judge(ctx context.Context, req *validatorv1.JudgeRequest) (*validatorv1.JudgeResponse, error) {
	d, err := s.judge.Judge(ctx, &judging.JudgeRequest{
		PlanRequest: judging.PlanRequest{
			Submission: submissionFromProto(req.GetSubmission()), Task: taskFromProto(req.GetTask()),
			Toolchain: req.GetToolchain(), Nonce: req.GetNonce(), OneProcess: req.GetOneProcess(),
		},
		Results: each(req.GetResults(), stepResultFromProto), Round: int(req.GetRound()),
	})
	if err != nil {
		return nil, toStatus(err)
	}
	if d.Report != nil {
		return &validatorv1.JudgeResponse{Next: &validatorv1.JudgeResponse_Report{Report: reportToProto(d.Report)}}, nil
	}
	return &validatorv1.JudgeResponse{Next: &validatorv1.JudgeResponse_More{
		More: &validatorv1.MoreSteps{Steps: each(d.More, stepToProto)},
	}}, nil
}

func (s *server) Mutate(ctx context.Context, req *validatorv1.MutateRequest) (*validatorv1.MutateResponse, error) {
	mutants, err := s.judge.Mutate(ctx, &judging.MutateRequest{
		Solution: submissionFromProto(req.GetSolution()), Task: taskFromProto(req.GetTask()), Limit: int(req.GetLimit()),
	})
	if err != nil {
		return nil, toStatus(err)
	}
	return &validatorv1.MutateResponse{Mutants: each(mutants, mutantToProto)}, nil
}

// toStatus keeps an error's text and, where it has one, its code.
func toStatus(err error) error {
	var task *judging.TaskError
	switch {
	case errors.As(err, &task):
		// Bounded, as it travels in a header.
		return status.Error(codes.FailedPrecondition, valid(fmt.Sprintf("%.4000s", task.Problem)))
	case errors.Is(err, judging.ErrNoMutants):
		return status.Error(codes.Unimplemented, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	return status.Error(codes.Unknown, err.Error())
}
