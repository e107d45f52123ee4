// Package rag keeps the courses' material and finds passages in it.
//
// It owns schema rag: documents and exercises (facts), and what is derived from
// them: chunks with their place in the document, BM25 postings, embedding
// spaces. Documents come from a course's teachers; what may be searched follows
// from the caller's rights alone, with row-level security behind it.
//
// Solutions and tests of exercises are kept beside the index, never in it: they
// serve the server's own planner and are no learner's to read.
//
// It writes no prose and calls no model to answer; that is modules/agents.
package rag
