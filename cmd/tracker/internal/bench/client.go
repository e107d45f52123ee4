package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// The clients are a process of their own, so that their CPU time is not taken
// for the server's.

// clientVariable tells a process that it is the clients.
const clientVariable = "TRACKER_BENCH_CLIENTS"

// IsClient reports whether this process was started by Run or Realtime to be a
// part of theirs: then it must call Client and end.
func IsClient() bool { return os.Getenv(clientVariable) != "" }

// Client runs the loads that come in, one JSON object each, and writes what
// came of each, until there are no more.
func Client(ctx context.Context, in io.Reader, out io.Writer) error {
	switch os.Getenv(clientVariable) {
	case roleReplica:
		return replicaMain(ctx, in, out)
	case roleSockets:
		return socketsMain(ctx, in, out)
	}
	loads, outcomes := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var l load
		if err := loads.Decode(&l); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read load: %w", err)
		}
		if err := outcomes.Encode(l.run(ctx)); err != nil {
			return fmt.Errorf("write outcome: %w", err)
		}
	}
}

// load is one request, sent again and again.
type load struct {
	Address, Method, Path string
	Header                map[string]string
	Body                  []byte
	// Keyed sends an Idempotency-Key, another each time.
	Keyed bool
	// Status is what a good answer has.
	Status   int
	Clients  int
	Duration time.Duration
}

type outcome struct {
	Requests     int
	Seconds, CPU float64
	Error        string
}

func (l load) run(ctx context.Context) outcome {
	before, err := ownCPU()
	if err != nil {
		return outcome{Error: err.Error()}
	}
	counts, failures := make([]int, l.Clients), make([]error, l.Clients)
	begin := time.Now()
	var group sync.WaitGroup
	for i := range l.Clients {
		group.Go(func() { counts[i], failures[i] = l.repeat(ctx, begin.Add(l.Duration)) })
	}
	group.Wait()
	took := time.Since(begin)
	after, err := ownCPU()
	if err := errors.Join(append(failures, err)...); err != nil {
		return outcome{Error: err.Error()}
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	return outcome{Requests: total, Seconds: took.Seconds(), CPU: after - before}
}

// keySlot is where the key goes in the request that repeat keeps ready.
const keySlot = "00000000-0000-0000-0000-000000000000"

// repeat is one client with one connection. It writes bytes that were made
// once, and is no http.Client: the machine's CPUs are for the server.
func (l load) repeat(ctx context.Context, until time.Time) (count int, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.Address)
	if err != nil {
		return 0, fmt.Errorf("connect to the server: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(until.Add(30 * time.Second)); err != nil {
		return 0, fmt.Errorf("connect to the server: %w", err)
	}
	request := l.bytes()
	slot := bytes.Index(request, []byte(keySlot))
	reader := bufio.NewReaderSize(conn, 64<<10)
	for {
		if l.Keyed {
			copy(request[slot:], uuid.Must(uuid.NewV7()).String())
		}
		if _, err := conn.Write(request); err != nil {
			return count, fmt.Errorf("send request: %w", err)
		}
		if err := l.answer(reader); err != nil {
			return count, err
		}
		if count++; !time.Now().Before(until) || ctx.Err() != nil {
			return count, ctx.Err()
		}
	}
}

func (l load) answer(reader *bufio.Reader) error {
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != l.Status || answer.Close {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 500)) // it is only for the error
		return fmt.Errorf("%s %s was answered with %s: %s", l.Method, l.Path, answer.Status, body)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

func (l load) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", l.Method, l.Path, l.Address, len(l.Body))
	for _, name := range sortedNames(l.Header) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, l.Header[name])
	}
	if l.Keyed {
		fmt.Fprintf(&b, "Idempotency-Key: %s\r\n", keySlot)
	}
	b.WriteString("\r\n")
	b.Write(l.Body)
	return b.Bytes()
}

// once sends the request a single time.
func (l load) once(ctx context.Context) error {
	_, err := l.repeat(ctx, time.Now())
	return err
}

func sortedNames(header map[string]string) []string {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
