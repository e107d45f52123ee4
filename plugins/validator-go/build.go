package main

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	// harnessPath is what a package of ours is called in a test binary.
	harnessPath = "goals.tracker/judge"
	// Places in the compile step's room, below /room.
	sourceDir = "src"
	judgeDir  = "judge"
	outDir    = "out"
	// What the compilers said: of the submission by itself, and with the tests.
	aloneFile = outDir + "/alone.txt"
	testsFile = outDir + "/tests.txt"
	// Exit codes of the compile step.
	exitAlone = 10
	exitTests = 11
)

// builder makes the script of the compile step.
type builder struct {
	l     *layout
	files []validator.File
	units int
	nonce string
	std   string // where archives of the standard library lie
	// imports of the standard library, for a machine without archives.
	imports map[string]bool
}

// unit is one call of the compiler.
type unit struct {
	path    string
	sources []*source
	imports []string // of generated files
	// uses are the archives of imported packages of the module.
	uses map[string]string
	// generated are names of files of ours.
	generated []string
	embeds    bool
}

// compile returns the shell command for a unit and its archive.
func (b *builder) compile(u unit) (command, archive string) {
	b.units++
	id := fmt.Sprintf("u%d", b.units)
	archive = "../" + outDir + "/" + id + ".a"
	var cfg strings.Builder
	imports := map[string]bool{}
	for _, s := range u.sources {
		for _, i := range s.imports {
			imports[i] = true
		}
	}
	for _, i := range u.imports {
		imports[i] = true
	}
	for _, i := range slices.Sorted(maps.Keys(imports)) {
		switch {
		case u.uses[i] != "":
			fmt.Fprintf(&cfg, "packagefile %s=%s\n", i, u.uses[i])
		case isStandard(i) && i != "unsafe":
			b.imports[i] = true
			fmt.Fprintf(&cfg, "packagefile %s=%s/%s.a\n", i, b.std, i)
		}
	}
	b.file(id+".cfg", cfg.String())
	args := []string{
		machine.tool("compile"), "-dwarf=false", "-pack", "-complete", "-c=2", "-p", quote(u.path),
		"-trimpath", `"$PWD=>"`, "-importcfg", "../" + judgeDir + "/" + id + ".cfg", "-o", archive,
	}
	if lang := machine.language(b.l.minor); lang != "" {
		args = append(args, lang)
	}
	if u.embeds {
		if embed := b.l.embedcfg(u.sources); embed != "" {
			b.file(id+".embed", embed)
			args = append(args, "-embedcfg", "../"+judgeDir+"/"+id+".embed")
		}
	}
	args = append(args, "--")
	for _, s := range u.sources {
		args = append(args, quote("./"+s.path))
	}
	for _, g := range u.generated {
		args = append(args, quote("../"+judgeDir+"/"+g))
	}
	return strings.Join(args, " "), archive
}

func (b *builder) harness() string {
	if machine.harness != "" {
		return machine.harness
	}
	return "../" + outDir + "/harness.a"
}

func (b *builder) file(name, content string) {
	b.files = append(b.files, validator.File{Path: judgeDir + "/" + name, Content: []byte(content)})
}

// witness makes a package of the submission import the harness, so that the
// language itself has the harness initialised before it.
func (b *builder) witness(name string) string {
	if name == "" {
		name = "main"
	}
	file := "import_" + name + ".go"
	if !slices.ContainsFunc(b.files, func(f validator.File) bool { return f.Path == judgeDir+"/"+file }) {
		b.file(file, "package "+name+"\n\nimport _ \""+harnessPath+"\"\n")
	}
	return file
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// plain compiles a package without its tests.
func (b *builder) plain(p *pkg, done map[string]string) (command, archive string) {
	return b.compile(b.unitOf(p, p.code, done))
}

// unitOf is a package with the import that has the harness initialised first.
func (b *builder) unitOf(p *pkg, sources []*source, done map[string]string) unit {
	return unit{path: p.path, sources: sources, uses: done, imports: []string{harnessPath}, generated: []string{b.witness(p.name)}, embeds: true}
}

// link returns the command that makes a program.
func (b *builder) link(to, archive, key string, uses map[string]string) string {
	b.units++
	cfg := fmt.Sprintf("l%d.cfg", b.units)
	var s strings.Builder
	for _, p := range slices.Sorted(maps.Keys(uses)) {
		fmt.Fprintf(&s, "packagefile %s=%s\n", p, uses[p])
	}
	b.file(cfg, s.String())
	all := "../" + outDir + "/" + cfg
	define := ""
	if key != "" {
		define = "-X " + harnessPath + ".want=" + digestOf(key) + " "
		if b.l.staying() {
			define += "-X " + harnessPath + ".stay=yes "
		}
	}
	return fmt.Sprintf("cat %s/importcfg ../%s/%s >%s && \\\n%s -s -w -buildmode=exe %s-importcfg %s -o ../%s %s",
		b.std, judgeDir, cfg, all, machine.tool("link"), define, all, to, archive)
}

// order returns the packages that the given sources need, dependencies first.
// A cycle is cut where it closes; the rules have reported it by then.
func (l *layout) order(of []*source) []*pkg {
	var out []*pkg
	state := map[*pkg]bool{}
	var visit func(sources []*source)
	visit = func(sources []*source) {
		for _, s := range sources {
			for _, i := range s.imports {
				p := l.resolve(i)
				if p == nil || state[p] {
					continue
				}
				state[p] = true
				visit(p.code)
				out = append(out, p)
			}
		}
	}
	visit(of)
	return out
}

// script is the compile step's program: what the packages under test need,
// then, both at a time, each of them by itself and with its tests.
func (b *builder) script(needed, alone, tests []string) string {
	var s bytes.Buffer
	s.WriteString("cd " + sourceDir + " || exit 99\nmkdir -p ../" + outDir + "\n")
	if machine.archives == "" {
		s.WriteString(b.standardLibrary())
	}
	if machine.harness == "" {
		fmt.Fprintf(&s, "%s -dwarf=false -p %s -importcfg %s/importcfg -pack -o %s", machine.tool("compile"), harnessPath, b.std, b.harness())
		for _, n := range harnessNames() {
			name := "harness_" + path.Base(n)
			b.file(name, string(harnessFile(n)))
			s.WriteString(" ../" + judgeDir + "/" + name)
		}
		s.WriteString(" || exit 98\n")
	}
	group := func(commands []string, to string) string {
		return "( " + strings.Join(append(slices.Clone(commands), "true"), " && \\\n") + " ) >>../" + to + " 2>&1"
	}
	if len(needed) > 0 {
		fmt.Fprintf(&s, "%s || exit %d\n", group(needed, aloneFile), exitAlone)
	}
	fmt.Fprintf(&s, "%s & alone=$!\n%s; tests=$?\nwait $alone || exit %d\n[ $tests = 0 ] || exit %d\n", group(alone, aloneFile), group(tests, testsFile), exitAlone, exitTests)
	return s.String()
}

// standardLibrary compiles what the sources need, on machines where that was
// not done beforehand.
func (b *builder) standardLibrary() string {
	for _, i := range []string{"testing", "flag", "io", "os", "reflect", "runtime/debug", "strconv", "strings", "sync", "syscall", "math/bits", "time", "runtime"} {
		b.imports[i] = true
	}
	return fmt.Sprintf(`export GOCACHE=/tmp/cache HOME=/tmp
mkdir -p %[1]s
(cd / && %[2]s/bin/go list -e -export -deps -trimpath -gcflags=all=-dwarf=false -f '{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}' %[3]s) >/tmp/list || exit 98
while read -r package file; do
	mkdir -p "%[1]s/${package%%/*}"
	ln "$file" "%[1]s/$package.a" || exit 98
	echo "packagefile $package=%[1]s/$package.a"
done </tmp/list >%[1]s/importcfg
`, b.std, machine.root, strings.Join(slices.Sorted(maps.Keys(b.imports)), " "))
}
