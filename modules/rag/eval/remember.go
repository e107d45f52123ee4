package eval

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
)

// Remembered makes vectors of a text once, and keeps them in a folder for the
// next evaluation: a file a space, of digests and vectors. Safe for concurrent
// use by one process.
type Remembered struct {
	models
	dir string

	mu    sync.Mutex
	files map[llm.Space]*vectorFile
	space *llm.Space
	// questions is how long the model took for each question that it was asked.
	questions []time.Duration
}

// models is embedded under a name that is none of its methods'.
type models = rag.Models

type vectorFile struct {
	path    string
	vectors map[[sha256.Size]byte][]float32
}

// Remember makes it; the folder is made when it is needed.
func Remember(models rag.Models, dir string) *Remembered {
	return &Remembered{models: models, dir: dir, files: map[llm.Space]*vectorFile{}}
}

// Embed implements rag.Models.
func (r *Remembered) Embed(ctx context.Context, req llm.EmbedRequest) (*llm.Embeddings, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	space := req.Space
	if space == nil {
		space = r.space
	}
	if space == nil {
		// Which space it is, only an answer tells.
		got, err := r.models.Embed(ctx, req)
		if err == nil {
			r.space = &got.Space
		}
		return got, err
	}
	file, err := r.open(*space)
	if err != nil {
		return nil, err
	}
	out := &llm.Embeddings{Space: *space, Vectors: make([][]float32, len(req.Texts))}
	keys := make([][sha256.Size]byte, len(req.Texts))
	missing := req
	missing.Texts, missing.Space = nil, space
	var at []int
	for i, text := range req.Texts {
		keys[i] = sha256.Sum256(fmt.Appendf(nil, "%t %s", req.Query, text))
		if out.Vectors[i] = file.vectors[keys[i]]; out.Vectors[i] == nil {
			missing.Texts, at = append(missing.Texts, text), append(at, i)
		}
	}
	if len(at) == 0 {
		return out, nil
	}
	start := time.Now()
	got, err := r.models.Embed(ctx, missing)
	if err != nil {
		return nil, err
	}
	if req.Query && len(at) == 1 {
		r.questions = append(r.questions, time.Since(start))
	}
	added := make([][sha256.Size]byte, len(at))
	for n, i := range at {
		out.Vectors[i], added[n] = got.Vectors[n], keys[i]
	}
	return out, file.add(added, got.Vectors)
}

// Questions is the spread of the time that the model took for a question's
// vector; zero when all were remembered.
func (r *Remembered) Questions() (p50, p95 time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return spread(append([]time.Duration(nil), r.questions...))
}

func (r *Remembered) open(space llm.Space) (*vectorFile, error) {
	if f := r.files[space]; f != nil {
		return f, nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", space))
	name := strings.Map(func(c rune) rune {
		if c == '/' || c == '\\' || c < ' ' {
			return '_'
		}
		return c
	}, space.Model)
	f := &vectorFile{path: filepath.Join(r.dir, name+"-"+hex.EncodeToString(sum[:6])+".vectors"), vectors: map[[sha256.Size]byte][]float32{}}
	raw, err := os.Open(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("read remembered vectors: %w", err)
	default:
		whole, err := f.read(bufio.NewReaderSize(raw, 1<<20), space.Dimensions)
		if err := errors.Join(err, raw.Close()); err != nil {
			return nil, fmt.Errorf("read remembered vectors of %s: %w", f.path, err)
		}
		// Half a record is one whose writing was interrupted.
		if err := os.Truncate(f.path, whole); err != nil {
			return nil, fmt.Errorf("mend remembered vectors: %w", err)
		}
	}
	r.files[space] = f
	return f, nil
}

// read reads whole records, and says how many bytes those are.
func (f *vectorFile) read(from io.Reader, dims int) (whole int64, err error) {
	record := make([]byte, sha256.Size+4*dims)
	for ; ; whole += int64(len(record)) {
		if _, err := io.ReadFull(from, record); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return whole, nil
		} else if err != nil {
			return whole, err
		}
		v := make([]float32, dims)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(record[sha256.Size+4*i:]))
		}
		f.vectors[[sha256.Size]byte(record[:sha256.Size])] = v
	}
}

func (f *vectorFile) add(keys [][sha256.Size]byte, vectors [][]float32) (err error) {
	var block []byte
	for i, key := range keys {
		f.vectors[key] = vectors[i]
		block = append(block, key[:]...)
		for _, x := range vectors[i] {
			block = binary.LittleEndian.AppendUint32(block, math.Float32bits(x))
		}
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return fmt.Errorf("remember vectors: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("remember vectors: %w", err)
	}
	_, err = file.Write(block)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("remember vectors: %w", err)
	}
	return nil
}
