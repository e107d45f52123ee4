package main

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/mutants/mutantstest"
)

// solution is what a course has for an exercise of its first weeks.
const solution = `//! A bank account: a < b.
use std::collections::HashMap;

/// The most that goes in at once. /* a < b */
pub const LIMIT: i64 = 1000;

#[derive(Debug, Clone, PartialEq)]
pub struct Account<'a> {
    pub owner: &'a str,
    balance: i64,
    history: Vec<(String, i64)>,
}

impl<'a> Account<'a> {
    pub fn new(owner: &'a str) -> Self {
        Account { owner, balance: 0, history: Vec::new() }
    }

    pub fn deposit(&mut self, amount: i64) -> Result<i64, String> {
        if amount <= 0 || amount > LIMIT {
            return Err("amount < 1".to_string());
        }
        self.balance += amount;
        self.history.push(("deposit".to_string(), amount));
        Ok(self.balance)
    }

    pub fn largest(&self) -> Option<i64> {
        let mut best = None;
        for (_, amount) in &self.history {
            if let Some(b) = best {
                if *amount < b {
                    continue;
                }
            }
            best = Some(*amount);
        }
        best
    }
}

pub fn area(width: u32, height: u32) -> u32 {
    width * height
}

pub fn sign(n: i32) -> char {
    if n < 0 { '-' } else if n == 0 { ' ' } else { 'p' }
}

pub fn count<T: Into<String> + Clone>(words: &[T]) -> HashMap<String, usize> {
    let mut out = HashMap::new();
    for w in words {
        let w: String = w.clone().into();
        if !w.is_empty() && w.len() > 1 {
            *out.entry(w.trim().to_lowercase()).or_insert(0) += 1;
        }
    }
    out
}

pub fn interest(mut balance: i64, years: u32) -> i64 {
    let mut year = 1;
    while year <= years {
        balance = balance * 102 / 100 - 1;
        year += 1;
    }
    println!("{} {}", year, r#"a < b"#);
    balance
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(1 + 1, 2);
    }
}
`

func TestAnOrdinarySolutionHasManyDifferentMutants(t *testing.T) {
	all := mutantstest.Contract(t, spec, "rust", map[string]string{"Cargo.toml": "[package]\nname = \"bank\"\n", "src/lib.rs": solution, "tests/bank.rs": "fn x() { 1 < 2; }\n"}, "src/lib.rs")
	for _, m := range all {
		for _, same := range []string{"a bank account: a < b", "/* a < b */", `r#"a < b"#`, "assert_eq!(1 + 1, 2)", "impl<'a> Account<'a>", "use std::collections::HashMap;"} {
			if !strings.Contains(strings.ToLower(string(m.Files[0].Content)), strings.ToLower(same)) {
				if m.Operator != "remove-statement" && m.Operator != "replace-body" {
					t.Errorf("%s changes %s", m.ID, same)
				}
			}
		}
	}
}
