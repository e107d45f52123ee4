package goals

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
)

// Checker collects what is wrong with an input, for errs.BadInput.
type Checker struct{ err *errs.Error }

// Wrong notes what is wrong with the field at a path, as the rest of a sentence
// in English and Spanish: "must not be empty", "no puede estar vacío".
func (c *Checker) Wrong(path, english, spanish string) {
	e := wire.FieldError(path, english, spanish)
	if c.err == nil {
		c.err = e
		return
	}
	c.err.Fields = append(c.err.Fields, e.Fields...)
}

// Text checks a string of least to most characters.
func (c *Checker) Text(path, value string, least, most int) {
	n := utf8.RuneCountInString(value)
	switch {
	case !utf8.ValidString(value):
		c.Wrong(path, "must be UTF-8", "debe ser UTF-8")
	case strings.ContainsRune(value, 0):
		c.Wrong(path, "must not hold a NUL", "no puede contener un NUL")
	case least > 0 && strings.TrimSpace(value) == "":
		c.Wrong(path, "must not be empty", "no puede estar vacío")
	case n > most:
		c.Wrong(path, fmt.Sprintf("has %d characters, at most %d are allowed", n, most),
			fmt.Sprintf("tiene %d caracteres, como máximo se permiten %d", n, most))
	}
}

// Count checks that a list has at most so many items.
func (c *Checker) Count(path string, n, most int) {
	if n > most {
		c.Wrong(path, fmt.Sprintf("has %d items, at most %d are allowed", n, most),
			fmt.Sprintf("tiene %d elementos, como máximo se permiten %d", n, most))
	}
}

// Err is errs.BadInput with all fields; nil when nothing is wrong.
func (c *Checker) Err() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

// normal fills what was left out and cuts times to what the database keeps.
func (d Details) normal() Details {
	if d.Priority == "" {
		d.Priority = PriorityMedium
	}
	if d.Metadata == "" {
		d.Metadata = "{}"
	}
	if !d.DueAt.IsZero() {
		d.DueAt = d.DueAt.UTC().Truncate(time.Microsecond)
	}
	d.Criteria = slices.Clone(d.Criteria)
	return d
}

func (d Details) check() error {
	var c Checker
	c.Text("title", d.Title, 1, 500)
	c.Text("description", d.Description, 0, 20000)
	c.Text("course_id", d.CourseID, 0, 36)
	if !slices.Contains(Priorities, d.Priority) {
		c.Wrong("priority", "must be low, medium, high or urgent", "debe ser low, medium, high o urgent")
	}
	c.Count("validation_criteria", len(d.Criteria), 50)
	for i, criterion := range d.Criteria {
		c.Text(fmt.Sprintf("validation_criteria[%d]", i), criterion, 1, 1000)
	}
	if _, err := canonicalObject(d.Metadata.Text()); err != nil {
		c.Wrong("metadata", err.english, err.spanish)
	}
	if year := d.DueAt.Year(); !d.DueAt.IsZero() && (year < 1 || year > 9999) {
		c.Wrong("due_at", "must lie in the years 1 to 9999", "debe estar entre los años 1 y 9999")
	}
	return c.Err()
}
