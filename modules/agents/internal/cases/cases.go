// Package cases turns settled disputes into cases of the evaluations, as JSON
// lines without names and ids of people, and reads them again.
package cases

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goals-tracker/tracker/modules/agents"
)

// The kinds of cases; each has a file of its own in a folder.
const (
	// Review: a submission and what was said of it.
	Review = "reviews"
	// Safety: a question to the tutor, and an answer that gives too much away, or
	// one that must not be refused.
	Safety = "safety"
	// Plan: a goal, with what its plan must and must not hold.
	Plan = "plans"
	// Counted: what evaluator or coach went by, and what they must or must not say.
	Counted = "figures"
)

// Kinds are all of them.
var Kinds = []string{Review, Safety, Plan, Counted}

// Case is one line. A plan's has the form of a labelled goal.
type Case struct {
	// ID and Learner are pseudonyms of one export; their key is not kept.
	ID      string `json:"case"`
	Learner string `json:"person"`
	Course  string `json:"course,omitempty"`
	// Outcome, SettledBy and Why are the dispute's.
	Outcome   string   `json:"outcome"`
	SettledBy string   `json:"settled_by"`
	Why       []string `json:"why"`
	// Label says who had made what was disputed.
	Label string `json:"label"`

	// Task and Files are what reviews and safety are about.
	Task  *Task  `json:"task,omitempty"`
	Files []File `json:"files,omitempty"`
	// Claims are a review's.
	Claims []Claim `json:"claims,omitempty"`
	// Ask and Answer are the tutor's; Honest answers must be given, others not.
	Ask    string `json:"ask,omitempty"`
	Answer string `json:"answer,omitempty"`
	Honest bool   `json:"honest,omitempty"`

	// Title, Wishes and Objectives are a plan's; Withdrawn are tasks that it must
	// not hold again.
	Title      string      `json:"title,omitempty"`
	Objectives []Objective `json:"objectives,omitempty"`
	Withdrawn  []Objective `json:"withdrawn,omitempty"`

	// Figures are an evaluation's or a nudge's.
	Figures *Figures `json:"figures,omitempty"`
}

// Figures are what was counted of a learner, and what was said of it.
type Figures struct {
	// Kind is "evaluation", or a nudge's: "stuck" or "deadline".
	Kind     string               `json:"kind"`
	Journeys []agents.SaidJourney `json:"journeys"`
	// Trend, Mastery and Evidence are an evaluation's.
	Trend    string             `json:"trend,omitempty"`
	Mastery  map[string]float64 `json:"mastery,omitempty"`
	Evidence int                `json:"evidence,omitempty"`
	// Fails are how often a nudge says that something failed; Due is in how many
	// seconds it says that a goal is due.
	Fails int     `json:"fails,omitempty"`
	Due   float64 `json:"due,omitempty"`
	// Holds: the same must be said again; otherwise it must not. Correction is
	// what should be said by who teaches the course.
	Holds      bool   `json:"holds"`
	Correction string `json:"correction,omitempty"`
}

// Task is what was to be done.
type Task struct {
	Type        string   `json:"type,omitempty"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Language    string   `json:"language"`
	Concepts    []string `json:"concepts"`
	Starter     []File   `json:"starter"`
	Tests       []File   `json:"tests"`
	// Solution is the exercise's own; empty where it is not known.
	Solution []File `json:"solution"`
	// Exercise is its folder in the course, "" for none.
	Exercise string `json:"exercise,omitempty"`
}

// File is a file.
type File struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

// Claim is a comment of a review, and whether it holds.
type Claim struct {
	Text string `json:"text"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	Rule string `json:"rule,omitempty"`
	Test string `json:"test,omitempty"`
	// Criterion is what a claim says the State of.
	Criterion string `json:"criterion,omitempty"`
	State     string `json:"state,omitempty"`
	Holds     bool   `json:"holds"`
}

// Objective is what a plan leads to, or must not: shown by sections
// ("file#heading") or by the folder of an exercise.
type Objective struct {
	Text  string   `json:"text"`
	Shown []string `json:"shown"`
}

// Write replaces the cases of a kind in a folder. Only the owner reads them:
// learners' code is in there.
func Write(dir, kind string, list []Case) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the cases: %w", err)
	}
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	for _, c := range list {
		if err := lines.Encode(c); err != nil {
			return fmt.Errorf("write case %s: %w", c.ID, err)
		}
	}
	if err := os.WriteFile(file(dir, kind), b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the cases: %w", err)
	}
	return nil
}

// Read reads the cases of a kind; none where the folder has no such file.
func Read(dir, kind string) (list []Case, err error) {
	raw, err := os.ReadFile(file(dir, kind))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("read %s, line %d: %w", file(dir, kind), n, err)
		}
		list = append(list, c)
	}
	return list, lines.Err()
}

func file(dir, kind string) string { return filepath.Join(dir, kind+".jsonl") }
