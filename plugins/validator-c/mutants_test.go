package main

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/mutants/mutantstest"
)

// solution is what a course has for an exercise of its first weeks.
const solution = `#include <stdbool.h>
#include <string.h>
#include <ctype.h>
#define TWICE(x) ((x) \
  + (x))

/* a < b */
typedef struct account { int balance; char owner[20]; } account;

static const int limit = 1'000 > 1 ? 1000 : 0;

bool deposit(account *a, int amount) {
    if (a == NULL || amount <= 0) return false;
    if (amount > limit && !TWICE(0)) {
        return false;
    }
    a->balance += amount;
    strcpy(a->owner, "ada");
    return true;
}

int largest(const int *list, int n) {
    int best = list[0];
    for (int i = 1; i < n; i++) {
        if (list[i] < best) continue;
        best = list[i];
    }
    return best;
}

double mean(double a, double b) { return (a + b) / 2.0; }

char *shout(char *text, char mark) {
    char *p = text;
    size_t length = 0;
    while (*p != '\0') {
        if (isalpha((unsigned char)*p)) {
            *p = (char)toupper(*p);
            length++;
        }
        p++;
    }
    switch (mark) {
    case 'a':
        text[0] = 'b';
        break;
    default:
        text[length & 1] = -mark;
    }
    return text;
}
`

func TestAnOrdinarySolutionHasManyDifferentMutants(t *testing.T) {
	source := strings.Replace(solution, "1'000 > 1", "1000 > 1", 1)
	all := mutantstest.Contract(t, spec, "c", map[string]string{"bank.c": source, "bank.h": "#define LIMIT 1\nint largest(const int *list, int n);\n", "notes.txt": "1 < 2\n"}, "bank.c")
	for _, m := range all {
		for _, same := range []string{"#define TWICE(x) ((x) \\\n  + (x))", "/* a < b */", "char owner[20];", "const int *list"} {
			if !strings.Contains(string(m.Files[0].Content), same) {
				t.Errorf("%s changes %s", m.ID, same)
			}
		}
	}
}

func TestSolutionsInCppHaveMutantsToo(t *testing.T) {
	source := "#include <vector>\n#include <string>\n#include <stdexcept>\nusing namespace std;\n" + `
template <typename T> T larger(T a, T b) { return a < b ? b : a; }

class Account {
public:
    explicit Account(int start) : balance_(start) {}
    int balance() const { return balance_; }
    bool deposit(int amount);
private:
    int balance_ = 1'000;
    std::vector<std::string> log_{"a", R"(x"y < z)"};
};

bool Account::deposit(int amount) {
    if (amount <= 0) throw std::invalid_argument("amount < 1");
    balance_ += amount;
    log_.push_back("deposit");
    return true;
}

std::string join(const std::vector<std::string>& words, const std::string& mark) {
    std::string out;
    for (size_t i = 0; i < words.size(); ++i) {
        if (i > 0 && !mark.empty()) out += mark;
        out += words[i];
    }
    return out;
}

auto half = [](int a, int b) -> int { return (a - b) / 2; };
int sum(std::vector<int> list) { int total = 0; for (int x : list) { if (x % 2 == 0) { continue; } total += x; } return total * 2 + 1; }
`
	mutantstest.Contract(t, spec, "cpp", map[string]string{"bank.cpp": source}, "bank.cpp")
}
