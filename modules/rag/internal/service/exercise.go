package service

import (
	"path"
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/modules/rag"
)

// place is where a file stands in an exercise's folder.
type place struct {
	// folder is the exercise's: "exercises/receipt".
	folder string
	// role is "" for what belongs to the statement.
	role rag.Role
	// name is the path below the role's folder.
	name string
	// statement is set for the exercise's own text.
	statement bool
}

var roleFolders = map[string]rag.Role{
	"starter": rag.Starter, "start": rag.Starter, "template": rag.Starter,
	"solution": rag.Solution, "solutions": rag.Solution, "solucion": rag.Solution, "solución": rag.Solution, "soluciones": rag.Solution,
	"answer": rag.Solution, "answers": rag.Solution, "respuestas": rag.Solution,
	"test": rag.Tests, "tests": rag.Tests, "pruebas": rag.Tests, "__tests__": rag.Tests,
}

// innerFolders have a role in an exercise only; elsewhere they are words like others.
var innerFolders = map[string]rag.Role{
	"reference": rag.Solution, "referencia": rag.Solution, "spec": rag.Tests, "specs": rag.Tests, "hidden": rag.Tests,
}

// exerciseOf finds the exercise that a file belongs to: the folder below the
// first one called exercises (ejercicios). What it can't place stays readable,
// except what its name calls a solution or a test.
func exerciseOf(file string) (place, bool) {
	parts := strings.Split(file, "/")
	for i := range parts {
		if lower := strings.ToLower(parts[i]); lower != "exercises" && lower != "ejercicios" || i+2 >= len(parts) {
			continue
		}
		at := place{folder: strings.Join(parts[:i+2], "/")}
		rest := parts[i+2:]
		for j, part := range rest[:len(rest)-1] {
			role, ok := roleFolders[strings.ToLower(part)]
			if !ok {
				role, ok = innerFolders[strings.ToLower(part)]
			}
			if ok {
				at.role, at.name = role, strings.Join(rest[j+1:], "/")
				return at, true
			}
		}
		at.name = strings.Join(rest, "/")
		base := strings.ToLower(path.Base(file))
		at.statement = len(rest) == 1 && (base == "exercise.md" || base == "ejercicio.md")
		at.role = roleOfName(path.Base(file))
		return at, true
	}
	return place{}, false
}

// testClass is how Java, C# and others name tests: ReceiptTest, not latest.
var testClass = regexp.MustCompile(`[a-z0-9](?:Tests?|Spec)$`)

func roleOfName(base string) rag.Role {
	written := strings.TrimSuffix(base, path.Ext(base))
	stem := strings.ToLower(written)
	if stem == "exercise" || stem == "ejercicio" {
		return ""
	}
	switch {
	case strings.HasPrefix(stem, "solution"), strings.HasSuffix(stem, "solution"), strings.HasPrefix(stem, "soluci"),
		strings.HasSuffix(stem, "solucion"), strings.HasSuffix(stem, "solución"),
		strings.HasPrefix(stem, "answer"), strings.HasPrefix(stem, "respuesta"):
		return rag.Solution
	case stem == "test", stem == "tests", stem == "conftest", stem == "pruebas", testClass.MatchString(written),
		strings.HasPrefix(stem, "test_"), strings.HasPrefix(stem, "prueba_"), strings.HasPrefix(stem, "pruebas_"),
		strings.HasSuffix(stem, "_test"), strings.HasSuffix(stem, "_spec"), strings.HasSuffix(stem, ".test"), strings.HasSuffix(stem, ".spec"):
		return rag.Tests
	}
	return ""
}

// hidden reports whether learners may never read the file.
func (p place) hidden() bool { return p.role == rag.Solution || p.role == rag.Tests }
