package llmtest_test

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmtest"
)

func TestTextsAreEmbeddedOnThisMachineWhenNothingIsConfigured(t *testing.T) {
	service := llmtest.Local(t, postgrestest.DB(t))
	if !service.Available(llm.Embed) || service.Available(llm.Plan) {
		t.Errorf("embed %v, plan %v: a plugin that only embeds is there", service.Available(llm.Embed), service.Available(llm.Plan))
	}
	passages, err := service.Embed(t.Context(), llm.EmbedRequest{Caller: llm.Caller{LocalOnly: true}, Texts: []string{
		"Use sorted() with a key function to order a list.", "An exception is caught with try and except.",
	}})
	if err != nil {
		t.Fatal(err)
	}
	question, err := service.Embed(t.Context(), llm.EmbedRequest{Query: true, Space: &passages.Space, Caller: llm.Caller{LocalOnly: true}, Texts: []string{"how do I catch an exception?"}})
	if err != nil {
		t.Fatal(err)
	}
	if question.Space != passages.Space || passages.Space.Provider != "llm-local" || passages.Space.Dimensions != len(question.Vectors[0]) || passages.Space.Version == "" {
		t.Errorf("the question lies in %+v, the passages in %+v", question.Space, passages.Space)
	}
	dot := func(a, b []float32) (sum float32) {
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	if lists, errs := dot(question.Vectors[0], passages.Vectors[0]), dot(question.Vectors[0], passages.Vectors[1]); errs <= lists {
		t.Errorf("a question about errors is nearer to lists (%f) than to exceptions (%f)", lists, errs)
	}
	if passages.Usage.InputTokens == 0 {
		t.Errorf("the ledger saw no tokens: %+v", passages.Usage)
	}
}
