package rag

import "time"

// Query is what to look for.
type Query struct {
	Text string
	// Scope defaults to what the course's policy says when CourseID is set
	// (ScopeCourse where it says nothing), else to ScopeGlobal.
	Scope    Scope
	CourseID string
	// Peers also searches other learners' validated code, where the course's policy
	// lets them. What is written for a learner to read must not: it would be a
	// solution.
	Peers bool
	// Limit defaults to 10; at most 50 are given.
	Limit int
	// By is how passages are found. Defaults to ByBoth.
	By By
	// Diversity is how much passages that say the same are held against each
	// other: 0 not at all but for repetitions, 1 as much as they fit the question.
	// nil is as configured.
	Diversity *float64
	// MaxTokens bounds the text of all passages together, about four bytes a
	// token; those that would not fit any more are left out. 0 is no bound.
	MaxTokens int
	// EmbedWithin is how long to wait for the question's vector. 0 is as
	// configured.
	EmbedWithin time.Duration
}

// By is how passages are found.
type By string

// The ways.
const (
	// ByBoth goes by words and meaning, where there are vectors.
	ByBoth By = ""
	// ByWords is BM25 alone.
	ByWords By = "words"
	// ByMeaning is vectors alone; nothing is found where there are none.
	ByMeaning By = "meaning"
)

// Result is what was found, best first.
type Result struct {
	Passages []Passage
	// Method is "bm25", or "hybrid" when vectors had a part in it; "vectors" when
	// they were asked for alone.
	Method string
	// Fallback says why vectors had no part in it; empty when they had, or were
	// not asked for.
	Fallback Fallback
	// Reranked says that a model has put the passages in their order.
	Reranked bool
}

// Fallback is why a search went by words alone.
type Fallback string

// The reasons.
const (
	// NoEmbedder: no model that makes vectors is configured.
	NoEmbedder Fallback = "no_embedder"
	// Building: the vectors are being made; the first search with them comes when
	// all are there.
	Building Fallback = "building"
	// TooSlow: the question's vector did not come in time.
	TooSlow Fallback = "too_slow"
	// EmbedderFailed: the model could not be asked: it failed, or a budget is used
	// up.
	EmbedderFailed Fallback = "embedder_failed"
)

// SpaceState is what an embedding space is used for.
type SpaceState string

// The states.
const (
	// SpaceBuilding is being filled.
	SpaceBuilding SpaceState = "building"
	// SpaceActive is searched.
	SpaceActive SpaceState = "active"
	// SpaceRetired is to be dropped.
	SpaceRetired SpaceState = "retired"
)

// Space is the vectors of one model.
type Space struct {
	ID         int
	Provider   string
	Model      string
	Dimensions int
	Version    string
	State      SpaceState
	// Weight is what likeness in meaning counts, against 1 for words.
	Weight float64
	// Embedded are the passages with a vector, Refused those that the model can't
	// take, Missing those that wait.
	Embedded, Refused, Missing int64
	// Problem is what went wrong last; empty when it goes well.
	Problem string
}

// Index is how the index is doing.
type Index struct {
	Passages int64
	Spaces   []Space
	// Fallback is why searches go by words alone now; empty when they don't.
	Fallback Fallback
}
