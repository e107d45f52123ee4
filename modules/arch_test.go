package modules_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/goals-tracker/tracker/"

// mayImport says whose root package each part may import. A part's own
// packages are always allowed; another's subpackages never are, except where
// subpackages says so.
var mayImport = map[string][]string{
	"modules/core":       {"sdk"},
	"modules/events":     {"modules/core"},
	"modules/academy":    {"modules/core", "modules/events"},
	"modules/llm":        {"modules/core", "modules/events"},
	"modules/goals":      {"modules/core", "modules/events", "modules/academy"},
	"modules/tasks":      {"modules/core", "modules/events", "modules/goals"},
	"modules/validation": {"modules/core", "modules/events", "modules/tasks", "modules/academy", "sandbox"},
	"modules/rag":        {"modules/core", "modules/events", "modules/academy", "modules/llm"},
	"modules/analytics":  {"modules/core", "modules/events", "modules/academy"},
	"modules/agents": {"modules/core", "modules/events", "modules/goals", "modules/tasks", "modules/validation",
		"modules/rag", "modules/llm", "modules/analytics"},
	"modules/realtime": {"modules/core", "modules/events"},
	"modules/mcp":      {"modules/core"},
	"modules/web":      {"modules/core"},
	"sandbox":          {},
	"sdk":              {},
	"plugins":          {"sdk"},
	"migrations":       {},
	"cmd":              {"*"},
}

// everyone may import these: generated code, and what the database is made of.
var everyone = []string{"sdk/gen", "migrations"}

// subpackages are the parts whose subpackages are their interface, each with
// the reason.
var subpackages = map[string]string{
	"modules/core": "one package each, by design",
	"sdk":          "authors import sdk/validator and sdk/llm",
}

// alsoAllowed are single exceptions, each with the reason.
var alsoAllowed = map[string]map[string]string{
	"sdk/validatortest":        {"sandbox": "a plugin's tests run its steps in the host's sandbox"},
	"sdk/internal/conformance": {"sandbox": "a plugin's tests run its steps in the host's sandbox"},
	"modules/validation":       {"sdk": "the loop of rounds and the report's vocabulary are the SDK's"},
	"modules/agents":           {"sdk": "schemas of tools and answers are the SDK's"},
	"modules/llm":              {"sdk": "the vocabulary of models is the SDK's"},
}

// onlyIn says where a library may be used; elsewhere it is refused. Entries are
// path prefixes; "*fx" is any package whose folder ends in fx, "*/internal/store"
// any store.
var onlyIn = map[string]struct {
	where  []string
	reason string
}{
	"go.uber.org/fx":                  {[]string{"*fx", "cmd"}, "wiring in one place"},
	"github.com/jackc/pgx":            {[]string{"*/internal/store", "modules/core/postgres", "modules/core/jobs", "modules/core/bus", "modules/events", "cmd"}, "SQL beside the method that runs it"},
	"connectrpc.com":                  {[]string{"*/internal/rpc", "modules/core/rpc", "sdk/gen", "cmd"}, "handlers convert, services decide"},
	"github.com/hashicorp/go-plugin":  {[]string{"sdk", "modules/core/pluginhost"}, "authors never see it"},
	"google.golang.org/grpc":          {[]string{"sdk", "modules/core/pluginhost"}, "authors never see it"},
	"github.com/tmc/langchaingo":      {[]string{"plugins/llm-*"}, "its defects stay behind one plugin's interface"},
	"github.com/golang-jwt/jwt":       {[]string{"modules/core/auth", "cmd"}, "tokens are read in one place"},
	"github.com/MicahParks":           {[]string{"modules/core/auth"}, "tokens are read in one place"},
	"github.com/coreos/go-oidc":       {[]string{"modules/core/auth"}, "tokens are read in one place"},
	"github.com/riverqueue/river":     {[]string{"modules/core/jobs", "modules/core/postgres/migrate", "*/internal/react", "*/internal/work", "*fx"}, "jobs are tickets"},
	"github.com/prometheus":           {[]string{"modules/core", "*fx", "cmd"}, "metrics in one registry"},
	"github.com/rabbitmq/amqp091-go":  {[]string{"modules/core/broker"}, "confirms, returns and reconnection in one place"},
	"github.com/redis/rueidis":        {[]string{"modules/core/cache"}, "what happens without Redis is decided in one place"},
	"github.com/yalue/onnxruntime_go": {[]string{"plugins/llm-local"}, "cgo stays in one optional plugin"},
}

// TestImports reads the files themselves: `go list` answers from a cache that
// may be stale.
func TestImports(t *testing.T) {
	root := ".."
	files := 0
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))
		if entry.IsDir() {
			if rel != ".." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "node_modules" || rel == "tools" || rel == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(rel, ".go") {
			files++
			checkFile(t, name, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Fatalf("only %d files were looked at", files)
	}
}

func checkFile(t *testing.T, name, rel string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	dir := path.Dir(rel)
	part := partOf(dir)
	test := strings.HasSuffix(rel, "_test.go") || strings.HasSuffix(dir, "test")
	for _, spec := range file.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(target, module); ok {
			if why := refused(dir, part, ours, test); why != "" {
				t.Errorf("%s imports %s: %s", rel, ours, why)
			}
			continue
		}
		for library, rule := range onlyIn {
			if (target == library || strings.HasPrefix(target, library+"/")) && !test && !matchesAny(dir, rule.where) {
				t.Errorf("%s imports %s, which belongs only in %v: %s", rel, target, rule.where, rule.reason)
			}
		}
		if part == "sandbox" && strings.Contains(strings.Split(target, "/")[0], ".") &&
			!strings.HasPrefix(target, "golang.org/x/sys") && !strings.HasPrefix(target, "golang.org/x/net") {
			t.Errorf("%s imports %s: the sandbox uses the standard library, x/sys and x/net only", rel, target)
		}
	}
}

// partOf is the part of the table that a folder belongs to.
func partOf(dir string) string {
	first, rest, _ := strings.Cut(dir, "/")
	if first == "modules" {
		second, _, _ := strings.Cut(rest, "/")
		return "modules/" + second
	}
	return first
}

// refused says why dir may not import target, or "".
func refused(dir, part, target string, test bool) string {
	targetPart := partOf(target)
	if targetPart == part || matchesAny(target, everyone) {
		return ""
	}
	for prefix, allowed := range alsoAllowed {
		if _, ok := allowed[targetPart]; ok && (dir == prefix || strings.HasPrefix(dir, prefix+"/")) {
			return ""
		}
	}
	if test && !strings.Contains(target+"/", "/internal/") {
		return "" // tests wire the real parts, not mocks of them
	}
	allowed, known := mayImport[part]
	if !known {
		return "the table does not know " + part
	}
	ok := slices.Contains(allowed, "*") || slices.Contains(allowed, targetPart)
	if !ok {
		return part + " may import " + strings.Join(allowed, ", ")
	}
	if _, open := subpackages[targetPart]; open || target == targetPart || !strings.HasPrefix(target, "modules/") && targetPart == "sandbox" && target == "sandbox" {
		return ""
	}
	sub := strings.TrimPrefix(target, targetPart+"/")
	switch {
	case targetPart == "modules":
		return "there is nothing to import"
	case part == "cmd" && (strings.HasSuffix(sub, "fx") || !strings.Contains(target, "internal")):
		return ""
	}
	return "a subpackage of another part"
}

func matchesAny(dir string, patterns []string) bool {
	for _, p := range patterns {
		switch {
		case strings.HasPrefix(p, "*/"):
			if strings.Contains("/"+dir+"/", p[1:]+"/") {
				return true
			}
		case strings.HasPrefix(p, "*"):
			if strings.HasSuffix(path.Base(dir), p[1:]) {
				return true
			}
		case strings.HasSuffix(p, "*"):
			if strings.HasPrefix(dir, strings.TrimSuffix(p, "*")) {
				return true
			}
		case dir == p || strings.HasPrefix(dir, p+"/"):
			return true
		}
	}
	return false
}
