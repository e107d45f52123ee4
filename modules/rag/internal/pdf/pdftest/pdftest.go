// Package pdftest writes small PDF files for tests.
package pdftest

import (
	"bytes"
	"fmt"
	"strings"
)

// Line is a line of text of a size in points; "" leaves a line's space free.
type Line struct {
	Text string
	Size float64
}

// File makes a PDF of pages of lines, in Helvetica with its true widths left
// out, as text programs do.
func File(title string, pages ...[]Line) []byte {
	streams := make([]string, len(pages))
	for i, lines := range pages {
		var s strings.Builder
		s.WriteString("BT\n")
		y := 780.0
		for _, l := range lines {
			y -= 1.2 * l.Size
			if l.Text != "" {
				fmt.Fprintf(&s, "/F1 %g Tf 1 0 0 1 50 %g Tm (%s) Tj\n", l.Size, y, literal(l.Text))
			}
		}
		s.WriteString("ET\n")
		streams[i] = s.String()
	}
	return Streams(title, streams...)
}

// Streams makes a PDF of pages with these content streams.
func Streams(title string, streams ...string) []byte {
	kids := make([]string, 0, len(streams))
	objects := make([]string, 0, 4+2*len(streams))
	objects = append(objects,
		"<< /Type /Catalog /Pages 2 0 R >>",
		"", // the pages
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Title (%s) >>", literal(title)),
	)
	for _, stream := range streams {
		n := len(objects) + 1
		kids = append(kids, fmt.Sprintf("%d 0 R", n))
		objects = append(objects,
			fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", n+1),
			fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(stream), stream))
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %-6d >>", strings.Join(kids, " "), len(kids))
	return assemble(objects)
}

func assemble(objects []string) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return out.Bytes()
}

// literal writes a string as PDF does, in WinAnsi.
func literal(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune(`()\`, r):
			out.WriteRune('\\')
			out.WriteRune(r)
		case r < 0x80:
			out.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&out, `\%03o`, r)
		default:
			out.WriteByte('?')
		}
	}
	return out.String()
}
