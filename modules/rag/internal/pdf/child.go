package pdf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/ledongthuc/pdf"
)

const childName = "tracker-pdf-text"

// Any program that holds this package can be its own child, tests too.
func init() { //nolint:gochecknoinits // main must not be reached
	if len(os.Args) == 1 && os.Args[0] == childName {
		os.Exit(child(os.Stdin, os.Stdout))
	}
}

func child(in io.Reader, out io.Writer) int {
	for kind, most := range map[int]uint64{syscall.RLIMIT_AS: maxMemory, syscall.RLIMIT_CPU: maxCPU, syscall.RLIMIT_FSIZE: 0, syscall.RLIMIT_CORE: 0} {
		if err := syscall.Setrlimit(kind, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			return 3
		}
	}
	content, err := io.ReadAll(in)
	if err != nil {
		return 3
	}
	text, err := read(content)
	if err != nil {
		text = Text{Problem: err.Error()}
	}
	raw, err := json.Marshal(text)
	if err == nil {
		_, err = out.Write(raw)
	}
	if err != nil {
		return 3
	}
	return 0
}

// read does the work; the library answers damage with panics.
func read(content []byte) (text Text, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = errors.New("it is damaged; print it to a new PDF, or export it as Markdown")
		}
	}()
	file, err := pdf.NewReader(bytes.NewReader(content), int64(len(content)))
	switch {
	case errors.Is(err, pdf.ErrInvalidPassword):
		return text, errors.New("it is protected by a password; save it without one")
	case err != nil:
		return text, fmt.Errorf("it is no PDF that can be read (%s); print it to a new PDF, or export it as Markdown", short(err.Error()))
	}
	pages := file.NumPage()
	if pages > MaxPages {
		return text, fmt.Errorf("it has %d pages and a file may have %d; split it", pages, MaxPages)
	}
	text.Title = tidy(file.Trailer().Key("Info").Key("Title").Text())
	size := 0
	for i := 1; i <= pages; i++ {
		lines := page(file, i)
		for _, l := range lines {
			size += len(l.Text)
		}
		if size > MaxText {
			return Text{}, fmt.Errorf("it has more than %d MiB of text; split it", MaxText>>20)
		}
		text.Pages = append(text.Pages, lines)
	}
	if size == 0 {
		return Text{}, errors.New("it holds no text, so it may be a scan; run text recognition on it, or export it as Markdown")
	}
	return text, nil
}

// page reads one page; one that is damaged is left empty.
func page(file *pdf.Reader, number int) (lines []Line) {
	defer func() { _ = recover() }()
	var b lineBuilder
	for _, t := range file.Page(number).Content().Text {
		b.add(t)
	}
	b.end()
	return b.lines
}

// lineBuilder joins letters into lines in the order in which they are drawn,
// which is that of reading in what text programs write.
type lineBuilder struct {
	lines  []Line
	text   strings.Builder
	size   float64
	x, y   float64 // where the last letter ended
	bottom float64 // of the last line
	wide   float64 // how much is above this line
}

func (b *lineBuilder) add(t pdf.Text) {
	if t.S == "" || t.S == "\n" || t.S == "\r" || math.IsNaN(t.X) || math.IsNaN(t.Y) {
		return
	}
	size := math.Abs(t.FontSize)
	if b.text.Len() > 0 {
		switch {
		case math.Abs(t.Y-b.y) > 0.4*math.Max(size, 1), t.X < b.x-2*math.Max(size, 1):
			b.end()
		case t.X-b.x > 0.2*size && !strings.HasSuffix(b.text.String()[b.text.Len()-1:], " "):
			b.text.WriteByte(' ')
		}
	}
	if b.text.Len() == 0 {
		b.wide = b.bottom - t.Y
	}
	b.text.WriteString(t.S)
	b.size = math.Max(b.size, size)
	b.x, b.y = t.X+t.W, t.Y
}

func (b *lineBuilder) end() {
	if text := tidy(b.text.String()); text != "" {
		apart := len(b.lines) > 0 && (b.wide > 1.7*b.size || b.wide < 0)
		b.lines = append(b.lines, Line{Text: text, Size: math.Round(b.size*2) / 2, Apart: apart})
		b.bottom = b.y
	}
	b.text.Reset()
	b.size = 0
}

// tidy makes a line one: letters for ligatures, no control characters.
func tidy(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.NewReplacer("ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "\u00ad", "").Replace(s)
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	return strings.TrimRight(s, " ")
}

func short(s string) string {
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "")
	}
	return s
}
