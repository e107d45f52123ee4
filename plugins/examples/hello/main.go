// Command hello is the smallest validator: it wants a greeting in hello.txt.
package main

import (
	"context"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

var spec = &validator.Spec{
	Name:      "hello",
	Version:   "1.0.0",
	Languages: []validator.Language{{Name: "text", Extensions: []string{".txt"}, DefaultFile: "hello.txt"}},
	Judge:     judge,
}

func judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	file := req.Submission.File("hello.txt")
	if file != nil && strings.Contains(string(file.Content), "Hello") {
		return &validator.Report{Verdict: validator.Passed, Score: 1}, nil
	}
	why := validator.Text("hello.missing", "hello.txt must say Hello.", "hello.txt debe decir Hello.")
	return &validator.Report{Verdict: validator.Failed, Summary: why}, nil
}

func main() { validator.Main(spec) }
