package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// exchange travels in the context of one call to langchaingo's client. On the
// way out it says what to change in the request that the client wrote; on the
// way back it keeps what the client drops or gets wrong.
type exchange struct {
	// set replaces fields of the request, drop removes them, rename moves them.
	set    map[string]any
	drop   []string
	rename map[string]string

	mu       sync.Mutex
	err      error
	complete bool
	answer
}

// answer is what a provider really said.
type answer struct {
	toolCalls []llm.ToolCall
	refusal   string
	finish    string
	model     string
	usage     llm.Usage
}

type exchangeKey struct{}

func withExchange(ctx context.Context, ex *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, ex)
}

// fail keeps the first error: langchaingo rewrites errors into texts.
func (ex *exchange) fail(err error) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.err == nil {
		ex.err = err
	}
	return ex.err
}

// result returns what came, or why it did not come whole.
func (ex *exchange) result(ctx context.Context) (answer, error) {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	switch {
	case ex.err != nil:
		return answer{}, ex.err
	case ex.complete:
		return ex.answer, nil
	case ctx.Err() != nil:
		// langchaingo takes a stream that was cut by its context for a whole one.
		return answer{}, fromTransport(ctx, ctx.Err(), "")
	default:
		return answer{}, llm.Errorf(llm.CodeUnavailable, "the provider's answer was cut off")
	}
}

// doer is the HTTP client under langchaingo's client. It
//   - sends what that client can't say: any JSON Schema, top_p, a temperature
//     that is left out, seed 0, the end user;
//   - types errors while the status and Retry-After are still there;
//   - takes tool calls out of the stream and puts them together by index: the
//     client merges parallel ones and hands their JSON to the text callback;
//   - notices streams that are cut, silent, too long for a line scanner, or
//     answered as a whole body;
//   - puts embeddings in the order of their index.
type doer struct {
	http        *http.Client
	key         string
	idleTimeout time.Duration
}

func newDoer(c *config) *doer {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one in the standard library
	transport.MaxIdleConnsPerHost = 16
	return &doer{
		key: c.key, idleTimeout: c.idleTimeout,
		http: &http.Client{
			Transport: transport,
			// A redirect would carry texts to a place nobody configured.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

const maxEmbeddingBody = 256 << 20

// Do sends one request of langchaingo's client.
func (d *doer) Do(req *http.Request) (*http.Response, error) {
	ex, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, fmt.Errorf("request to %s carries no exchange", req.URL.Path)
	}
	body, err := ex.rewrite(req.Body)
	if err != nil {
		return nil, ex.fail(llm.Errorf(llm.CodeInternal, "write request: %v", err))
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	watch := time.AfterFunc(d.idleTimeout, func() {
		cancel(llm.Errorf(llm.CodeUnavailable, "the provider was silent for %s", d.idleTimeout))
	})
	stop := func() { watch.Stop(); cancel(nil) }
	req = req.Clone(ctx)
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	if d.key == "" {
		req.Header.Del("Authorization")
	}
	res, err := d.http.Do(req) //nolint:gosec // G704: the operator configures where requests go
	if err != nil {
		err = ex.fail(fromTransport(ctx, err, d.key))
		stop()
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		defer stop()
		defer func() { _ = res.Body.Close() }()
		return nil, ex.fail(fromResponse(res, d.key, time.Now()))
	}
	switch mediaType, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); {
	case strings.HasSuffix(req.URL.Path, "/embeddings"):
		defer stop()
		err = d.orderEmbeddings(ctx, ex, res)
	case mediaType == "text/event-stream":
		res.Body = newStreamBody(ctx, ex, d, res.Body, func() { watch.Reset(d.idleTimeout) }, stop)
	default:
		defer stop()
		err = d.wholeBody(ctx, ex, res)
	}
	if err != nil {
		_ = res.Body.Close()
		return nil, ex.fail(err)
	}
	return res, nil
}

// rewrite applies the exchange's changes to the request as langchaingo wrote it.
func (ex *exchange) rewrite(body io.ReadCloser) ([]byte, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	_ = body.Close()
	fields := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		return nil, err
	}
	for k, v := range ex.set {
		fields[k] = v
	}
	for _, k := range ex.drop {
		delete(fields, k)
	}
	for from, to := range ex.rename {
		if v, ok := fields[from]; ok {
			fields[to] = v
			delete(fields, from)
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err = enc.Encode(fields)
	return out.Bytes(), err
}

// orderEmbeddings rewrites an embeddings answer into the order of its indexes.
func (d *doer) orderEmbeddings(ctx context.Context, ex *exchange, res *http.Response) error {
	var body struct {
		Data []struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
		Model string  `json:"model"`
		Usage usageIn `json:"usage"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxEmbeddingBody)).Decode(&body); err != nil {
		if ctx.Err() != nil {
			return fromTransport(ctx, err, d.key)
		}
		return llm.Errorf(llm.CodeUnavailable, "read the provider's vectors: %v", err)
	}
	ordered := make([]map[string]any, len(body.Data))
	for _, e := range body.Data {
		if e.Index < 0 || e.Index >= len(ordered) || ordered[e.Index] != nil || len(e.Embedding) == 0 {
			return llm.Errorf(llm.CodeInternal, "the provider's vectors are not numbered 0 to %d, once each", len(ordered)-1)
		}
		ordered[e.Index] = map[string]any{"index": e.Index, "embedding": e.Embedding}
	}
	raw, err := json.Marshal(map[string]any{"data": ordered})
	if err != nil {
		return llm.Errorf(llm.CodeInternal, "rewrite vectors: %v", err)
	}
	ex.mu.Lock()
	ex.model, ex.usage, ex.complete = body.Model, body.Usage.typed(), true
	ex.mu.Unlock()
	_ = res.Body.Close()
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	return nil
}
