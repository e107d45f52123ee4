package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
)

// solution is what a course has for an exercise of its first weeks.
const solution = `"""A bank account."""
import re

LIMIT = 1000


class Account:
    """Holds money."""

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.history = []
        self.open = True

    def deposit(self, amount):
        if not self.open or amount <= 0:
            raise ValueError('amount must be positive')
        self.balance += amount
        self.history.append(('deposit', amount))
        return self.balance

    def withdraw(self, amount):
        if amount > self.balance and amount < LIMIT:
            raise ValueError(f'only {self.balance} left')
        self.balance -= amount
        self.history.append(('withdraw', amount))
        return self.balance

    def largest(self):
        amounts = [abs(a) for _, a in self.history if a != 0]
        return max(amounts) if amounts else None

    def last(self, n=1):
        return self.history[-1] if n == 1 else self.history[-n:]


def interest(balance, years):
    for year in range(1, years + 1):
        if year % 5 == 0:
            continue
        balance = balance * 102 // 100
    return balance


def parse(text):
    """'a=1, b=2' becomes a dict."""
    out = {}
    for part in text.split(','):
        if '=' not in part:
            break
        key, value = part.strip().split('=', 1)
        out[key] = int(value) if re.match(r'\d+$', value) else value
    return out
`

func mutantsOf(t *testing.T, limit int) []judging.Mutant {
	t.Helper()
	got, err := validatortest.Connect(t, spec).Mutate(t.Context(), &judging.MutateRequest{
		Solution: judging.Submission{Language: "python", Files: []judging.File{
			{Path: "bank.py", Content: []byte(solution)}, {Path: "test_bank.py", Content: []byte("assert 1 < 2\n")}, {Path: "data.txt", Content: []byte("1 < 2\n")},
		}},
		Limit: limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAnOrdinarySolutionHasManyDifferentMutantsThatParse(t *testing.T) {
	all := mutantsOf(t, 500)
	operators, sources, ids := map[string]bool{}, []string{}, map[string]bool{}
	for _, m := range all {
		operators[m.Operator] = true
		if len(m.Files) != 1 || m.Files[0].Path != "bank.py" || bytes.Equal(m.Files[0].Content, []byte(solution)) || ids[m.ID] {
			t.Errorf("mutant %+v", m)
		}
		if m.Description.Text["en"] == "" || m.Description.Text["es"] == "" {
			t.Errorf("mutant %s has no description in both languages", m.ID)
		}
		ids[m.ID] = true
		sources = append(sources, string(m.Files[0].Content))
	}
	if len(all) < 40 || len(operators) < 12 {
		t.Errorf("%d mutants of %d operators", len(all), len(operators))
	}
	in, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-I", "-c", "import ast, json, sys\nfor s in json.load(sys.stdin): ast.parse(s)")
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("a mutant is no Python: %v\n%s", err, out)
	}
}

func TestMutantsAreTheSameEachTimeAndAsManyAsAsked(t *testing.T) {
	first, second := mutantsOf(t, 25), mutantsOf(t, 25)
	if len(first) != 25 {
		t.Errorf("%d mutants", len(first))
	}
	if !slices.EqualFunc(first, second, func(a, b judging.Mutant) bool {
		return a.ID == b.ID && bytes.Equal(a.Files[0].Content, b.Files[0].Content)
	}) {
		t.Error("they differ")
	}
}
