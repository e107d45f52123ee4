package main

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// Each of these keeps gofmt busy for seconds or hours.
func TestFilesThatGofmtTakesTooLongForGetNoAdvice(t *testing.T) {
	for name, code := range map[string]string{
		"types in types": "type T struct{" + strings.Repeat(" a struct{", 800) + strings.Repeat(" }", 800) + " }\n",
		"a long chain":   "var x = a" + strings.Repeat("[1]", 80_000) + "\n",
		"a long sum":     "var x = 1" + strings.Repeat("+1", 100_000) + "\n",
	} {
		if shallow([]byte("package calc\n" + code)) {
			t.Errorf("%s is formatted", name)
		}
	}
	if !shallow([]byte(solution)) {
		t.Error("code as people write it is not")
	}
}

func TestManyLargeFilesAreFormattedUpToABound(t *testing.T) {
	req := &validator.Request{Options: options{}}
	for _, name := range []string{"a", "b", "c", "d"} {
		req.Submission.Files = append(req.Submission.Files, validator.File{Path: name + ".go", Content: []byte("package calc\n" + strings.Repeat("var  x = 1\n", 10_000))})
	}
	if found := arrange(req).advice(nil); len(found) != 2 {
		t.Errorf("%d of 4 files were formatted, which are 110 KB each", len(found))
	}
}
