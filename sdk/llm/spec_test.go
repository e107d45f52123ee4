package llm

import (
	"context"
	"strings"
	"testing"
)

func TestASpecThatIsNotValidSaysEverythingThatIsWrong(t *testing.T) {
	err := ValidateSpec(&Spec{
		Name: "LLM Echo", Version: "one",
		Models: []Model{{ID: "a", Capabilities: Capabilities{Generate: true, Embed: true}}, {ID: "a"}, {}},
		Embed:  func(context.Context, *EmbedRequest) (*Embeddings, error) { return nil, nil },
	})
	for _, want := range []string{"LLM Echo", `"one"`, "Spec.Generate is nil", `"a" is listed twice`, "Models[2] has no ID"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if err := ValidateSpec(nil); err == nil {
		t.Error("no spec at all is valid")
	}
	if err := ValidateSpec(&Spec{Name: "llm-echo", Version: "1.0.0-rc.1"}); err == nil || !strings.Contains(err.Error(), "Models or Discover") {
		t.Errorf("got %v", err)
	}
}

func TestErrorsSayWhenToTryAgain(t *testing.T) {
	err := error(&Error{Code: CodeRateLimited, Message: "slow down", RetryAfter: 3e9})
	if CodeOf(err) != CodeRateLimited || err.Error() != "rate_limited: slow down (retry after 3s)" {
		t.Errorf("got %q", err)
	}
	if CodeOf(context.Canceled) != CodeInternal || Code(99).String() != "internal" {
		t.Error("what is not typed is internal")
	}
}
