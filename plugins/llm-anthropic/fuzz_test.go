package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// Whatever a server answers, reading it ends with an answer or a typed error.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"data: {\"type\":\"content_block_start\",\"index\":-1,\"content_block\":{\"type\":\"tool_use\"}}\ndata: {\"type\":\"content_block_delta\",\"index\":-1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\"}}\n",
		"data: {\"type\":\"message\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"}],\"stop_reason\":\"refusal\",\"usage\":{}}}\nevent: x\ndata: {\"type\":\"message_delta\"}\ndata: {\"type\":\"error\"}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		a := &wire.Answer{}
		r := protocol{}.Reader(a)
		for line := range strings.SplitSeq(body, "\n") {
			_, err := r.Read([]byte(line))
			var typed *llm.Error
			if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &typed) {
				t.Fatalf("an error without a type: %v", err)
			}
			if err != nil {
				break
			}
		}
		if _, whole := r.Close(); whole && a.Ending().Reason == 0 {
			t.Error("a whole answer without a reason")
		}
		protocol{}.Failure([]byte(body))
		if line := (protocol{}).Line([]byte(body)); line != nil {
			_, _ = (protocol{}).Reader(&wire.Answer{}).Read(line)
		}
		_, _ = protocol{}.Vectors([]byte(body), &wire.Answer{})
	})
}
