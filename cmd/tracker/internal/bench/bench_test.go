package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/bench"
)

func TestMain(m *testing.M) {
	if bench.IsClient() {
		if err := bench.Client(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// inTemp lets PostgreSQL's account into a folder for temporary files.
func inTemp(t *testing.T) (temp string) {
	t.Helper()
	temp, err := os.MkdirTemp("", "bench-test-") // t.TempDir's parent lets PostgreSQL's account not in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	if err := os.Chmod(temp, 0o1777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temp)
	return temp
}

func TestPushesAreMeasuredAndNoneIsLost(t *testing.T) {
	inTemp(t)
	report, err := bench.Realtime(t.Context(), bench.RealtimeOptions{
		Clients: 20, Rate: 50, Round: 500 * time.Millisecond, Stalled: 2, Idle: 200, Hold: 100 * time.Millisecond, Client: []string{os.Args[0]},
	})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := report.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	for name, l := range map[string]bench.Latency{"alone": report.Alone, "beside stalled ones": report.Beside} {
		if l.Arrivals < 2 || l.Median > l.P99 || l.P99 > l.Max || l.WholeP99 <= 0 {
			t.Errorf("%s: %+v", name, l)
		}
	}
	if report.Idle != 200 || report.LiveKB <= 0 || report.Goroutines < 0.9 || report.Goroutines > 1.5 {
		t.Errorf("%d idle ones take %.1f KB and %.2f goroutines each; a silent one has its reader", report.Idle, report.LiveKB, report.Goroutines)
	}
}

func TestEveryComparisonDoesWorkOnBothSides(t *testing.T) {
	temp := inTemp(t)
	report, err := bench.Run(t.Context(), bench.Options{
		Round: 100 * time.Millisecond, Rounds: 1, Clients: 2, Writers: []int{1, 3}, Client: []string{os.Args[0]},
	})
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := report.Print(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	want := []string{
		"create-goal by REST against pgbench", "create-goal by Connect against pgbench",
		"list-goals by REST against pgbench", "list-goals by Connect against pgbench",
		"append, writers: 1 by append against plain insert", "append, writers: 1 by same rows in a transaction against plain insert",
		"append, writers: 3 by append against plain insert", "append, writers: 3 by same rows in a transaction against plain insert",
		"erase a person of 10,000 events by erasure that waits 2s against plain DELETE",
		"erase a person of 10,000 events by erasure that doesn't wait against plain DELETE",
	}
	var got []string
	for _, row := range report.Rows {
		got = append(got, fmt.Sprintf("%s by %s against %s", row.What, row.By, row.Against))
		if row.Count < 1 || row.BaseCount < 1 || row.Rate <= 0 || row.BaseRate <= 0 {
			t.Errorf("%s by %s: %d times against %d", row.What, row.By, row.Count, row.BaseCount)
		}
		if row.Ratio.Min > row.Ratio.Median || row.Ratio.Median > row.Ratio.Max || row.Ratio.Min <= 0 {
			t.Errorf("%s by %s: ratio %+v", row.What, row.By, row.Ratio)
		}
		if row.CPU.Server <= 0 {
			t.Errorf("%s by %s: the server did it without CPU time", row.What, row.By)
		}
		if !strings.Contains(table.String(), row.What+", "+row.By) {
			t.Errorf("the table lacks %s, %s", row.What, row.By)
		}
	}
	for _, sent := range report.Sent {
		if want := map[string]bench.Sent{
			// begin, key, goal, event, reply, commit, and three times who acts.
			"create-goal": {What: "create-goal", Statements: 9, Trips: 1},
			"list-goals":  {What: "list-goals", Statements: 2, Trips: 1},
		}[sent.What]; sent != want {
			t.Errorf("%+v is sent, want %+v", sent, want)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("compared:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if left, err := filepath.Glob(filepath.Join(temp, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
