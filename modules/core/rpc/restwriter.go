package rpc

import (
	"bytes"
	"net/http"
	"net/url"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

// restWriter gives vanguard's answers this API's form: 201 with Location, 204
// without body, errors as problems.
type restWriter struct {
	to      http.ResponseWriter
	request *http.Request
	binding *Binding
	status  int
	body    bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *restWriter) Header() http.Header { return w.to.Header() }

// WriteHeader implements http.ResponseWriter.
func (w *restWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter; vanguard writes a message at once.
func (w *restWriter) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.body.Write(data)
}

// Flush implements http.Flusher, without which vanguard does not work; unary
// answers go out at the end.
func (w *restWriter) Flush() {}

func (w *restWriter) finish() {
	header := w.to.Header()
	header.Del("Content-Length")
	header.Del("Accept-Encoding")
	if w.status >= http.StatusBadRequest || w.status == 0 {
		writeProblem(w.to, w.request, w.failure())
		return
	}
	if w.binding.Empty() {
		header.Del("Content-Type")
		w.to.WriteHeader(http.StatusNoContent)
		return
	}
	header.Set("Content-Type", "application/json")
	if header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "no-store") // people's own data
	}
	code := http.StatusOK
	if w.binding.Creates() {
		code = http.StatusCreated
		if id := leadingID(w.body.Bytes()); id != "" && w.binding.location != "" {
			header.Set("Location", w.binding.location+url.PathEscape(id))
		}
	}
	w.to.WriteHeader(code)
	_, _ = w.body.WriteTo(w.to)
}

// failure reads the error that vanguard passed on.
func (w *restWriter) failure() *errs.Error {
	var failure status.Status
	if w.status == 0 || proto.Unmarshal(w.body.Bytes(), &failure) != nil || failure.GetCode() == 0 {
		// vanguard refused the request by itself, in plain text.
		switch w.status {
		case http.StatusUnsupportedMediaType:
			return ErrMediaType.New(shorten(w.request.Header.Get("Content-Type")))
		case http.StatusBadRequest:
			return errs.BadInput.New(shorten(w.body.String()))
		case http.StatusNotFound:
			return ErrNoRoute.New(w.request.Method, w.request.URL.Path)
		default:
			return ErrInternal.New(RequestID(w.request.Context()))
		}
	}
	code := connect.Code(failure.GetCode())
	e := newError(code.String(), failure.GetMessage())
	for _, detail := range failure.GetDetails() {
		if value, err := detail.UnmarshalNew(); err == nil {
			readDetail(e, value)
		}
	}
	if code == connect.CodeInternal || code == connect.CodeUnknown {
		return ErrInternal.New(RequestID(w.request.Context()))
	}
	return e
}

// leadingID is the id of a resource: its first member.
func leadingID(body []byte) string {
	rest, ok := bytes.CutPrefix(body, []byte(`{"id":"`))
	if !ok {
		return ""
	}
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(id)
}
