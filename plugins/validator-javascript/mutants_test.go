package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/mutants/mutantstest"
)

// solution is what a course has for an exercise of its first weeks.
const solution = `'use strict';
// a < b && c
import { readFile } from 'node:fs/promises';

export const LIMIT = 10;

export class Account {
  #log = [];
  constructor(owner, balance = 0) {
    this.owner = owner;
    this.balance = balance;
    this.history = ['opened'];
  }

  deposit(amount) {
    if (!this.owner || amount <= 0) {
      throw new Error('amount < 1');
    } else if (amount > LIMIT) return -1
    this.balance += amount
    this.history.push({ kind: 'deposit', amount })
    return this.balance
  }
}

export function largest(list) {
  let best = list[0]
  for (let i = 1; i < list.length; i++) {
    if (list[i] === undefined) continue
    best = Math.max(best, list[i])
  }
  return best
}

const area = (width, height) => width * height;
export { area };
export const names = (people) => people.filter((p) => p.age >= 18 && p.name !== '').map(({ name }) => name.trim().toUpperCase());
export default async function read(path, fallback) {
  const text = await readFile(path).catch(() => fallback);
  const [first, ...rest] = String(text).split(/[/"]\//g);
  let n = 0;
  while (n < rest.length) {
    n++;
    if (first % 2 == 0) { rest.push(` + "`x${n ? 'a' : `b${n}`}`" + `); break; }
  }
  return { first, rest: rest ?? [] };
}
`

func TestAnOrdinarySolutionHasManyDifferentMutantsThatParse(t *testing.T) {
	all := mutantstest.Contract(t, spec, "javascript", map[string]string{"bank.mjs": solution, "bank.test.mjs": "assert(1 < 2);\n", "jest.config.js": "module.exports = 1 < 2;\n"}, "bank.mjs")
	var sources []string
	for _, m := range all {
		sources = append(sources, string(m.Files[0].Content))
	}
	in, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "--experimental-vm-modules", "--no-warnings", "-e",
		`for (const s of JSON.parse(require("fs").readFileSync(0))) { try { new (require("vm").SourceTextModule)(s) } catch (e) { console.log(e.message, s) } }`)
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("a mutant is no JavaScript: %v\n%s", err, out)
	}
	for _, m := range all {
		if strings.Count(string(m.Files[0].Content), "// a < b && c\nimport { readFile } from 'node:fs/promises';") != 1 || !strings.Contains(string(m.Files[0].Content), "'amount < 1'") {
			t.Errorf("%s changes what is no code", m.ID)
		}
	}
}
