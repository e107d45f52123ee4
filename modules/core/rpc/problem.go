package rpc

import (
	"encoding/json"
	"net/http"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/core/errs"
)

// problem is an error on REST, RFC 9457.
type problem struct {
	Type      string            `json:"type"`
	Title     string            `json:"title"`
	Status    int               `json:"status"`
	Detail    string            `json:"detail"`
	Code      string            `json:"code"`
	Reason    string            `json:"reason"`
	Fields    []errs.Field      `json:"fields,omitempty"`
	Details   map[string]string `json:"details,omitempty"`
	RequestID string            `json:"request_id"`
}

// problemType is the type of problems with the reason; it is a name, nothing
// is served there.
func problemType(reason string) string { return "urn:tracker:error:" + reason }

// statusOf is the HTTP status of an error; a few reasons have one of their own.
func statusOf(e *errs.Error) int {
	switch e.Kind.Reason {
	case ErrTooLarge.Reason:
		return http.StatusRequestEntityTooLarge
	case ErrMethod.Reason:
		return http.StatusMethodNotAllowed
	case ErrMediaType.Reason:
		return http.StatusUnsupportedMediaType
	default:
		return e.Kind.Code.HTTPStatus()
	}
}

var titles = map[int]string{
	http.StatusBadRequest:            "Petición no válida",
	http.StatusUnauthorized:          "Sesión no iniciada",
	http.StatusForbidden:             "No permitido",
	http.StatusNotFound:              "No encontrado",
	http.StatusMethodNotAllowed:      "Método no permitido",
	http.StatusConflict:              "Conflicto",
	http.StatusRequestEntityTooLarge: "Petición demasiado grande",
	http.StatusUnsupportedMediaType:  "Formato no admitido",
	http.StatusTooManyRequests:       "Demasiadas peticiones",
	http.StatusInternalServerError:   "Error interno",
	http.StatusNotImplemented:        "No implementado",
	http.StatusServiceUnavailable:    "No disponible",
	http.StatusGatewayTimeout:        "Tiempo agotado",
}

func title(status int, language string) string {
	if text, ok := titles[status]; ok && language == "es" {
		return text
	}
	if status == errs.Canceled.HTTPStatus() {
		return "Canceled"
	}
	return http.StatusText(status)
}

// writeProblem answers with an error on REST and on plain addresses.
func writeProblem(w http.ResponseWriter, r *http.Request, e *errs.Error) {
	status := statusOf(e)
	tongue := Language(r.Header.Get("Accept-Language"))
	body, err := json.Marshal(problem{
		Type: problemType(e.Kind.Reason), Title: title(status, tongue), Status: status, Detail: e.Text(tongue),
		Code: string(e.Kind.Code), Reason: e.Kind.Reason, Fields: e.Fields, Details: e.Details, RequestID: RequestID(r.Context()),
	})
	if err != nil {
		body = []byte(`{"type":"about:blank","status":500}`)
	}
	header := w.Header()
	header.Del("Content-Encoding")
	header.Del("Content-Length")
	header.Set("Content-Type", "application/problem+json")
	header.Set("Content-Language", tongue)
	header.Set("Cache-Control", "no-store")
	if e.RetryAfter > 0 {
		header.Set("Retry-After", retryAfter(e.RetryAfter))
	}
	if status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="tracker"`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// WriteProblem answers a plain route with an error, as REST does.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	e, _ := outward(r.Context(), err)
	writeProblem(w, r, e)
}

// refuser answers with an error before a handler was reached, in the protocol
// of the request.
type refuser struct{ rpc *connect.ErrorWriter }

func newRefuser() *refuser { return &refuser{rpc: connect.NewErrorWriter()} }

// plain answers as REST does.
func (*refuser) plain(w http.ResponseWriter, r *http.Request, err error) { WriteProblem(w, r, err) }

// procedure answers as Connect, gRPC or gRPC-Web do.
func (f *refuser) procedure(w http.ResponseWriter, r *http.Request, err error) {
	e, _ := outward(r.Context(), err)
	if !f.rpc.IsSupported(r) {
		writeProblem(w, r, e)
		return
	}
	_ = f.rpc.Write(w, r, toConnect(e, Language(r.Header.Get("Accept-Language"))))
}
