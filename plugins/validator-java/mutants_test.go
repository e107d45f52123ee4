package main

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/mutants/mutantstest"
)

// solution is what a course has for an exercise of its first weeks.
const solution = `package bank;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An account: a < b. */
@SuppressWarnings("unchecked < raw")
public class Account<T extends Comparable<T>> {
    private static final int LIMIT = 1000;
    private final String owner;
    private int balance = 0;
    private final List<String> history = new ArrayList<>();
    private final Map<String, List<T>> notes = Map.of();

    public Account(String owner) {
        this.owner = owner;
    }

    public int deposit(int amount) {
        if (amount <= 0 || amount > LIMIT) {
            throw new IllegalArgumentException("amount < 1: " + amount);
        }
        balance += amount;
        history.add("deposit");
        return balance;
    }

    public boolean canPay(int amount) {
        return !(amount > balance) && amount != 0;
    }

    public static double mean(double a, double b) {
        return (a + b) / 2;
    }

    @Override
    public String toString() {
        String text = """
            a < "b"
            """;
        return owner.trim().toUpperCase() + text.length();
    }

    public static int largest(int[] list) {
        int best = list[0];
        for (int i = 1; i < list.length; i++) {
            if (list[i] < best) {
                continue;
            }
            best = Math.max(best, list[i]);
        }
        int[] some = {1, 2};
        some[0]--;
        switch (best) {
            case 1: best = -best; break;
            default: best++;
        }
        return best % 2 == 0 ? best : some[0];
    }

    public List<String> longer(List<String> words, int than) {
        return words.stream().filter(w -> w.length() >= than && w.charAt(0) != 'a').toList();
    }
}
`

func TestAnOrdinarySolutionHasManyDifferentMutants(t *testing.T) {
	all := mutantstest.Contract(t, spec, "java", map[string]string{"src/main/java/bank/Account.java": solution, "src/test/java/bank/AccountTest.java": "import org.junit.jupiter.api.Test;\nclass AccountTest { int x = 1; }\n"}, "src/main/java/bank/Account.java")
	for _, m := range all {
		for _, same := range []string{"a < b. */", `"unchecked < raw"`, `a < "b"`, `"amount < 1: " + amount`, "Map<String, List<T>>", "import java.util.List;"} {
			if !strings.Contains(string(m.Files[0].Content), same) {
				t.Errorf("%s changes %s", m.ID, same)
			}
		}
	}
}
