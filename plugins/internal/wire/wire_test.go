package wire

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/llm"
)

func TestPiecesAreWholeCharactersAndLoseNothing(t *testing.T) {
	for _, text := range []string{"", "a", strings.Repeat("ñ", maxPiece), "x" + strings.Repeat("日本", maxPiece), strings.Repeat("\x80", 3*maxPiece)} {
		pieces := Pieces(text)
		if strings.Join(pieces, "") != text {
			t.Errorf("%d bytes came back as %d", len(text), len(strings.Join(pieces, "")))
		}
		for _, p := range pieces {
			if len(p) > maxPiece || len(p) == 0 || utf8.ValidString(text) && !utf8.ValidString(p) {
				t.Errorf("a piece of %d bytes, valid %t", len(p), utf8.ValidString(p))
			}
		}
	}
}

func TestProvidersSayInManyWaysHowLongToWait(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second},
		{"Retry-After", "1.5", 1500 * time.Millisecond},
		{"Retry-After", "Fri, 02 Jan 2026 03:05:05 GMT", time.Minute},
		{"Retry-After", "Thu, 01 Jan 2026 00:00:00 GMT", 0},
		{"Retry-After", "soon", 0},
		{"Retry-After", "-3", 0},
		{"Retry-After", "1e300", 24 * time.Hour},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
	} {
		if got := retryAfter(http.Header{c.name: {c.value}}, now); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func TestAnswersAreBoundedInBytesAndCalls(t *testing.T) {
	var e *llm.Error
	a := Answer{}
	if err := a.Grow(MaxAnswer); err != nil {
		t.Error(err)
	}
	if err := a.Grow(1); !errors.As(err, &e) || e.Code != llm.CodeInternal {
		t.Errorf("got %v", err)
	}
	a = Answer{ToolCalls: make([]llm.ToolCall, MaxCalls+1)}
	if a.Grow(0) == nil {
		t.Error("too many calls were taken")
	}
	a.number()
	if a.ToolCalls[0].ID == a.ToolCalls[1].ID || a.ToolCalls[0].Arguments != "{}" {
		t.Errorf("got %+v", a.ToolCalls[:2])
	}
}
