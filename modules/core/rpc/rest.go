package rpc

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"connectrpc.com/connect"
	"connectrpc.com/vanguard"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
)

// restPrefix is where REST lives.
const restPrefix = "/api/v1"

// rest is REST: vanguard transcodes to proto towards the handlers; what it
// would not say or take in this API's own way is done before and after it.
type rest struct {
	table      restTable
	transcoder http.Handler
	limit      int64
}

func newRest(bindings []*Binding, mounted map[string]http.Handler, limit int64) (*rest, error) {
	services := make([]*vanguard.Service, 0, len(mounted))
	for path, handler := range mounted {
		services = append(services, vanguard.NewService(path, handler))
	}
	transcoder, err := vanguard.NewTranscoder(services,
		vanguard.WithCodec(func(vanguard.TypeResolver) vanguard.Codec { return restCodec{} }),
		vanguard.WithDefaultServiceOptions(
			vanguard.WithTargetProtocols(vanguard.ProtocolConnect),
			vanguard.WithTargetCodecs(vanguard.CodecProto),
			vanguard.WithNoTargetCompression(),
			vanguard.WithMaxMessageBufferBytes(uint32(max(limit, 64<<20))), // answers; requests are bounded before
			vanguard.WithMaxGetURLBytes(1),                                 // always POST: cheaper than base64 in a query
		),
	)
	if err != nil {
		return nil, err
	}
	return &rest{table: newRestTable(bindings), transcoder: transcoder, limit: limit}, nil
}

// ServeHTTP implements http.Handler.
func (h *rest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimRight(r.URL.Path, "/")
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	binding, methods := h.table.find(method, path)
	switch {
	case !utf8.ValidString(path) || strings.ContainsRune(path, 0):
		writeProblem(w, r, wire.FieldError("", "the address is not UTF-8 text", "la dirección no es texto UTF-8"))
		return
	case binding == nil && len(methods) == 0:
		writeProblem(w, r, ErrNoRoute.New(r.Method, path))
		return
	case binding == nil:
		w.Header().Set("Allow", strings.Join(methods, ", "))
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		writeProblem(w, r, ErrMethod.New(r.Method, strings.Join(methods, ", ")))
		return
	}
	inner, err := h.prepare(binding, r, method, path)
	if err != nil {
		e, _ := outward(r.Context(), err)
		writeProblem(w, r, e)
		return
	}
	out := &restWriter{to: w, request: r, binding: binding}
	h.transcoder.ServeHTTP(out, inner)
	out.finish() //nolint:contextcheck // it has the request, and with it the context
}

// prepare makes the request that vanguard understands.
func (h *rest) prepare(b *Binding, r *http.Request, method, path string) (*http.Request, error) {
	query, err := canonicalQuery(b, r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	body, err := h.body(b, r)
	if err != nil {
		return nil, err
	}
	inner := r.WithContext(r.Context())
	inner.Method = method
	inner.URL = &url.URL{Path: path, RawQuery: query}
	inner.Header = r.Header.Clone()
	// vanguard tells protocols apart by these.
	for _, name := range []string{"Connect-Protocol-Version", "Content-Encoding", "Content-Type", "Accept-Encoding", "X-Server-Timeout"} {
		inner.Header.Del(name)
	}
	inner.Body, inner.ContentLength = http.NoBody, 0
	if len(body) > 0 {
		inner.Header.Set("Content-Type", "application/json")
		inner.Body, inner.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return inner, nil
}

// body reads all of the request's JSON, unpacked.
func (h *rest) body(b *Binding, r *http.Request) ([]byte, error) {
	var reader io.Reader = r.Body
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, ErrMediaType.New("gzip").Because(err)
		}
		reader = unpacked
	default:
		return nil, ErrMediaType.New(encoding)
	}
	body, err := io.ReadAll(io.LimitReader(reader, h.limit+1))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over), int64(len(body)) > h.limit:
		return nil, ErrTooLarge.New(h.limit)
	case connect.CodeOf(err) == connect.CodeDeadlineExceeded:
		return nil, err // it came too slowly
	case err != nil:
		return nil, wire.Malformed.New(errs.Say("the body ended too early", "el cuerpo terminó antes de tiempo")).Because(err)
	case len(body) == 0:
		return nil, nil
	case !b.Body:
		return nil, wire.FieldError("", "this address takes no body; its parameters stand in the query", "esta dirección no admite cuerpo; sus parámetros van en la consulta")
	}
	if header := r.Header.Get("Content-Type"); header != "" {
		kind, params, err := mime.ParseMediaType(header)
		charset := strings.ToLower(params["charset"])
		if err != nil || kind != "application/json" && kind != "application/merge-patch+json" || charset != "" && charset != "utf-8" {
			return nil, ErrMediaType.New(shorten(header))
		}
	}
	return body, nil
}

func shorten(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

// canonicalQuery turns the query of this API, strict and with short enums, into
// vanguard's.
func canonicalQuery(b *Binding, raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	given, err := url.ParseQuery(raw)
	if err != nil {
		return "", wire.FieldError("", "the query can't be read: "+shorten(err.Error()), "la consulta no puede leerse: "+shorten(err.Error()))
	}
	out := url.Values{}
	for name, values := range given {
		field, texts, err := wire.Parameter(b.Desc.Input(), name, values)
		if err != nil {
			return "", err
		}
		if _, twice := out[field]; twice {
			return "", wire.FieldError(name, "is given twice", "está dos veces")
		}
		out[field] = texts
	}
	return out.Encode(), nil
}

// restCodec is wire in vanguard's hands. Errors pass it as proto: restWriter
// makes the problem of them, knowing the request.
type restCodec struct{}

// Name is what vanguard's REST asks for.
func (restCodec) Name() string { return vanguard.CodecJSON }

// MarshalAppend writes wire JSON.
func (restCodec) MarshalAppend(b []byte, msg proto.Message) ([]byte, error) {
	if failure, ok := msg.(*status.Status); ok {
		return proto.MarshalOptions{}.MarshalAppend(b, failure)
	}
	return wire.MarshalAppend(b, msg)
}

// Unmarshal reads wire JSON; its errors keep their fields on the way through
// vanguard.
func (restCodec) Unmarshal(data []byte, msg proto.Message) error {
	err := wire.Unmarshal(data, msg)
	var e *errs.Error
	if errors.As(err, &e) {
		return toConnect(e, "en")
	}
	return err
}
