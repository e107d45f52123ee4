package tasks

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/goals"
)

// What the files of a task may weigh, in bytes.
const (
	maxFile  = 1 << 20
	maxFiles = 4 << 20
)

// normal fills what was left out and brings ids and paths into one form.
func (d Details) normal() Details {
	if d.Type == "" {
		d.Type = TypeCode
	}
	d.Metadata = goals.Metadata(d.Metadata.Text())
	d.DependsOn = slices.Clone(d.DependsOn)
	for i, id := range d.DependsOn {
		if parsed, err := uuid.Parse(id); err == nil {
			d.DependsOn[i] = parsed.String()
		}
	}
	d.Concepts = slices.Clone(d.Concepts)
	if v := d.Validation; v != nil {
		v = v.mapFiles(func(f File) File { return f })
		v.Options = goals.Metadata(v.Options.Text())
		d.Validation = v
	}
	return d
}

func (d Details) check() error {
	var c goals.Checker
	c.Text("title", d.Title, 1, 500)
	c.Text("description", d.Description, 0, 20000)
	c.Text("language", d.Language, 0, 50)
	if !slices.Contains(Types, d.Type) {
		c.Wrong("type", "must be code, documentation, testing, research, review, deployment or other",
			"debe ser code, documentation, testing, research, review, deployment u other")
	}
	if d.Position < 0 || d.Position > 1000000 {
		c.Wrong("position", "must be between 0 and 1000000", "debe estar entre 0 y 1000000")
	}
	hours(&c, "estimated_hours", d.EstimatedHours)
	hours(&c, "actual_hours", d.ActualHours)
	c.Count("depends_on", len(d.DependsOn), 100)
	c.Count("concepts", len(d.Concepts), 50)
	for i, concept := range d.Concepts {
		c.Text(fmt.Sprintf("concepts[%d]", i), concept, 1, 200)
	}
	c.Count("citations", len(d.Citations), 50)
	for i, citation := range d.Citations {
		citation.check(&c, fmt.Sprintf("citations[%d].", i))
	}
	if _, err := goals.ParseMetadata("metadata", d.Metadata.Text()); err != nil {
		return err
	}
	if d.Validation != nil {
		d.Validation.check(&c)
	}
	return c.Err()
}

func hours(c *goals.Checker, name string, value *float64) {
	if value != nil && (math.IsNaN(*value) || *value < 0 || *value > 10000) {
		c.Wrong(name, "must be between 0 and 10000", "debe estar entre 0 y 10000")
	}
}

func (t Citation) check(c *goals.Checker, at string) {
	c.Text(at+"document_id", t.DocumentID, 0, 36)
	c.Text(at+"chunk_id", t.ChunkID, 0, 36)
	c.Text(at+"path", t.Path, 0, 1000)
	c.Text(at+"title", t.Title, 0, 500)
	c.Text(at+"heading", t.Heading, 0, 1000)
	c.Text(at+"quote", t.Quote, 0, 2000)
	if t.StartLine < 0 || t.EndLine < t.StartLine || t.EndLine > math.MaxInt32 {
		c.Wrong(at+"end_line", "must not lie before start_line", "no puede estar antes de start_line")
	}
}

func (v *Validation) check(c *goals.Checker) {
	c.Count("validation.tests", len(v.Tests), 100)
	c.Count("validation.starter", len(v.Starter), 100)
	if _, err := goals.ParseMetadata("validation.options", v.Options.Text()); err != nil {
		c.Wrong("validation.options", "must be a JSON object of at most 16 KiB", "debe ser un objeto JSON de 16 KiB como máximo")
	}
	switch v.RequiredIntegrity {
	case "", "shared", "split":
	default:
		c.Wrong("validation.required_integrity", "must be split or shared", "debe ser split o shared")
	}
	total := 0
	for name, files := range map[string][]File{"validation.tests": v.Tests, "validation.starter": v.Starter} {
		seen := map[string]bool{}
		for i, f := range files {
			at := fmt.Sprintf("%s[%d]", name, i)
			c.Text(at+".path", f.Path, 1, 1000)
			if !inside(f.Path) || seen[f.Path] {
				c.Wrong(at+".path", "must be a relative path of its own, with / and without ..",
					"debe ser una ruta relativa y única, con / y sin ..")
			}
			seen[f.Path] = true
			c.Text(at+".content", f.Content, 0, maxFile)
			if len(f.Content) > maxFile {
				c.Wrong(at+".content", "must not have more than 1 MiB", "no puede tener más de 1 MiB")
			}
			total += len(f.Content)
		}
	}
	if total > maxFiles {
		c.Wrong("validation", "must not have more than 4 MiB of files", "no puede tener más de 4 MiB de archivos")
	}
}

// checkContents finds files that name a content by digest which the task does
// not have: who sends back what a list showed keeps it, nobody gets another's.
func (v *Validation) checkContents(before *Validation) error {
	known := map[string]bool{}
	for _, f := range before.Files() {
		known[f.Digest] = true
	}
	var c goals.Checker
	for _, f := range v.Files() {
		if !f.Loaded && !known[f.Digest] {
			c.Wrong("validation", fmt.Sprintf("lacks the content of %.100q", f.Path), fmt.Sprintf("no trae el contenido de %.100q", f.Path))
		}
	}
	return c.Err()
}

func inside(name string) bool {
	return name != "" && !path.IsAbs(name) && path.Clean(name) == name && name != "." &&
		name != ".." && !strings.HasPrefix(name, "../") && !strings.Contains(name, `\`)
}

// differences are the names of the fields that differ.
func (d Details) differences(o Details) (names []string) {
	note := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	note("title", d.Title == o.Title)
	note("description", d.Description == o.Description)
	note("type", d.Type == o.Type)
	note("position", d.Position == o.Position)
	note("estimated_hours", equal(d.EstimatedHours, o.EstimatedHours))
	note("actual_hours", equal(d.ActualHours, o.ActualHours))
	note("depends_on", slices.Equal(d.DependsOn, o.DependsOn))
	note("concepts", slices.Equal(d.Concepts, o.Concepts))
	note("language", d.Language == o.Language)
	note("validation", d.Validation.equal(o.Validation))
	note("citations", slices.Equal(d.Citations, o.Citations))
	note("metadata", d.Metadata.Equal(o.Metadata))
	note("course_id", d.CourseID == o.CourseID)
	return names
}

func equal(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }
