package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// Protocol is what differs between providers.
type Protocol interface {
	// Failure reads the body of an HTTP error.
	Failure(body []byte) Failure
	// Reader begins to read one streamed answer into a.
	Reader(a *Answer) Reader
	// Line makes one line of a stream of a body that was answered whole, by
	// servers that ignore the wish for a stream.
	Line(body []byte) []byte
	// Vectors reads the answer to an embedding into a, and returns what
	// langchaingo's client gets to read in its place.
	Vectors(body []byte, a *Answer) ([]byte, error)
}

// Reader reads one answer, line by line.
type Reader interface {
	// Read takes a line without its end, and returns what langchaingo's client
	// gets to read in its place. io.EOF closes the answer.
	Read(line []byte) ([]byte, error)
	// Close is called at the end of the answer, or where the stream ended without
	// one: it returns the closing words for langchaingo's client, and whether the
	// answer was whole.
	Close() (out []byte, whole bool)
}

// Client is the HTTP client under langchaingo's client. It sends what that
// client can't say, types errors while the status and Retry-After are still
// there, and notices answers that are cut, silent, too large or not streamed.
type Client struct {
	Protocol Protocol
	// Secrets never get into messages.
	Secrets []string
	// Names are the settings that messages point to.
	Names Names
	// IdleTimeout is the longest silence of the provider.
	IdleTimeout time.Duration
	// Prepare, if set, changes address and headers of each request.
	Prepare func(*http.Request)

	http *http.Client
}

// Names are the settings that messages point to.
type Names struct{ Key, URL string }

// New makes a client; its exported fields are set before the first call.
func New(p Protocol) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one in the standard library
	transport.MaxIdleConnsPerHost = 16
	return &Client{
		Protocol: p, IdleTimeout: DefaultIdleTimeout,
		http: &http.Client{
			Transport: transport,
			// A redirect would carry texts to a place nobody configured.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// DefaultIdleTimeout is the longest silence that plugins bear by default.
const DefaultIdleTimeout = 90 * time.Second

const maxEmbeddingBody = 256 << 20

// RoundTrip implements http.RoundTripper, for clients that want one.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) { return c.Do(req) }

// Do sends one request of langchaingo's client.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	ex, ok := req.Context().Value(exchangeKey{}).(*Exchange)
	if !ok {
		return nil, fmt.Errorf("request to %s carries no exchange", req.URL.Path)
	}
	body, err := ex.rewrite(req.Body)
	if err != nil {
		return nil, ex.fail(llm.Errorf(llm.CodeInternal, "write request: %v", err))
	}
	ctx, sent := watchSent(req.Context())
	ctx, cancel := context.WithCancelCause(ctx)
	watch := time.AfterFunc(c.IdleTimeout, func() {
		cancel(llm.Errorf(lost(sent), "the provider was silent for %s", c.IdleTimeout))
	})
	stop := func() { watch.Stop(); cancel(nil) }
	embeds := isEmbedding(req.URL.Path)
	req = req.Clone(ctx)
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	if c.Prepare != nil {
		c.Prepare(req)
	}
	res, err := c.http.Do(req) //nolint:gosec // G704: the operator configures where requests go
	if err != nil {
		err = ex.fail(fromTransport(ctx, err, c.Secrets, lost(sent)))
		stop()
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		defer stop()
		defer func() { _ = res.Body.Close() }()
		return nil, ex.fail(c.fromResponse(res, time.Now()))
	}
	switch {
	case embeds:
		defer stop()
		err = c.vectors(ctx, ex, res)
	case streamed(res.Header.Get("Content-Type")):
		res.Body = newBody(ctx, ex, c, res.Body, func() { watch.Reset(c.IdleTimeout) }, stop)
	default:
		defer stop()
		err = c.whole(ctx, ex, res)
	}
	if err != nil {
		_ = res.Body.Close()
		return nil, ex.fail(err)
	}
	res.ContentLength = -1
	return res, nil
}

func isEmbedding(path string) bool {
	return strings.HasSuffix(path, "/embed") || strings.HasSuffix(path, "/embeddings")
}

func streamed(contentType string) bool {
	t, _, _ := mime.ParseMediaType(contentType)
	return t == "text/event-stream" || t == "application/x-ndjson"
}

// vectors reads an embedding whole.
func (c *Client) vectors(ctx context.Context, ex *Exchange, res *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxEmbeddingBody))
	if err != nil {
		if ctx.Err() != nil {
			return fromTransport(ctx, err, c.Secrets, llm.CodeInterrupted)
		}
		return llm.Errorf(llm.CodeInterrupted, "read the provider's vectors: %s", c.redact(err.Error()))
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	out, err := c.Protocol.Vectors(raw, &ex.answer)
	if err != nil {
		return err
	}
	ex.complete = true
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(out))
	return nil
}

// whole turns a body that was not streamed into a stream of one line.
func (c *Client) whole(ctx context.Context, ex *Exchange, res *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxLine))
	if err != nil {
		if ctx.Err() != nil {
			return fromTransport(ctx, err, c.Secrets, llm.CodeInterrupted)
		}
		return errCut()
	}
	_ = res.Body.Close()
	line := c.Protocol.Line(raw)
	if line == nil {
		return llm.Errorf(llm.CodeUnavailable, "the provider answered something that is not its protocol; check %s", c.Names.URL)
	}
	body := io.NopCloser(bytes.NewReader(append(line, '\n')))
	res.Body = newBody(context.WithoutCancel(ctx), ex, c, body, func() {}, func() {})
	return nil
}
