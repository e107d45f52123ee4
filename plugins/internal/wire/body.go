package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/llm"
)

const (
	// maxLine bounds one line of the provider, maxPiece the text of one line to
	// langchaingo, whose scanners stop at 64 KiB; JSON makes it six times as long
	// at worst.
	maxLine  = 8 << 20
	maxPiece = 8 << 10
)

// body reads a provider's stream and gives langchaingo a simpler one of text
// only; everything else goes into the exchange.
type body struct {
	ctx    context.Context //nolint:containedctx // the request's: it lives as long as the body
	ex     *Exchange
	client *Client
	reader Reader
	src    *bufio.Reader
	closer io.Closer
	alive  func()
	stop   func()
	out    bytes.Buffer
	err    error
}

func newBody(ctx context.Context, ex *Exchange, c *Client, from io.ReadCloser, alive, stop func()) *body {
	return &body{
		ctx: ctx, ex: ex, client: c, reader: c.Protocol.Reader(&ex.answer), src: bufio.NewReaderSize(from, 32<<10),
		closer: from, alive: alive, stop: stop,
	}
}

// Read implements io.Reader for langchaingo's scanner.
func (b *body) Read(p []byte) (int, error) {
	for b.out.Len() == 0 {
		if b.err != nil {
			return 0, b.err
		}
		if err := b.next(); err != nil {
			if !errors.Is(err, io.EOF) {
				err = b.ex.fail(err)
			}
			b.err = err
		}
	}
	return b.out.Read(p)
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.stop()
	return b.closer.Close()
}

// next takes one line of the provider. io.EOF is a proper end.
func (b *body) next() error {
	line, err := b.line()
	var typed *llm.Error
	switch {
	case errors.As(err, &typed):
		return err
	case err != nil && b.ctx.Err() != nil:
		return fromTransport(b.ctx, err, b.client.Secrets, llm.CodeInterrupted)
	case errors.Is(err, io.EOF):
		return b.finish(errCut()) // some servers leave the closing words out
	case err != nil:
		return errCut()
	}
	b.alive()
	b.ex.mu.Lock()
	out, err := b.reader.Read(line)
	b.ex.mu.Unlock()
	b.out.Write(out)
	if errors.Is(err, io.EOF) {
		return b.finish(llm.Errorf(llm.CodeInterrupted, "the provider closed its answer without saying why"))
	}
	if errors.As(err, &typed) {
		typed.Message = b.client.redact(typed.Message)
	}
	return err
}

func (b *body) finish(cut *llm.Error) error {
	b.ex.mu.Lock()
	defer b.ex.mu.Unlock()
	out, whole := b.reader.Close()
	if !whole {
		return cut
	}
	b.out.Write(out)
	b.ex.answer.number()
	b.ex.complete = true
	return io.EOF
}

// line reads one line of any length up to maxLine.
func (b *body) line() ([]byte, error) {
	var line []byte
	for {
		piece, err := b.src.ReadSlice('\n')
		line = append(line, piece...)
		if len(line) > maxLine {
			return nil, llm.Errorf(llm.CodeInternal, "the provider sent an event of more than %d bytes", maxLine)
		}
		if err == nil || (errors.Is(err, io.EOF) && len(line) > 0) {
			return bytes.TrimRight(line, "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// Pieces cuts a text into parts that langchaingo's scanners can take, never
// within a character.
func Pieces(t string) []string {
	var out []string
	for t != "" {
		n := min(maxPiece, len(t))
		for n < len(t) && n > 0 && !utf8.RuneStart(t[n]) {
			n--
		}
		if n == 0 { // not UTF-8 at all
			n = min(maxPiece, len(t))
		}
		out, t = append(out, t[:n]), t[n:]
	}
	return out
}
