package rag

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Config is the section "rag".
type Config struct {
	// MaxFileBytes bounds one file. Defaults to 4194304 (4 MiB), and is at most that.
	MaxFileBytes int `koanf:"max_file_bytes"`
	// MaxFiles bounds the files of a course. Defaults to 20000.
	MaxFiles int `koanf:"max_files"`
	// KeyFile holds the key of the pseudonyms under which learners find each other's
	// code; it is made when it is not there. Defaults to rag.key in the data folder;
	// without a file, pseudonyms are new ones with each start.
	KeyFile string `koanf:"key_file"`
	// Watch names folders by the id of the course whose material they are: what
	// changes in them is taken in, and what is gone leaves the index. Defaults to
	// none.
	Watch map[string]WatchConfig `koanf:"watch"`
	// K1 is how soon repetitions of a word stop counting in BM25. Defaults to 1.5.
	K1 float64 `koanf:"bm25_k1"`
	// B is how much long passages are held against themselves, 0 to 1. Defaults to
	// 1, which served best on questions about Python.
	B float64 `koanf:"bm25_b"`
	// HeadingWeight is what a word in a heading counts, against 1 in the text.
	// Defaults to 3. Documents take it when they are ingested.
	HeadingWeight float64 `koanf:"heading_weight"`
	// EmbedDeadline is how long a search waits for the vector of its question;
	// then it goes by words alone and says so. Defaults to 250 ms.
	EmbedDeadline time.Duration `koanf:"embed_deadline"`
	// EmbedEvery is how often passages without vectors are looked for. Defaults to
	// 10 s.
	EmbedEvery time.Duration `koanf:"embed_every"`
	// KeepRetired is how long an embedding space stays after another took its
	// place. Defaults to 1 h.
	KeepRetired time.Duration `koanf:"keep_retired"`
	// ExactUpTo is up to how many passages a search compares with all of them;
	// among more it goes by the index, which may miss some. Defaults to 8000.
	ExactUpTo int `koanf:"exact_up_to"`
	// IndexBreadth is how widely the index looks (hnsw.ef_search), 100 to 1000:
	// more finds more and takes longer. Defaults to 120.
	IndexBreadth int `koanf:"index_breadth"`
	// Diversity is how much passages that say the same are held against each
	// other, 0 to 1, where a search doesn't say. Defaults to 0.
	Diversity float64 `koanf:"diversity"`
	// Rerank lets a model of the routes for "rerank" order what was found, where
	// there is one. Defaults to true.
	Rerank bool `koanf:"rerank"`
	// RerankDeadline is how long a search waits for that. Defaults to 1 s.
	RerankDeadline time.Duration `koanf:"rerank_deadline"`
}

// WatchConfig is a folder of course material that is watched.
type WatchConfig struct {
	// Folder is the material's root. Required.
	Folder string `koanf:"folder"`
	// Pull brings the folder, a checkout of a git repository, up to date each time
	// before it is looked through. Defaults to false.
	Pull bool `koanf:"pull"`
	// Every is how often the folder is looked through; where the system tells of
	// changes, they are seen at once. Defaults to 30 s.
	Every time.Duration `koanf:"every"`
}

// DefaultWatchEvery is how often a watched folder is looked through.
const DefaultWatchEvery = 30 * time.Second

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{MaxFileBytes: 4 << 20, MaxFiles: 20_000, K1: 1.5, B: 1, HeadingWeight: 3,
		EmbedDeadline: 250 * time.Millisecond, EmbedEvery: 10 * time.Second, KeepRetired: time.Hour,
		ExactUpTo: 8000, IndexBreadth: 120, Rerank: true, RerankDeadline: time.Second}
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
	all = append(all, c.checkRanking()...)
	all = append(all, c.checkWatches()...)
	if c.EmbedDeadline <= 0 || c.EmbedEvery <= 0 || c.KeepRetired < 0 || c.RerankDeadline <= 0 {
		all = append(all, errors.New("rag: embed_deadline, embed_every and rerank_deadline must be positive, keep_retired 0 or more"))
	}
	if c.ExactUpTo < 0 || c.IndexBreadth < 100 || c.IndexBreadth > 1000 {
		all = append(all, fmt.Errorf("rag.exact_up_to: %d must be 0 or more; rag.index_breadth: %d must be from 100 to 1000", c.ExactUpTo, c.IndexBreadth))
	}
	if c.Diversity < 0 || c.Diversity > 1 {
		all = append(all, fmt.Errorf("rag.diversity: %g must be from 0 to 1", c.Diversity))
	}
	return errors.Join(all...)
}

func (c *Config) checkRanking() (all []error) {
	if c.K1 < 0 || c.K1 > 10 || c.B < 0 || c.B > 1 {
		all = append(all, fmt.Errorf("rag.bm25_k1 must be from 0 to 10 and rag.bm25_b from 0 to 1; they are %g and %g", c.K1, c.B))
	}
	if c.HeadingWeight < 0 || c.HeadingWeight > 10 {
		all = append(all, fmt.Errorf("rag.heading_weight: %g must be from 0 to 10", c.HeadingWeight))
	}
	return all
}

func (c *Config) checkWatches() (all []error) {
	for course, w := range c.Watch {
		if !filepath.IsAbs(w.Folder) {
			all = append(all, fmt.Errorf("rag.watch.%s.folder: %q must be the whole path of a folder", course, w.Folder))
		}
		if w.Every < 0 {
			all = append(all, fmt.Errorf("rag.watch.%s.every: %s must be 0 or more", course, w.Every))
		}
	}
	return all
}
