package pluginhost

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	maxLogLine      = 2 << 10
	maxTail         = 4 << 10
	logLinesPerTurn = 50
	logTurn         = 10 * time.Second
)

// tail reads what a plugin writes on stderr: lines are cut, made printable and
// logged, some of them per time; the last ones are kept for error messages.
type tail struct {
	log *slog.Logger

	mu     sync.Mutex
	lines  []string
	size   int
	turn   time.Time
	inTurn int
}

// lineFeed cuts a stream of bytes into the lines of a tail.
type lineFeed struct {
	to      *tail
	line    []byte
	dropped int
}

func newLineFeed(to *tail) *lineFeed { return &lineFeed{to: to} }

func (f *lineFeed) write(p []byte) {
	for _, b := range p {
		switch {
		case b == '\n':
			f.to.add(f.line, f.dropped)
			f.line, f.dropped = f.line[:0], 0
		case len(f.line) < maxLogLine:
			f.line = append(f.line, b)
		default:
			f.dropped++
		}
	}
}

func (f *lineFeed) close() {
	if len(f.line) > 0 {
		f.to.add(f.line, f.dropped)
	}
}

func (t *tail) read(r io.ReadCloser) {
	defer func() { _ = r.Close() }()
	feed := newLineFeed(t)
	defer feed.close()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		feed.write(buf[:n])
		if err != nil {
			return
		}
	}
}

func (t *tail) add(raw []byte, dropped int) {
	line := strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, string(raw))
	if strings.TrimSpace(line) == "" {
		return
	}
	t.mu.Lock()
	t.lines = append(t.lines, line)
	t.size += len(line)
	for t.size > maxTail && len(t.lines) > 1 {
		t.size -= len(t.lines[0])
		t.lines = t.lines[1:]
	}
	if now := time.Now(); now.Sub(t.turn) > logTurn {
		t.turn, t.inTurn = now, 0
	}
	t.inTurn++
	say := t.inTurn <= logLinesPerTurn
	t.mu.Unlock()
	if say {
		t.log.Info("plugin says", "line", line, "bytes_dropped", dropped)
	}
}

// last returns the last lines, 4 KiB at most.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
