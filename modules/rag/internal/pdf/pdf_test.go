package pdf_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/rag/internal/pdf"
	"github.com/goals-tracker/tracker/modules/rag/internal/pdf/pdftest"
)

func TestTextIsReadPageByPageWithItsSizes(t *testing.T) {
	file := pdftest.File("Bucles y listas",
		[]pdftest.Line{{Text: "Bucles", Size: 24}, {Text: "Un bucle repite (o no) lo que est\u00e1", Size: 11}, {Text: "dentro de \u00e9l.", Size: 11}, {Text: "", Size: 11}, {Text: "Otro p\u00e1rrafo.", Size: 11}},
		nil,
		[]pdftest.Line{{Text: "P\u00e1gina tres", Size: 11}})
	got, err := pdf.Read(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	want := pdf.Text{Title: "Bucles y listas", Pages: [][]pdf.Line{
		{{Text: "Bucles", Size: 24}, {Text: "Un bucle repite (o no) lo que está", Size: 11}, {Text: "dentro de él.", Size: 11}, {Text: "Otro párrafo.", Size: 11, Apart: true}},
		nil,
		{{Text: "Página tres", Size: 11}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWordsThatAreOnlyPlacedApartAreParted(t *testing.T) {
	got, err := pdf.Read(t.Context(), pdftest.Streams("", "BT /F1 10 Tf 1 0 0 1 50 700 Tm [(for) -300 (loop) 20 (s)] TJ ET"))
	if err != nil || len(got.Pages) != 1 || len(got.Pages[0]) != 1 || got.Pages[0][0].Text != "for loops" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhatCannotBeReadIsRefusedWithAReason(t *testing.T) {
	whole := pdftest.File("x", []pdftest.Line{{Text: "text", Size: 11}})
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"nothing":        {nil, "no PDF"},
		"no PDF":         {[]byte("hello"), "no PDF"},
		"cut off":        {whole[:len(whole)/2], "no PDF"},
		"no text":        {pdftest.File("x", nil), "may be a scan"},
		"too many pages": {bytes.Replace(whole, []byte("/Count 1     "), []byte("/Count 999999"), 1), "pages"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := pdf.Read(t.Context(), c.content); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A file that stalls its reader costs a child process and no more.
func TestAFileThatNeverEndsEndsWithItsCaller(t *testing.T) {
	whole := pdftest.File("x", []pdftest.Line{{Text: "text", Size: 11}})
	ring := bytes.Replace(whole, []byte("/Kids [5 0 R]"), []byte("/Kids [2 0 R]"), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := pdf.Read(ctx, ring); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("pages that are their own parents: got %v", err)
	}
	// The next one has its turn.
	if _, err := pdf.Read(t.Context(), whole); err != nil {
		t.Error(err)
	}
}

func TestAPageThatIsDamagedIsLeftOutAndTheOthersAreRead(t *testing.T) {
	got, err := pdf.Read(t.Context(), pdftest.Streams("", "BT /F1 10 Tf 1 2 Tm (bad) Tj ET", "BT /F1 10 Tf 1 0 0 1 50 700 Tm (good) Tj ET"))
	if err != nil || len(got.Pages) != 2 || len(got.Pages[0]) != 0 || len(got.Pages[1]) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Each byte of a file may be anything; what comes back is text or a reason.
func TestADamagedFileIsReadOrRefused(t *testing.T) {
	whole := pdftest.File("x", []pdftest.Line{{Text: "some text", Size: 11}}, []pdftest.Line{{Text: "more text", Size: 11}})
	for i := 9; i < len(whole); i += 37 {
		broken := bytes.Clone(whole)
		broken[i] ^= 0x15
		if _, err := pdf.Read(t.Context(), broken); err != nil && strings.Contains(err.Error(), "can't be started") {
			t.Fatal(fmt.Errorf("byte %d: %w", i, err))
		}
	}
}
