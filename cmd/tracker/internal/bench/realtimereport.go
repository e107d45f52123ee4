package bench

import (
	"fmt"
	"io"
)

// pythonKB is what an idle connection costs in the Python baseline.
const pythonKB = 33

// barMS is how long an event may take to a socket, at the 99th percentile.
const barMS = 250

// RealtimeReport is what the bench of pushes found.
type RealtimeReport struct {
	Machine string `json:"machine"`
	// Clients had sockets on two replicas while Rate events a second were made, for
	// Seconds.
	Clients int     `json:"clients"`
	Rate    int     `json:"rate"`
	Seconds float64 `json:"seconds"`
	Alone   Latency `json:"alone"`
	// Beside is the same beside Stalled sockets that are not read.
	Stalled int     `json:"stalled"`
	Beside  Latency `json:"beside"`
	// Idle connections at one replica, opened in OpenSeconds and held for
	// HeldSeconds.
	Idle        int     `json:"idle"`
	OpenSeconds float64 `json:"open_seconds"`
	HeldSeconds float64 `json:"held_seconds"`
	// ResidentKB is what each adds to the replica's resident memory, CollectedKB
	// the same after garbage was collected, LiveKB what Go holds for it, and
	// StacksKB what of that are stacks.
	ResidentKB  float64 `json:"resident_kb"`
	CollectedKB float64 `json:"collected_kb"`
	LiveKB      float64 `json:"live_kb"`
	StacksKB    float64 `json:"stacks_kb"`
	// Goroutines each has.
	Goroutines float64 `json:"goroutines"`
}

// Latency is milliseconds from a commit to a socket.
type Latency struct {
	Arrivals int     `json:"arrivals"`
	Median   float64 `json:"median_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
	// WholeP99 counts from the begin of the transaction.
	WholeP99 float64 `json:"whole_p99_ms"`
}

// Print writes the report.
func (r *RealtimeReport) Print(out io.Writer) error {
	line := func(what string, l Latency) {
		fmt.Fprintf(out, "%s: median %.1f ms, p99 %.1f ms (bar %d), longest %.1f ms; from the transaction's begin p99 %.1f ms; %d arrivals, each once and in order\n",
			what, l.Median, l.P99, barMS, l.Max, l.WholeP99, l.Arrivals)
	}
	fmt.Fprintf(out, "%s\n%d clients on two replicas, %d events a second for %g s, each to two clients\n", r.Machine, r.Clients, r.Rate, r.Seconds)
	line("commit to WebSocket", r.Alone)
	line(fmt.Sprintf("beside %d clients that don't read", r.Stalled), r.Beside)
	_, err := fmt.Fprintf(out, "%d idle connections at one replica, opened in %.1f s, held for %g s: %.1f KB resident each, %.1f after garbage was collected, of which %.1f live (stacks %.1f), goroutines %.2f; the Python baseline has %d KB\n",
		r.Idle, r.OpenSeconds, r.HeldSeconds, r.ResidentKB, r.CollectedKB, r.LiveKB, r.StacksKB, r.Goroutines, pythonKB)
	return err
}
