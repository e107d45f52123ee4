// Package pdf reads the text out of PDF files. Files come from outside and the
// format is a programming language, so that they are read in a child process:
// it has no environment, a bounded memory and a bounded time, and takes nothing
// down with it. The child is this very program under another name.
package pdf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Bounds of one file.
const (
	MaxPages = 2_000
	// MaxText is the most text read, in bytes.
	MaxText = 4 << 20
	// maxTime is of the clock, maxCPU of the child's processor.
	maxTime = 40 * time.Second
	maxCPU  = 20
	// maxMemory bounds the child's address space.
	maxMemory = 2 << 30
)

// Line is a line of text.
type Line struct {
	Text string `json:"t"`
	// Size is of its letters, in points.
	Size float64 `json:"s"`
	// Apart is set when more than the usual space is above it.
	Apart bool `json:"a,omitempty"`
}

// Text is what was read.
type Text struct {
	Title string   `json:"title"`
	Pages [][]Line `json:"pages"`
	// Problem is a reason for the file's author; then there is nothing else.
	Problem string `json:"problem,omitempty"`
}

// turns bounds how many children run at once.
var turns = make(chan struct{}, 2)

// Read reads a file. The error is a reason for the file's author.
func Read(ctx context.Context, content []byte) (Text, error) {
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return Text{}, ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	out, problem := bounded{most: 4 * MaxText}, bounded{most: 4 << 10}
	cmd := exec.CommandContext(limited, "/proc/self/exe")
	cmd.Args, cmd.Env, cmd.Dir = []string{childName}, []string{"GOMAXPROCS=1", "GOTRACEBACK=none"}, os.TempDir()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(content), &out, &problem
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return Text{}, ctx.Err()
	}
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit) && limited.Err() == nil:
		return Text{}, fmt.Errorf("the process that reads PDF files can't be started: %w", err)
	case err != nil && bytes.Contains(problem.Bytes(), []byte("memory")):
		return Text{}, fmt.Errorf("it takes more than %d MiB of memory to read; split it, or export it as Markdown", maxMemory>>20)
	case err != nil:
		return Text{}, errors.New("it takes too long to read, or is damaged; split it, print it to a new PDF, or export it as Markdown")
	}
	var text Text
	if err := json.Unmarshal(out.Bytes(), &text); err != nil {
		return Text{}, errors.New("its text makes no sense; print it to a new PDF, or export it as Markdown")
	}
	if text.Problem != "" {
		return Text{}, errors.New(text.Problem)
	}
	return text, nil
}

// bounded keeps what fits and refuses the rest.
type bounded struct {
	bytes.Buffer
	most int
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, errors.New("too much output")
	}
	return b.Buffer.Write(p)
}
