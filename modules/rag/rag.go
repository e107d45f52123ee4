package rag

import "time"

// Kind is what a document is.
type Kind string

// The kinds of documents.
const (
	Markdown Kind = "markdown"
	Code     Kind = "code"
	Notebook Kind = "notebook"
	Text     Kind = "text"
	HTML     Kind = "html"
	PDF      Kind = "pdf"
)

// The kinds of passages.
const (
	PassageText          = "text"
	PassageCode          = "code"
	PassageObjectives    = "objectives"
	PassageExercise      = "exercise"
	PassagePrerequisites = "prerequisites"
)

// Scope says what is searched.
type Scope string

// The scopes.
const (
	// ScopeUser is what belongs to the caller alone.
	ScopeUser Scope = "user"
	// ScopeCourse is the material of one course.
	ScopeCourse Scope = "course"
	// ScopeGlobal is all courses the caller belongs to, what is open to everyone,
	// and what belongs to the caller.
	ScopeGlobal Scope = "global"
)

// Meta is what a document's front matter says of it.
type Meta struct {
	// Unit is the place in the course's order, from 1; 0 when it has none.
	Unit          int      `json:"unit,omitempty"`
	Description   string   `json:"description,omitempty"`
	Objectives    []string `json:"objectives,omitempty"`
	Prerequisites []string `json:"prerequisites,omitempty"`
	// Concepts are what the document teaches or an exercise practises.
	Concepts       []string `json:"concepts,omitempty"`
	EstimatedHours float64  `json:"estimated_hours,omitempty"`
	// Difficulty is 1 to 5; 0 when it isn't said.
	Difficulty int `json:"difficulty,omitempty"`
	// Extra holds the other keys, each value as JSON-like data.
	Extra map[string]any `json:"extra,omitempty"`
}

// Document is one file of a course's material.
type Document struct {
	ID       string
	CourseID string
	// Path is relative to the root of the course's material, with slashes.
	Path  string
	Title string
	Kind  Kind
	// Language is "en", "es" or the programming language.
	Language string
	// Digest is the hex SHA-256 of the file.
	Digest    string
	Chunks    int
	Meta      Meta
	CreatedAt time.Time
	UpdatedAt time.Time
	// Content is set by Service.Document only. Of HTML and PDF it is their text,
	// as Markdown and page by page; spans are of that.
	Content string
}

// Passage is a chunk of a document. Except in notebooks, Text is exactly the
// document's bytes from StartByte to EndByte; a notebook's passage is the source
// of a cell, and its span is the cell in the file.
type Passage struct {
	ChunkID    string
	DocumentID string
	CourseID   string
	Path       string
	Title      string
	// Heading is the path of headings, "Lists > Slicing", or of a program's names.
	Heading string
	// Kind is one of the Passage… constants.
	Kind     string
	Text     string
	Language string
	// Lines count from 1, both inclusive; bytes from 0, the end exclusive.
	StartLine, EndLine int
	StartByte, EndByte int
	// Score is higher for better, comparable within one answer; 0 when nothing
	// was searched for.
	Score float64
}

// PassageFilter says which passages to read; zero fields don't narrow.
type PassageFilter struct {
	CourseID    string
	ChunkIDs    []string
	DocumentIDs []string
	Kinds       []string
	// Limit defaults to 1,000 and is at most that.
	Limit int
}

// Role is a file's part in an exercise.
type Role string

// The roles. Only starters are searchable and readable by learners.
const (
	Starter  Role = "starter"
	Solution Role = "solution"
	Tests    Role = "tests"
)

// ExerciseFile is one file of an exercise.
type ExerciseFile struct {
	Role Role `json:"role"`
	// Path is the document path: "exercises/receipt/tests/test_receipt.py".
	Path string `json:"path"`
	// Name is what the file is called beside the others when tests run.
	Name    string `json:"name"`
	Content string `json:"content"`
}

// Exercise is a graded exercise with all its files: never for learners' eyes.
type Exercise struct {
	ID       string
	CourseID string
	// DocumentID is its statement.
	DocumentID string
	// Path is its folder, Slug the folder's name.
	Path, Slug     string
	Title          string
	Concepts       []string
	Difficulty     int
	EstimatedHours float64
	// Language is the programming language, "" when unknown.
	Language string
	Meta     Meta
	Files    []ExerciseFile
}

// ByRole gives the contents of a role's files by name.
func (e Exercise) ByRole(role Role) map[string]string {
	files := map[string]string{}
	for _, f := range e.Files {
		if f.Role == role {
			files[f.Name] = f.Content
		}
	}
	return files
}

// File is a file to ingest.
type File struct {
	// Path is relative to the root of the material, with slashes.
	Path    string
	Content []byte
}

// Problem is a file that was not indexed.
type Problem struct {
	Path string
	// Reason says in English what is wrong and what to do.
	Reason string
}

// Report is what an ingest did, in files.
type Report struct {
	Added, Changed, Unchanged, Removed int
	// Chunks are those of the files that were added or changed.
	Chunks   int
	Problems []Problem
	// Concepts are all that the course's concept graph now has, Cycles those
	// that were broken in it.
	Concepts int
	Cycles   []Cycle
}

// Progress is how far an ingest is, in files.
type Progress struct{ Done, Total int }
