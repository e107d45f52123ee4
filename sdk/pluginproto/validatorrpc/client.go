package validatorrpc

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	validatorv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/validator/v1"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Client calls a validator plugin. It is a judging.Judge; its errors carry
// gRPC status codes.
type Client struct {
	rpc     validatorv1.ValidatorServiceClient
	version string
}

var _ judging.Judge = (*Client)(nil)

// NewClient returns a client on a connection. hostVersion is told to the plugin.
func NewClient(conn grpc.ClientConnInterface, hostVersion string) *Client {
	return &Client{rpc: validatorv1.NewValidatorServiceClient(conn), version: hostVersion}
}

// Describe implements judging.Judge.
func (c *Client) Describe(ctx context.Context) (*judging.Description, error) {
	resp, err := c.rpc.Describe(ctx, &validatorv1.DescribeRequest{HostVersion: c.version})
	if err != nil {
		return nil, remote(err)
	}
	return descriptionFromProto(resp), nil
}

// Plan implements judging.Judge.
func (c *Client) Plan(ctx context.Context, req *judging.PlanRequest) ([]judging.Step, error) {
	resp, err := c.rpc.Plan(ctx, &validatorv1.PlanRequest{
		Submission: submissionToProto(&req.Submission), Task: taskToProto(&req.Task),
		Toolchain: req.Toolchain, Nonce: req.Nonce, OneProcess: req.OneProcess,
	})
	if err != nil {
		return nil, remote(err)
	}
	return each(resp.GetSteps(), stepFromProto), nil
}

// Judge implements judging.Judge.
func (c *Client) Judge(ctx context.Context, req *judging.JudgeRequest) (*judging.Decision, error) {
	resp, err := c.rpc.Judge(ctx, &validatorv1.JudgeRequest{
		Submission: submissionToProto(&req.Submission), Task: taskToProto(&req.Task),
		Toolchain: req.Toolchain, Nonce: req.Nonce, OneProcess: req.OneProcess,
		Results: each(req.Results, stepResultToProto), Round: uint32(max(req.Round, 0)),
	})
	if err != nil {
		return nil, remote(err)
	}
	switch next := resp.GetNext().(type) {
	case *validatorv1.JudgeResponse_Report:
		return &judging.Decision{Report: reportFromProto(next.Report)}, nil
	case *validatorv1.JudgeResponse_More:
		return &judging.Decision{More: each(next.More.GetSteps(), stepFromProto)}, nil
	}
	return nil, errors.New("the plugin answered with neither a report nor steps")
}

// Mutate implements judging.Judge.
func (c *Client) Mutate(ctx context.Context, req *judging.MutateRequest) ([]judging.Mutant, error) {
	resp, err := c.rpc.Mutate(ctx, &validatorv1.MutateRequest{
		Solution: submissionToProto(&req.Solution), Task: taskToProto(&req.Task), Limit: uint32(max(req.Limit, 0)),
	})
	if status.Code(err) == codes.Unimplemented {
		return nil, judging.ErrNoMutants
	}
	if err != nil {
		return nil, remote(err)
	}
	return each(resp.GetMutants(), mutantFromProto), nil
}

// remoteError is what a plugin said, in its own words, with its gRPC status.
type remoteError struct{ s *status.Status }

func remote(err error) error {
	s, ok := status.FromError(err)
	if !ok || s.Code() != codes.Unknown && s.Code() != codes.FailedPrecondition {
		return err
	}
	return &remoteError{s}
}

// Error implements error.
func (e *remoteError) Error() string { return e.s.Message() }

// Unwrap shows a task that can't be judged by as what it is.
func (e *remoteError) Unwrap() error {
	if e.s.Code() == codes.FailedPrecondition {
		return &judging.TaskError{Problem: e.s.Message()}
	}
	return nil
}

// GRPCStatus lets status.Code and status.FromError see the status.
func (e *remoteError) GRPCStatus() *status.Status { return e.s }
