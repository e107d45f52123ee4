// Package courses carries the sample course, "Python basics", in English and
// in Spanish: the material that `tracker demo` and dev mode ingest, and its
// graded exercises with starters, solutions and tests.
//
// The Spanish course is written for its readers, not translated: its
// exercises and identifiers are its own. The package only reads files; who
// the learners are is the stand-in's business.
//
// One course is one folder:
//
//	course.md                   what the course is; its front matter names it
//	NN-<topic>.md               the units, in order
//	examples/*.py               programs to read
//	notebooks/*.ipynb           programs to play with
//	exercises/<slug>/           exercise.md, starter/, solution/, tests/
package courses

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// The ids of the sample courses.
const (
	PythonBasicsEN = "python-basics-en"
	PythonBasicsES = "python-basics-es"
)

//go:embed python-basics
var files embed.FS

var folders = []struct{ id, dir string }{
	{PythonBasicsEN, "python-basics/en"},
	{PythonBasicsES, "python-basics/es"},
}

// Course is one sample course in one language.
type Course struct {
	ID             string   `yaml:"id"`
	Title          string   `yaml:"title"`
	Description    string   `yaml:"description"`
	Language       string   `yaml:"language"` // en or es
	Objectives     []string `yaml:"objectives"`
	EstimatedHours float64  `yaml:"estimated_hours"`

	dir  string
	fsys fs.FS
}

// All returns the sample courses, English first.
func All() ([]Course, error) {
	list := make([]Course, 0, len(folders))
	for _, folder := range folders {
		c, err := Find(folder.id)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// Find returns the course of an id, or an error that wraps fs.ErrNotExist.
func Find(id string) (Course, error) {
	for _, folder := range folders {
		if folder.id != id {
			continue
		}
		fsys, err := fs.Sub(files, folder.dir)
		if err != nil {
			return Course{}, fmt.Errorf("open course %s: %w", id, err)
		}
		c := Course{dir: folder.dir, fsys: fsys}
		if _, err := readFrontMatter(fsys, "course.md", &c); err != nil {
			return Course{}, fmt.Errorf("read course %s: %w", id, err)
		}
		return c, nil
	}
	return Course{}, fmt.Errorf("course %q: no sample course has this id: %w", id, fs.ErrNotExist)
}

// Folder is where the course lies in this package's source, with slashes.
func (c Course) Folder() string { return c.dir }

// FS is the course's folder, with all its files.
func (c Course) FS() fs.FS { return c.fsys }

// Material lists what learners may read, and so what may be ingested, sorted:
// never solutions or tests, or search and hints would give the answers away.
func (c Course) Material() ([]string, error) {
	var paths []string
	err := fs.WalkDir(c.fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "solution" || d.Name() == "tests" {
				return fs.SkipDir
			}
			return nil
		}
		paths = append(paths, path)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the material of %s: %w", c.ID, err)
	}
	slices.Sort(paths)
	return paths, nil
}

// Unit is one lesson, a Markdown file.
type Unit struct {
	Path           string   `yaml:"-"` // in the course's folder
	Body           string   `yaml:"-"` // Markdown after the front matter
	Title          string   `yaml:"title"`
	Number         int      `yaml:"unit"` // from 1
	Objectives     []string `yaml:"objectives"`
	Prerequisites  []string `yaml:"prerequisites"` // concepts of earlier units
	Concepts       []string `yaml:"concepts"`      // what this unit teaches
	EstimatedHours float64  `yaml:"estimated_hours"`
}

// Units returns the lessons in order.
func (c Course) Units() ([]Unit, error) {
	paths, err := fs.Glob(c.fsys, "[0-9][0-9]-*.md")
	if err != nil {
		return nil, fmt.Errorf("list the units of %s: %w", c.ID, err)
	}
	units := make([]Unit, 0, len(paths))
	for _, path := range paths {
		u := Unit{Path: path}
		if u.Body, err = readFrontMatter(c.fsys, path, &u); err != nil {
			return nil, fmt.Errorf("read a unit of %s: %w", c.ID, err)
		}
		units = append(units, u)
	}
	return units, nil
}

// Exercise is one graded exercise. File maps are path → content, where the
// path is what the file is called beside the others when tests run.
type Exercise struct {
	Slug           string   `yaml:"-"` // its folder's name
	Statement      string   `yaml:"-"` // Markdown after the front matter
	Title          string   `yaml:"title"`
	Unit           int      `yaml:"unit"`
	Concepts       []string `yaml:"concepts"`
	Difficulty     int      `yaml:"difficulty"` // 1 to 5
	EstimatedHours float64  `yaml:"estimated_hours"`
	Language       string   `yaml:"language"` // programming language
	Module         string   `yaml:"module"`   // what the tests import
	Functions      []string `yaml:"functions"`
	TestFramework  string   `yaml:"test_framework"` // pytest or unittest

	Starter  map[string]string `yaml:"-"` // what the learner begins with; fails
	Solution map[string]string `yaml:"-"` // passes
	Tests    map[string]string `yaml:"-"`
}

// Exercises returns the graded exercises by unit, then difficulty, then slug.
func (c Course) Exercises() ([]Exercise, error) {
	entries, err := fs.ReadDir(c.fsys, "exercises")
	if err != nil {
		return nil, fmt.Errorf("list the exercises of %s: %w", c.ID, err)
	}
	list := make([]Exercise, 0, len(entries))
	for _, entry := range entries {
		x, err := c.Exercise(entry.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b Exercise) int {
		if a.Unit != b.Unit {
			return a.Unit - b.Unit
		}
		if a.Difficulty != b.Difficulty {
			return a.Difficulty - b.Difficulty
		}
		return strings.Compare(a.Slug, b.Slug)
	})
	return list, nil
}

// Exercise returns one exercise by its folder's name, or an error that wraps
// fs.ErrNotExist.
func (c Course) Exercise(slug string) (Exercise, error) {
	x := Exercise{Slug: slug}
	dir, err := fs.Sub(c.fsys, "exercises/"+slug)
	if err != nil {
		return x, fmt.Errorf("open exercise %s of %s: %w", slug, c.ID, err)
	}
	if x.Statement, err = readFrontMatter(dir, "exercise.md", &x); err != nil {
		return x, fmt.Errorf("read exercise %s of %s: %w", slug, c.ID, err)
	}
	for name, into := range map[string]*map[string]string{"starter": &x.Starter, "solution": &x.Solution, "tests": &x.Tests} {
		if *into, err = readFolder(dir, name); err != nil {
			return x, fmt.Errorf("read exercise %s of %s: %w", slug, c.ID, err)
		}
	}
	return x, nil
}
