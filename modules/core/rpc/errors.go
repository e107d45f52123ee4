package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

// What the edge itself answers with.
var (
	// ErrInternal: a defect here. The request id finds it in the log.
	ErrInternal = errs.Define(errs.Internal, "internal",
		"Something went wrong here. Try again; if it stays, report the request id %s.",
		"Algo ha fallado aquí. Inténtalo de nuevo; si sigue igual, comunica el identificador de petición %s.")
	// ErrDeadline: the time for the call was over; it may have been done.
	ErrDeadline = errs.Define(errs.DeadlineExceeded, "deadline_exceeded",
		"It took too long and was stopped. Repeat it with the same Idempotency-Key.",
		"Tardó demasiado y se detuvo. Repítelo con la misma Idempotency-Key.")
	// ErrCanceled: the caller went away.
	ErrCanceled = errs.Define(errs.Canceled, "canceled",
		"The call was canceled by the caller.",
		"Quien llamó canceló la llamada.")
	// ErrUnreachable: the database, or another service, does not answer.
	ErrUnreachable = errs.Define(errs.Unavailable, "unavailable",
		"A part that is needed can't be reached right now. Try again in a moment with the same Idempotency-Key.",
		"Una parte necesaria no está disponible ahora. Inténtalo de nuevo enseguida con la misma Idempotency-Key.")
	// ErrNoRoute: no such address.
	ErrNoRoute = errs.Define(errs.NotFound, "no_such_address",
		"There is nothing at %s %s. /openapi.yaml lists what there is.",
		"No hay nada en %s %s. En /openapi.yaml está lo que hay.")
	// ErrMethod: the address exists, with other methods.
	ErrMethod = errs.Define(errs.Unimplemented, "method_not_allowed",
		"%s is not possible here; these are: %s.",
		"%s no es posible aquí; sí lo son: %s.")
	// ErrMediaType: the body is not JSON, or compressed in an unknown way.
	ErrMediaType = errs.Define(errs.InvalidArgument, "unsupported_media_type",
		"The body can't be read as %q. Send JSON with Content-Type: application/json, plain or with gzip.",
		"El cuerpo no puede leerse como %q. Envía JSON con Content-Type: application/json, sin comprimir o con gzip.")
	// ErrTooLarge: the body is over the limit.
	ErrTooLarge = errs.Define(errs.ResourceExhausted, "request_too_large",
		"The request is larger than the %d bytes that are taken here.",
		"La petición supera los %d bytes que se aceptan aquí.")
	// ErrTooSlow: the body did not arrive in time.
	ErrTooSlow = errs.Define(errs.DeadlineExceeded, "request_too_slow",
		"The request did not arrive within %s. Send it again over a better connection, or less at once.",
		"La petición no llegó en %s. Envíala de nuevo con una conexión mejor, o menos de una vez.")
)

// errorDomain is the domain of ErrorInfo details.
const errorDomain = "tracker"

// outward turns what a handler returned into what its caller may read. Leaks
// reports that the original must go to the log, and nowhere else.
func outward(ctx context.Context, err error) (_ *errs.Error, leaks bool) {
	var known *errs.Error
	if errors.As(err, &known) {
		return known, known.Kind.Code == errs.Internal
	}
	var rpcError *connect.Error
	if errors.As(err, &rpcError) {
		switch rpcError.Code() {
		case connect.CodeInternal, connect.CodeUnknown, connect.CodeDataLoss:
		default:
			return fromConnect(rpcError), false
		}
	}
	var network *net.OpError
	switch state := sqlState(err); {
	case errors.Is(err, context.DeadlineExceeded), state == "57014":
		return ErrDeadline.New().Because(err), false
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return ErrCanceled.New().Because(err), false
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF),
		strings.HasPrefix(state, "08"), strings.HasPrefix(state, "53"), strings.HasPrefix(state, "57P"):
		return ErrUnreachable.New().After(2 * time.Second).Because(err), true
	default:
		return ErrInternal.New(RequestID(ctx)).Because(err), true
	}
}

// sqlState is the code of a database error; only its form is known here.
func sqlState(err error) string {
	var database interface{ SQLState() string }
	if errors.As(err, &database) {
		return database.SQLState()
	}
	return ""
}

// toConnect renders an error for Connect and gRPC: the text in the caller's
// language, and as details the reason, the fields, the wait, and the Spanish
// text.
func toConnect(e *errs.Error, language string) *connect.Error {
	var code connect.Code
	if code.UnmarshalText([]byte(e.Kind.Code)) != nil {
		code = connect.CodeInternal
	}
	out := connect.NewError(code, errors.New(e.Text(language)))
	addDetail(out, &errdetails.ErrorInfo{Reason: e.Kind.Reason, Domain: errorDomain, Metadata: e.Details})
	if len(e.Fields) > 0 {
		fields := &errdetails.BadRequest{}
		for _, f := range e.Fields {
			fields.FieldViolations = append(fields.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: f.Path, Description: f.Message})
		}
		addDetail(out, fields)
	}
	if e.RetryAfter > 0 {
		addDetail(out, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
		out.Meta().Set("Retry-After", retryAfter(e.RetryAfter))
	}
	if e.Spanish != "" {
		addDetail(out, &errdetails.LocalizedMessage{Locale: "es", Message: e.Spanish})
	}
	return out
}

// retryAfter is a wait in whole seconds, as HTTP has it.
func retryAfter(wait time.Duration) string {
	return strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10)
}

func addDetail(to *connect.Error, msg proto.Message) {
	if detail, err := connect.NewErrorDetail(msg); err == nil {
		to.AddDetail(detail)
	}
}

// fromConnect reads back what toConnect made.
func fromConnect(err *connect.Error) *errs.Error {
	e := newError(err.Code().String(), err.Message())
	for _, detail := range err.Details() {
		if value, err := detail.Value(); err == nil {
			readDetail(e, value)
		}
	}
	return e
}

func newError(code, message string) *errs.Error {
	return &errs.Error{Kind: &errs.Kind{Code: errs.Code(code), Reason: code}, English: message}
}

func readDetail(e *errs.Error, detail proto.Message) {
	switch detail := detail.(type) {
	case *errdetails.ErrorInfo:
		e.Kind.Reason = detail.GetReason()
		if len(detail.GetMetadata()) > 0 {
			e.Details = detail.GetMetadata()
		}
	case *errdetails.BadRequest:
		for _, f := range detail.GetFieldViolations() {
			e.Fields = append(e.Fields, errs.Field{Path: f.GetField(), Message: f.GetDescription()})
		}
	case *errdetails.RetryInfo:
		e.RetryAfter = detail.GetRetryDelay().AsDuration()
	case *errdetails.LocalizedMessage:
		if detail.GetLocale() == "es" {
			e.Spanish = detail.GetMessage()
		}
	}
}

// Language is "es" or "en", the language of texts for an Accept-Language header:
// the one it prefers, "en" when it asks
// for neither.
func Language(accept string) string {
	best, most := "en", 0.0
	for i, item := range strings.Split(accept, ",") {
		if i == 20 {
			break
		}
		tag, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			weight, _ = strconv.ParseFloat(q, 64)
		}
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if (base == "es" || base == "en") && weight > most {
			best, most = base, weight
		}
	}
	return best
}
