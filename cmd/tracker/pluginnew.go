package main

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

//go:embed plugintemplate
var pluginTemplate embed.FS

// sdkModule is the module that holds the SDK.
const sdkModule = "github.com/goals-tracker/tracker"

type pluginNewCmd struct {
	Name     string `arg:"" help:"The plugin's name: lower-case letters, digits and dashes."`
	Language string `default:"text" help:"The language that it judges."`
	Dir      string `help:"Where to write it. Defaults to a new folder of the plugin's name." type:"path"`
	SDK      string `name:"sdk" env:"TRACKER_SDK" help:"A checkout of the SDK to build against. Defaults to the one that this program or folder lies in, else to the module of this program's version." type:"existingdir"`
}

var (
	newName     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	newLanguage = regexp.MustCompile(`^[a-z0-9][a-z0-9+#._-]{0,62}$`)
)

// extensions of languages whose files do not end in their name.
var extensions = map[string]string{
	"text": ".txt", "python": ".py", "javascript": ".js", "typescript": ".ts", "ruby": ".rb", "rust": ".rs", "kotlin": ".kt",
	"csharp": ".cs", "c++": ".cpp", "c#": ".cs", "haskell": ".hs", "bash": ".sh", "shell": ".sh", "perl": ".pl", "markdown": ".md", "julia": ".jl",
	"erlang": ".erl", "elixir": ".ex", "clojure": ".clj", "ocaml": ".ml", "prolog": ".pl", "pascal": ".pas",
}

// Run writes a plugin.
func (c *pluginNewCmd) Run() error {
	if !newName.MatchString(c.Name) {
		return fmt.Errorf("%q can't be a plugin's name: use lower-case letters, digits and dashes", c.Name)
	}
	if !newLanguage.MatchString(c.Language) {
		return fmt.Errorf("%q can't be a language's name: write it in lower case, without spaces", c.Language)
	}
	dir := c.Dir
	if dir == "" {
		dir = c.Name
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is there already and is not empty: name another folder with --dir", dir)
	}
	extension, ok := extensions[c.Language]
	if !ok {
		extension = "." + strings.Trim(strings.Map(letters, c.Language), ".")
	}
	data := map[string]string{"Name": c.Name, "Language": c.Language, "Extension": extension, "File": "hello" + extension}
	root, err := fs.Sub(pluginTemplate, "plugintemplate")
	if err != nil {
		return err
	}
	err = fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return writeTemplate(root, path, dir, data)
	})
	if err != nil {
		return fmt.Errorf("write plugin %s: %w", c.Name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("/"+c.Name+"\n"), 0o644); err != nil {
		return err
	}
	from, err := c.module(dir)
	if err != nil {
		return fmt.Errorf("write plugin %s: %w", c.Name, err)
	}
	fmt.Printf("%s is a plugin that judges %s, built against %s. Next:\n\n  cd %s\n%s  go test ./...\n  go build -o %s . && tracker plugin check ./%s\n",
		dir, c.Language, from.what, dir, from.first, c.Name, c.Name)
	return nil
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

func writeTemplate(root fs.FS, path, dir string, data map[string]string) error {
	raw, err := fs.ReadFile(root, path)
	if err != nil {
		return err
	}
	tmpl, err := template.New(path).Parse(string(raw))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, data); err != nil {
		return err
	}
	to := filepath.Join(dir, strings.TrimSuffix(path, ".tmpl"))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, out.Bytes(), 0o644)
}

// built says what a plugin builds against, and what must be done first.
type built struct{ what, first string }

// module writes go.mod. Against a checkout it takes over the checkout's
// versions and sums, so that building needs no network.
func (c *pluginNewCmd) module(dir string) (built, error) {
	checkout := c.SDK
	if checkout == "" {
		checkout = findCheckout()
	}
	if checkout == "" {
		at := "v" + strings.TrimPrefix(version, "v")
		text := fmt.Sprintf("module %s\n\nrequire %s %s\n", c.Name, sdkModule, at)
		return built{"version " + at + " of the SDK", "  go mod tidy\n"}, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644)
	}
	checkout, err := filepath.Abs(checkout)
	if err != nil {
		return built{}, err
	}
	theirs, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		return built{}, fmt.Errorf("the SDK's checkout: %w", err)
	}
	if modulePath(theirs) != sdkModule {
		return built{}, fmt.Errorf("%s is no checkout of %s", checkout, sdkModule)
	}
	sums, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		return built{}, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644); err != nil {
		return built{}, err
	}
	return built{"the SDK in " + checkout, ""}, os.WriteFile(filepath.Join(dir, "go.mod"), modAgainst(c.Name, checkout, theirs), 0o644)
}

// modAgainst writes a go.mod that names all the versions that the checkout has.
func modAgainst(name, checkout string, theirs []byte) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "module %s\n", name)
	goVersion, requires, inside := "", "", false
	for line := range strings.Lines(string(theirs)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "//")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 2 && fields[0] == "go":
			goVersion = fields[1]
		case len(fields) == 2 && fields[0] == "require" && fields[1] == "(":
			inside = true
		case inside && len(fields) == 1 && fields[0] == ")":
			inside = false
		case inside && len(fields) == 2:
			requires += fmt.Sprintf("\t%s %s // indirect\n", fields[0], fields[1])
		case len(fields) == 3 && fields[0] == "require":
			requires += fmt.Sprintf("\t%s %s // indirect\n", fields[1], fields[2])
		}
	}
	fmt.Fprintf(&out, "\ngo %s\n\nrequire %s v0.0.0\n\nrequire (\n%s)\n\nreplace %s => %s\n", goVersion, sdkModule, requires, sdkModule, strconv.Quote(checkout))
	return []byte(out.String())
}

// modulePath is the module that a go.mod is of.
func modulePath(mod []byte) string {
	for line := range strings.Lines(string(mod)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return fields[1]
		}
	}
	return ""
}

// findCheckout looks for the SDK's checkout around the working folder and
// around this program; "" when there is none.
func findCheckout() string {
	starts := make([]string, 0, 2)
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	if exe, err := os.Executable(); err == nil {
		if target, err := filepath.EvalSymlinks(exe); err == nil {
			exe = target
		}
		starts = append(starts, filepath.Dir(exe))
	}
	for _, dir := range starts {
		for ; ; dir = filepath.Dir(dir) {
			raw, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && modulePath(raw) == sdkModule {
				return dir
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return ""
}
