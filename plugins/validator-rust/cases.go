package main

import (
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/cases"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// printing judges programs by what they print.
var printing = cases.Judge{Language: words, Read: ending}

func ending(p *validator.ProcessResult) cases.Ending {
	end := cases.Ending{Said: settled(string(p.Stderr))}
	switch {
	case p.ExitCode == panicCode && strings.Contains(end.Said, "panicked at"):
		end.Crash = panicText(end.Said)
	case p.Signal != 0:
		end.Crash = signalText(p.Signal)
	}
	return end
}

// panicCode is what a Rust program exits with when its main thread panics.
const panicCode = 101

// panicText is the first panic that a program tells of.
func panicText(said string) validator.Message {
	_, rest, _ := strings.Cut(said, "panicked at ")
	at, why, _ := strings.Cut(rest, ":\n")
	if strings.HasPrefix(at, "'") { // as older compilers had it
		why, at, _ = strings.Cut(strings.TrimPrefix(at, "'"), "', ")
	}
	why, _, _ = strings.Cut(why, "\nnote: ")
	at, _, _ = strings.Cut(at, "\n")
	return panicMessage(at, strings.TrimSpace(why), nil)
}
