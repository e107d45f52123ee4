// Package llm is what the author of an LLM plugin imports: a plugin that lets
// the tracker reach language models.
//
// A plugin is data: fill a [Spec] with a name, models and functions, and give
// it to [Main]. The tracker starts the binary, asks it what it can do and calls
// the functions; the author never meets the protocol between the two.
//
//	func main() {
//		llm.Main(&llm.Spec{
//			Name: "llm-echo", Version: "1.0.0",
//			Models:   []llm.Model{{ID: "echo", Capabilities: llm.Capabilities{Generate: true}}},
//			Generate: echo,
//		})
//	}
//
// The package owns the types and their limits. It does not talk to providers
// and knows nothing of budgets, routing or prompts: that is the tracker's.
package llm
