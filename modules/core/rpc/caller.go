package rpc

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
)

// ErrNoProcedure is for a face that names a procedure or command that is not mounted.
var ErrNoProcedure = errs.Define(errs.Unimplemented, "no_such_procedure",
	"There is no procedure %q here.",
	"Aquí no hay ningún procedimiento %q.")

// Caller calls unary procedures in process, in wire JSON, for faces that are
// neither Connect nor REST. Each call goes through the server's whole
// middleware: sign-in, limits, validation, idempotency and the log are the same
// on every face. Make it with NewCaller and hand it to NewServer.
type Caller struct {
	handler http.Handler
	methods map[string]protoreflect.MethodDescriptor
}

// NewCaller makes a caller that NewServer will bind; before that, calls fail.
func NewCaller() *Caller { return &Caller{} }

func (c *Caller) bind(handler http.Handler, methods map[string]protoreflect.MethodDescriptor) {
	c.handler, c.methods = handler, methods
}

// Commands are the commands of the mounted services, "goal.create", each with
// its procedure.
func (c *Caller) Commands() map[string]string {
	services := map[protoreflect.FullName]protoreflect.ServiceDescriptor{}
	for _, method := range c.methods {
		if service, ok := method.Parent().(protoreflect.ServiceDescriptor); ok {
			services[service.FullName()] = service
		}
	}
	all := map[string]string{}
	for _, service := range services {
		for name, procedure := range Commands(service) {
			all[name] = procedure
		}
	}
	return all
}

// Method describes a mounted procedure; nil when there is none.
func (c *Caller) Method(procedure string) protoreflect.MethodDescriptor { return c.methods[procedure] }

// Invoke calls a unary procedure with a wire JSON request (empty is the empty
// request) and gives the wire JSON answer. Who calls is the actor of ctx
// (auth.WithActor), else the Authorization of header. Header may also carry
// Idempotency-Key, Accept-Language and X-Request-Id. Errors are *errs.Error
// with both texts where there are two; their Kind has code and reason, but is
// not the variable it was defined as.
func (c *Caller) Invoke(ctx context.Context, procedure string, request []byte, header http.Header) (answer []byte, err error) {
	defer survive(&err)
	method := c.methods[procedure]
	if method == nil || method.IsStreamingClient() || method.IsStreamingServer() {
		return nil, ErrNoProcedure.New(shorten(procedure))
	}
	in, err := message(method.Input())
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(request)) > 0 {
		if err := wire.Unmarshal(request, in); err != nil {
			return nil, err
		}
	}
	out, err := message(method.Output())
	if err != nil {
		return nil, err
	}
	if err := c.Call(ctx, procedure, in, out, header); err != nil {
		return nil, err
	}
	return wire.Marshal(out)
}

// Call is Invoke with messages in place of JSON.
func (c *Caller) Call(ctx context.Context, procedure string, in, out proto.Message, header http.Header) (err error) {
	defer survive(&err)
	if c.handler == nil {
		return errors.New("call in process: the server is not built yet")
	}
	body, err := proto.Marshal(in)
	if err != nil {
		return fmt.Errorf("call %s: %w", procedure, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, procedure, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call %s: %w", procedure, err)
	}
	request.URL = &url.URL{Path: procedure}
	request.RemoteAddr = "in-process"
	for _, name := range []string{"Authorization", "Accept-Language", KeyHeader, RequestIDHeader, "Traceparent", "Tracestate"} {
		if values := header.Values(name); len(values) > 0 {
			request.Header[name] = values
		}
	}
	if id := RequestID(ctx); id != "" && request.Header.Get(RequestIDHeader) == "" {
		request.Header.Set(RequestIDHeader, id)
	}
	request.Header.Set("Content-Type", "application/proto")
	request.Header.Set("Connect-Protocol-Version", "1")
	answer := &memoryWriter{header: http.Header{}}
	c.handler.ServeHTTP(answer, request)
	answer.WriteHeader(http.StatusOK) // an empty message is an answer without a write
	if answer.status != http.StatusOK {
		return readFailure(answer)
	}
	if err := proto.Unmarshal(answer.body.Bytes(), out); err != nil {
		return fmt.Errorf("call %s: read answer: %w", procedure, err)
	}
	return nil
}

// survive makes an error of a panic: a socket's goroutine has no net/http around
// it, and would take the server along.
func survive(err *error) {
	if value := recover(); value != nil {
		*err = &panicError{value: value, stack: debug.Stack()}
	}
}

func message(desc protoreflect.MessageDescriptor) (proto.Message, error) {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(desc.FullName())
	if err != nil {
		return nil, fmt.Errorf("find message %s: %w", desc.FullName(), err)
	}
	return mt.New().Interface(), nil
}

// readFailure reads Connect's error JSON, or a problem of the middleware.
func readFailure(answer *memoryWriter) error {
	var body struct {
		Code    string          `json:"code"`
		Message string          `json:"message"`
		Detail  string          `json:"detail"`
		Reason  string          `json:"reason"`
		Details json.RawMessage `json:"details"`
	}
	if err := json.Unmarshal(answer.body.Bytes(), &body); err != nil || body.Code == "" {
		return fmt.Errorf("call in process: status %d without a readable error", answer.status)
	}
	if body.Reason != "" {
		e := newError(body.Code, body.Detail)
		e.Kind.Reason = body.Reason
		return e
	}
	e := newError(body.Code, body.Message)
	var details []struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	if json.Unmarshal(body.Details, &details) != nil {
		return e
	}
	for _, detail := range details {
		data, err := base64.RawStdEncoding.DecodeString(detail.Value)
		if err != nil {
			continue
		}
		packed := anypb.Any{TypeUrl: "type.googleapis.com/" + detail.Type, Value: data}
		if value, err := packed.UnmarshalNew(); err == nil {
			readDetail(e, value)
		}
	}
	return e
}

// memoryWriter keeps an answer in memory.
type memoryWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *memoryWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *memoryWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *memoryWriter) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(data)
}

// Flush implements http.Flusher; there is nobody to flush to.
func (w *memoryWriter) Flush() {}
