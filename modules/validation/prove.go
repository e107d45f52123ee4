package validation

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// Prover tries exercises out before learners get them, with the plugins and the
// sandbox that judge learners' work. It keeps nothing.
type Prover interface {
	// Judged names what would judge a language now, plugin and toolchain with
	// their versions: proofs hold as long as it says the same. ErrNoValidator, or
	// any error where nothing is judged on this machine.
	Judged(ctx context.Context, language string) (string, error)
	// Prove judges the solution, the starter, and faulty variants of the solution.
	// An error means that it could not be tried here or now, and says nothing of
	// the exercise. ErrNoValidator.
	Prove(ctx context.Context, c Candidate) (Proof, error)
}

// Candidate is an exercise to prove.
type Candidate struct {
	Language string
	// Starter is what learners begin with, Solution the reference, Tests decide.
	Starter, Solution, Tests []File
	// Options are the plugin's, a JSON object; "" for none.
	Options string
	// Mutants is how many are made at most. Defaults to 24.
	Mutants int
}

// Proof is what came of trying an exercise out.
type Proof struct {
	Plugin        string            `json:"plugin"`
	PluginVersion string            `json:"plugin_version"`
	Toolchain     map[string]string `json:"toolchain,omitempty"`
	// Solution and Starter are their verdicts; Starter is "" where the solution
	// did not pass.
	Solution judging.Verdict `json:"solution"`
	Starter  judging.Verdict `json:"starter,omitempty"`
	// Mutants ran, and Killed of them did not pass. Those that don't compile are
	// no mutants.
	Mutants int `json:"mutants"`
	Killed  int `json:"killed"`
	// Operators are what mutants were made by, by name.
	Operators []MutationOperator `json:"operators,omitempty"`
	// Survivors are mutants that the tests let pass, for teachers.
	Survivors []Survivor `json:"survivors,omitempty"`
	// NoMutants says that the plugin makes none for any solution.
	NoMutants bool `json:"no_mutants,omitempty"`
}

// MutationOperator is a way to spoil a solution: "swap-comparison".
type MutationOperator struct {
	Name   string `json:"name"`
	Made   int    `json:"made"`
	Killed int    `json:"killed"`
}

// Survivor is a mutant that the tests let pass.
type Survivor struct {
	ID       string `json:"id"`
	Operator string `json:"operator"`
	What     Text   `json:"what"`
}

// EnoughKilled is the share of mutants that the tests of a proven exercise kill.
const EnoughKilled = 0.8

// Unproven says why the exercise must not judge anybody; zero when it may.
func (p Proof) Unproven() Text {
	switch {
	case p.Solution != judging.VerdictPassed:
		return Text{
			EN: fmt.Sprintf("the reference solution does not pass its own tests (%s)", p.Solution),
			ES: fmt.Sprintf("la solución de referencia no pasa sus propias pruebas (%s)", p.Solution),
		}
	case p.Starter == judging.VerdictPassed:
		return Text{EN: "the starter passes the tests as it is", ES: "el código inicial ya pasa las pruebas tal cual"}
	case p.NoMutants:
		return Text{}
	case p.Mutants == 0:
		return Text{EN: "the solution is too small for faulty variants of it", ES: "la solución es demasiado pequeña para hacer variantes defectuosas"}
	case float64(p.Killed) < EnoughKilled*float64(p.Mutants):
		return Text{
			EN: fmt.Sprintf("the tests notice only %d of %d faulty variants of the solution", p.Killed, p.Mutants),
			ES: fmt.Sprintf("las pruebas solo detectan %d de %d variantes defectuosas de la solución", p.Killed, p.Mutants),
		}
	}
	return Text{}
}

// Plain is text of a plugin, fit for the database and cut to a size.
func Plain(s string, most int) string { return clean(cut(s, most)) }

// PlainText is a message of a plugin, fit for the database and cut to a size.
func PlainText(m judging.Message) Text {
	t := text(m)
	return Text{EN: cut(t.EN, 500), ES: cut(t.ES, 500)}
}
