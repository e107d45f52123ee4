package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
)

// edge is the interceptor of every procedure: outside of it there are only
// *connect.Error made by toConnect, inside of it only valid requests of
// somebody.
type edge struct {
	validator protovalidate.Validator
	log       *slog.Logger
	timeout   time.Duration
}

// WrapUnary implements connect.Interceptor.
func (e *edge) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (resp connect.AnyResponse, err error) {
		if req.Spec().IsClient {
			return next(ctx, req)
		}
		noteProcedure(ctx, req.Spec().Procedure)
		defer func() {
			if failure := recovered(recover()); failure != nil {
				err = failure
			}
			if err != nil {
				resp, err = nil, e.render(ctx, req.Spec(), req.Header(), err)
			}
		}()
		if err := e.admit(ctx, req.Any()); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, e.timeout)
		defer cancel()
		return next(ctx, req)
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (e *edge) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor.
func (e *edge) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) (err error) {
		noteProcedure(ctx, conn.Spec().Procedure)
		defer func() {
			if failure := recovered(recover()); failure != nil {
				err = failure
			}
			if err != nil {
				err = e.render(ctx, conn.Spec(), conn.RequestHeader(), err)
			}
		}()
		return next(ctx, &checkedConn{StreamingHandlerConn: conn, ctx: ctx, edge: e})
	}
}

// checkedConn admits each message of a stream.
type checkedConn struct {
	connect.StreamingHandlerConn
	ctx  context.Context //nolint:containedctx // the stream's own, for the length of the stream
	edge *edge
}

// Receive implements connect.StreamingHandlerConn.
func (c *checkedConn) Receive(msg any) error {
	if err := c.StreamingHandlerConn.Receive(msg); err != nil {
		return err
	}
	return c.edge.admit(c.ctx, msg)
}

// admit lets valid requests of somebody through.
func (e *edge) admit(ctx context.Context, msg any) error {
	if err := requireActor(ctx); err != nil {
		return err
	}
	request, ok := msg.(proto.Message)
	if !ok {
		return fmt.Errorf("request is a %T, not a proto message", msg)
	}
	if err := wire.Normalize(request); err != nil {
		return err
	}
	return invalid(e.validator.Validate(request))
}

// invalid turns protovalidate's findings into fields.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	var found *protovalidate.ValidationError
	if !errors.As(err, &found) {
		return fmt.Errorf("validate request: %w", err)
	}
	out := errs.BadInput.New("")
	var sentences, spanish []string
	for _, violation := range found.Violations {
		path := protovalidate.FieldPathString(violation.Proto.GetField())
		message := violation.Proto.GetMessage()
		if message == "" {
			message = "must satisfy " + violation.Proto.GetRuleId()
		}
		english, es := rule(message)
		out.Fields = append(out.Fields, errs.Field{Path: path, Message: english})
		sentences, spanish = append(sentences, strings.TrimSpace(path+" "+english)), append(spanish, strings.TrimSpace(path+" "+es))
	}
	out.English = "The request is not valid: " + strings.Join(sentences, "; ") + "."
	out.Spanish = "La petición no es válida: " + strings.Join(spanish, "; ") + "."
	return out
}

// render is the last word on an error: the log gets all of it, the caller what
// is meant for callers.
func (e *edge) render(ctx context.Context, spec connect.Spec, header http.Header, err error) error {
	out, leaks := outward(ctx, err)
	if leaks {
		attrs := []any{"procedure", spec.Procedure, "request_id", RequestID(ctx), "error", err.Error()}
		var crash *panicError
		if errors.As(err, &crash) {
			attrs = append(attrs, "stack", string(crash.stack))
		}
		e.log.ErrorContext(ctx, "a call failed", attrs...)
	}
	return toConnect(out, Language(header.Get("Accept-Language")))
}

// panicError is a panic on its way to the log.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func recovered(value any) error {
	switch value {
	case nil:
		return nil
	case http.ErrAbortHandler:
		panic(value) // net/http's own way to end a request
	default:
		return &panicError{value: value, stack: debug.Stack()}
	}
}
