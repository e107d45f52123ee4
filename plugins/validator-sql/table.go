package main

import (
	"strings"
	"unicode/utf8"
)

// How much of a table fits into a message.
const (
	shownRows    = 10
	shownColumns = 8
	shownCell    = 40
)

// draw writes a table as people do, with its beginning only when it is large.
func draw(columns []string, rows [][]cell) string {
	wide := len(columns) > shownColumns
	lines := [][]string{}
	if strings.Join(columns, "") != "" {
		lines = append(lines, clipRow(columns, wide))
	}
	header := len(lines) > 0
	for _, row := range rows[:min(len(rows), shownRows)] {
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = v.show()
		}
		lines = append(lines, clipRow(texts, wide))
	}
	widths := []int{}
	for _, line := range lines {
		for i, text := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	for n, line := range lines {
		writeRow(&b, line, widths)
		if n == 0 && header {
			dashes := make([]string, len(widths))
			for i, w := range widths {
				dashes[i] = strings.Repeat("-", w)
			}
			writeRow(&b, dashes, widths)
		}
	}
	if len(rows) > shownRows {
		b.WriteString("…\n")
	}
	if len(rows) == 0 {
		b.WriteString("(0)\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func writeRow(b *strings.Builder, texts []string, widths []int) {
	b.WriteString("|")
	for i, text := range texts {
		b.WriteString(" " + text + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)) + " |")
	}
	b.WriteString("\n")
}

func clipRow(texts []string, wide bool) []string {
	out := make([]string, 0, shownColumns+1)
	for _, text := range texts[:min(len(texts), shownColumns)] {
		out = append(out, clip(text))
	}
	if wide {
		out = append(out, "…")
	}
	return out
}

func clip(text string) string {
	text = strings.NewReplacer("\n", "⏎", "\r", "␍", "\t", "⇥", "|", "¦").Replace(text)
	if runes := []rune(text); len(runes) > shownCell {
		return string(runes[:shownCell-1]) + "…"
	}
	return text
}

// show is a value as a reader tells it from others.
func (c cell) show() string {
	switch {
	case c.kind == 0:
		return "NULL"
	case c.kind == 'b':
		return "x'" + c.text + "'"
	case c.kind == 's' && (c.text == "" || strings.EqualFold(c.text, "NULL") || strings.TrimSpace(c.text) != c.text || number(c.text)):
		return "'" + c.text + "'"
	}
	return c.text
}

// number says whether a text looks like a number, so that quotes tell it from one.
func number(s string) bool { return strings.Trim(s, "0123456789.-+eE") == "" }
