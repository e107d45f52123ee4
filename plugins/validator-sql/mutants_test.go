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
const solution = `-- who pays: 1 < 2
WITH rich AS (
  SELECT customer_id, SUM(total) AS sum, COUNT(*) AS n
  FROM orders
  WHERE status = 'paid' AND total BETWEEN 10 AND 500
  GROUP BY customer_id
  HAVING SUM(total) > 100
)
SELECT DISTINCT c.name, UPPER(c.city) AS city, r.sum * 2 + 1 AS twice
FROM customers c
LEFT JOIN rich r ON r.customer_id = c.id
JOIN cities ON cities.name = c.city
WHERE c.city IS NOT NULL AND (c.name LIKE 'A%' OR c.id IN (SELECT id FROM vips WHERE NOT (level < 3)))
UNION
SELECT name, 'none', 0 FROM customers WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = customers.id)
ORDER BY 1, twice DESC
LIMIT 10;

UPDATE customers SET city = 'Madrid', visits = visits + 1 WHERE id = 7;
`

func TestAnOrdinarySolutionHasManyDifferentMutantsThatParse(t *testing.T) {
	all := mutantstest.Contract(t, spec, "sql", map[string]string{"query.sql": solution, "query.test.sql": "SELECT 1 < 2;\n"}, "query.sql")
	var sources []string
	for _, m := range all {
		source := string(m.Files[0].Content)
		sources = append(sources, source)
		if !strings.HasPrefix(source, "-- who pays: 1 < 2\n") || !strings.Contains(source, "SET city = '") {
			t.Errorf("%s changes what is no condition", m.ID)
		}
	}
	in, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-I", "-c", `import json, sqlite3, sys
for s in json.load(sys.stdin):
    db = sqlite3.connect(":memory:")
    db.executescript("CREATE TABLE orders(customer_id, total, status); CREATE TABLE customers(id, name, city, visits); CREATE TABLE cities(name); CREATE TABLE vips(id, level);")
    try: db.executescript(s)
    except sqlite3.Error as e: print(e, s)`)
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("a mutant is no SQL: %v\n%s", err, out)
	}
}
