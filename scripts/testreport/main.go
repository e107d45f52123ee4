// Command testreport reads the output of `go test -json` and prints what a
// person wants of it: failures with their output, a line for each package, and
// at the end how many passed, failed and were skipped. A skipped test that is
// not listed with its reason counts as a failure.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const module = "github.com/goals-tracker/tracker/"

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action  string  `json:"Action"`
	Package string  `json:"Package"`
	Test    string  `json:"Test"`
	Elapsed float64 `json:"Elapsed"` // seconds
	Output  string  `json:"Output"`
}

func main() {
	skips := flag.String("skips", "", "the file that lists allowed skips; none are allowed without it")
	flag.Parse()
	allowed, err := readSkips(*skips)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(2)
	}
	r := report{out: os.Stdout, allowed: allowed, output: map[string][]string{}, running: map[string]bool{}}
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(2)
	}
	if !r.summary() {
		os.Exit(1)
	}
}

type report struct {
	out     io.Writer
	allowed map[string]string
	output  map[string][]string // by package and test, until it ends well
	running map[string]bool     // packages begun and not ended

	packages, passed, skipped int
	failed, unlisted          []string
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var ev event
			if json.Unmarshal([]byte(line), &ev) == nil && ev.Action != "" {
				r.take(ev)
			} else {
				_, _ = fmt.Fprint(r.out, line)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the tests' output: %w", err)
		}
	}
}

func (r *report) take(ev event) {
	folder := strings.TrimPrefix(ev.Package, module)
	name := strings.TrimSpace(folder + " " + ev.Test)
	switch ev.Action {
	case "start":
		r.running[folder] = true
	case "build-output":
		_, _ = fmt.Fprint(r.out, ev.Output)
	case "output":
		r.output[name] = append(r.output[name], ev.Output)
	case "pass", "skip":
		if ev.Action == "skip" && ev.Test != "" {
			r.skip(folder, ev.Test, name)
		}
		if ev.Action == "pass" && ev.Test != "" {
			r.passed++
		}
		if ev.Action == "pass" && ev.Test == "" {
			r.packages++
			_, _ = fmt.Fprintf(r.out, "ok    %-55s %6.1fs\n", folder, ev.Elapsed)
		}
		if ev.Test == "" {
			delete(r.running, folder)
		}
		delete(r.output, name)
	case "fail":
		r.fail(ev, folder, name)
	}
}

func (r *report) skip(folder, test, name string) {
	r.skipped++
	if r.allowed[name] != "" {
		return
	}
	for parent := test; strings.Contains(parent, "/"); {
		parent = parent[:strings.LastIndex(parent, "/")]
		if r.allowed[folder+" "+parent+"/..."] != "" {
			return
		}
	}
	r.unlisted = append(r.unlisted, name)
	_, _ = fmt.Fprint(r.out, strings.Join(r.output[name], ""))
}

func (r *report) fail(ev event, folder, name string) {
	_, _ = fmt.Fprint(r.out, strings.Join(r.output[name], ""))
	delete(r.output, name)
	if ev.Test != "" {
		r.failed = append(r.failed, name)
		return
	}
	delete(r.running, folder)
	r.packages++
	_, _ = fmt.Fprintf(r.out, "FAIL  %-55s %6.1fs\n", folder, ev.Elapsed)
	// Without a failed test it did not build, panicked or ran out of time.
	if !slices.ContainsFunc(r.failed, func(name string) bool { return strings.HasPrefix(name, folder+" ") }) {
		r.failed = append(r.failed, folder+" (the package itself)")
	}
	// A test that was running then never ends: what it said tells why.
	for other, lines := range r.output {
		if strings.HasPrefix(other, folder+" ") {
			_, _ = fmt.Fprint(r.out, strings.Join(lines, ""))
			delete(r.output, other)
		}
	}
}

// summary prints the totals, whose line is the last, and reports whether all is
// well.
func (r *report) summary() bool {
	for folder := range r.running {
		r.failed = append(r.failed, folder+" (did not end)")
	}
	slices.Sort(r.failed)
	for _, name := range r.failed {
		_, _ = fmt.Fprintln(r.out, "failed:", name)
	}
	for _, name := range r.unlisted {
		_, _ = fmt.Fprintln(r.out, "skipped without a listed reason:", name)
	}
	if r.packages == 0 {
		_, _ = fmt.Fprintln(r.out, "no package ran")
	}
	_, _ = fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, len(r.failed)+len(r.unlisted), r.skipped)
	return len(r.failed)+len(r.unlisted) == 0 && r.packages > 0
}

// readSkips reads lines "<folder> <test>: <reason>".
func readSkips(path string) (map[string]string, error) {
	allowed := map[string]string{}
	if path == "" {
		return allowed, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the allowed skips: %w", err)
	}
	for number, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, _ := strings.Cut(line, ": ")
		if len(strings.Fields(name)) != 2 || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s:%d: want \"<folder> <test>: <reason>\", have %q", path, number+1, line)
		}
		allowed[name] = reason
	}
	return allowed, nil
}
