package rag

import (
	"errors"
	"fmt"
)

// Config is the section "rag".
type Config struct {
	// MaxFileBytes bounds one file. Defaults to 4194304 (4 MiB), and is at most that.
	MaxFileBytes int `koanf:"max_file_bytes"`
	// MaxFiles bounds the files of a course. Defaults to 20000.
	MaxFiles int `koanf:"max_files"`
	// K1 is how soon repetitions of a word stop counting in BM25. Defaults to 1.2.
	K1 float64 `koanf:"bm25_k1"`
	// B is how much long passages are held against themselves, 0 to 1. Defaults
	// to 0.9, which served best on questions about Python.
	B float64 `koanf:"bm25_b"`
	// HeadingWeight is what a word in a heading counts, against 1 in the text.
	// Defaults to 2. Documents take it when they are ingested.
	HeadingWeight float64 `koanf:"heading_weight"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{MaxFileBytes: 4 << 20, MaxFiles: 20_000, K1: 1.2, B: 0.9, HeadingWeight: 2}
}

// Validate says what is wrong, all of it at once.
func (c *Config) Validate() error {
	var all []error
	if c.MaxFileBytes < 1 || c.MaxFileBytes > 4<<20 {
		all = append(all, fmt.Errorf("rag.max_file_bytes: %d must be from 1 to 4194304", c.MaxFileBytes))
	}
	if c.MaxFiles < 1 {
		all = append(all, fmt.Errorf("rag.max_files: %d must be 1 or more", c.MaxFiles))
	}
	if c.K1 < 0 || c.K1 > 10 || c.B < 0 || c.B > 1 {
		all = append(all, fmt.Errorf("rag.bm25_k1 must be from 0 to 10 and rag.bm25_b from 0 to 1; they are %g and %g", c.K1, c.B))
	}
	if c.HeadingWeight < 0 || c.HeadingWeight > 10 {
		all = append(all, fmt.Errorf("rag.heading_weight: %g must be from 0 to 10", c.HeadingWeight))
	}
	return errors.Join(all...)
}
