package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// Of the bench of pushes, replicas and clients are processes of their own: a
// replica's memory is then its connections', and two replicas share nothing but
// the database.
const (
	roleRequests = "1"
	roleReplica  = "replica"
	roleSockets  = "sockets"
)

// reply is what a child answers.
type reply[A any] struct {
	Answer A      `json:"answer"`
	Error  string `json:"error"`
}

// serveChild answers questions, one JSON object each, until there are no more.
func serveChild[Q, A any](in io.Reader, out io.Writer, answer func(Q) (A, error)) error {
	questions, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var q Q
		if err := questions.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read question: %w", err)
		}
		a, err := answer(q)
		reply := reply[A]{Answer: a}
		if err != nil {
			reply.Error = err.Error()
		}
		if err := answers.Encode(reply); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
}

// ask puts a question to a child.
func ask[A any](c *clients, question any) (A, error) {
	var reply reply[A]
	if err := c.loads.Encode(question); err != nil {
		return reply.Answer, fmt.Errorf("ask a process of the bench: %w: %s", err, c.stderr.String())
	}
	if err := c.out.Decode(&reply); err != nil {
		return reply.Answer, fmt.Errorf("hear from a process of the bench: %w: %s", err, c.stderr.String())
	}
	if reply.Error != "" {
		return reply.Answer, errors.New(reply.Error)
	}
	return reply.Answer, nil
}

// memory is what a process holds, in bytes.
type memory struct {
	// Resident is what the system counts.
	Resident int64
	// Live is what Go's heap and stacks hold, and of it the stacks.
	Live, Stacks int64
	Goroutines   int
}

// ownMemory looks at this process; collected, after garbage was collected.
func ownMemory(collected bool) (memory, error) {
	if collected {
		debug.FreeOSMemory()
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return memory{}, fmt.Errorf("ask for memory: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return memory{}, errors.New("/proc/self/statm is of an unknown form")
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return memory{}, fmt.Errorf("/proc/self/statm is of an unknown form: %w", err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{
		Resident: pages * int64(os.Getpagesize()), Live: int64(m.HeapAlloc + m.StackInuse), Stacks: int64(m.StackInuse),
		Goroutines: runtime.NumGoroutine(),
	}, nil
}

// sleep waits, or less when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
