// Package report writes a validation.Report for people and for tools: text,
// JSON, SARIF 2.1.0 and JUnit XML. What a report holds is untrusted text; it
// comes out escaped, and without what would steer a terminal.
package report

import (
	"fmt"
	"io"
	"time"

	"github.com/goals-tracker/tracker/modules/validation"
)

// Format names how a report is written.
type Format string

// The formats.
const (
	Text  Format = "text"
	JSON  Format = "json"
	SARIF Format = "sarif"
	JUnit Format = "junit"
)

// Formats are all formats.
var Formats = []Format{Text, JSON, SARIF, JUnit}

// Options of a report.
type Options struct {
	// Language of messages: "es", else English.
	Language string
	// Took is the whole time that judging took.
	Took time.Duration
	// Root is what the findings' files are relative to, for SARIF; "" leaves
	// them relative.
	Root string
}

// Write writes a report in a format.
func Write(w io.Writer, format Format, r validation.Report, o Options) error {
	switch format {
	case Text, "":
		return writeText(w, r, o)
	case JSON:
		return writeJSON(w, r, o)
	case SARIF:
		return writeSARIF(w, r, o)
	case JUnit:
		return writeJUnit(w, r, o)
	}
	return fmt.Errorf("there is no format %q; there are %v", format, Formats)
}

// nameOf is what a test is called.
func nameOf(t validation.Test) string {
	if t.Name != "" {
		return t.Name
	}
	return t.ID
}
