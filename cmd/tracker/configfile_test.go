package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/goals-tracker/tracker/modules/core/config"
)

var update = flag.Bool("update", false, "write configs/tracker.yaml anew")

const configFile = "../../configs/tracker.yaml"

const configHead = `# Every setting with its default. Later sources win: this file, .env, the
# environment (TRACKER_<SECTION>_<KEY>, or the name in brackets), flags
# (--set section.key=value). An unknown key is an error. Each variable can be
# given as NAME_FILE, a file that holds the value; keep secrets out of this file.
#
# Made from the comments in the source: go test ./cmd/tracker -run ConfigFile -update
`

func TestTheConfigFileShowsEverySettingWithItsDefault(t *testing.T) {
	var out strings.Builder
	out.WriteString(configHead)
	w := configWriter{t: t, out: &out, packages: map[string]map[string]*ast.StructType{}}
	w.write(reflect.ValueOf(DefaultConfig()), 0)
	if *update {
		if err := os.WriteFile(configFile, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(configFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.String(), string(have)); diff != "" {
		t.Errorf("configs/tracker.yaml is not what the source says (-update writes it):\n%s", diff)
	}
	var loaded Config
	if err := config.Load(&loaded, config.Source{File: configFile}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fmt.Sprintf("%+v", DefaultConfig()), fmt.Sprintf("%+v", loaded)); diff != "" {
		t.Errorf("the file does not load as the defaults:\n%s", diff)
	}
}

type configWriter struct {
	t        *testing.T
	out      *strings.Builder
	packages map[string]map[string]*ast.StructType
}

func (w *configWriter) write(v reflect.Value, depth int) {
	indent := strings.Repeat("  ", depth)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := field.Tag.Get("koanf")
		if key == "" || key == "-" {
			continue
		}
		nested := field.Type.Kind() == reflect.Struct
		if nested {
			fmt.Fprintf(w.out, "\n%s%s:\n", indent, key)
			w.write(v.Field(i), depth+1)
			continue
		}
		comment := w.comment(v.Type(), field.Name)
		if env := field.Tag.Get("env"); env != "" {
			comment += " [" + env + "]"
		}
		for _, line := range wrap(comment, 86-len(indent)) {
			fmt.Fprintf(w.out, "%s# %s\n", indent, line)
		}
		fmt.Fprintf(w.out, "%s%s: %s\n", indent, key, w.value(v.Field(i)))
	}
}

func (w *configWriter) value(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		return value.String()
	case config.Secret:
		return `""`
	}
	if v.Kind() == reflect.Slice && v.Len() == 0 {
		return "[]"
	}
	if v.Kind() == reflect.Map && v.Len() == 0 {
		return "{}"
	}
	node := &yaml.Node{}
	if err := node.Encode(v.Interface()); err != nil {
		w.t.Fatal(err)
	}
	node.Style = yaml.FlowStyle
	data, err := yaml.Marshal(node)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// comment is what the source says of a field.
func (w *configWriter) comment(t reflect.Type, field string) string {
	structs, ok := w.packages[t.PkgPath()]
	if !ok {
		structs = w.parse(t.PkgPath())
		w.packages[t.PkgPath()] = structs
	}
	st := structs[t.Name()]
	if st == nil {
		w.t.Fatalf("there is no struct %s in %s", t.Name(), t.PkgPath())
	}
	last := ""
	for _, f := range st.Fields.List {
		if text := strings.Join(strings.Fields(f.Doc.Text()), " "); text != "" {
			last = text
		}
		for _, name := range f.Names {
			if name.Name == field {
				if f.Doc.Text() == "" {
					return "As the one above."
				}
				return last
			}
		}
	}
	w.t.Errorf("%s.%s has no comment", t, field)
	return ""
}

func (w *configWriter) parse(pkg string) map[string]*ast.StructType {
	dir := "."
	if rel, ok := strings.CutPrefix(pkg, "github.com/goals-tracker/tracker/"); ok && !strings.HasPrefix(rel, "cmd/") {
		dir = filepath.Join("../..", rel)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		w.t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			w.t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if st, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = st
				}
			}
			return true
		})
	}
	return structs
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
