package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// binary is a program that the compile step makes and a later step runs.
type binary struct {
	index int
	pkg   *pkg
	suite *suite // nil for the submission's own program
}

func (b *binary) file() string { return fmt.Sprintf("%s/t%d", outDir, b.index) }

func (b *binary) step() string {
	if b.index == 0 {
		return "run"
	}
	return fmt.Sprintf("run-%d", b.index)
}

// testBinaries makes the commands that build a binary for each package with
// tests. The packages must also compile alone: code that names what only test
// files have would read expected values.
func (b *builder) testBinaries(suites []*suite) (needed, alone, tests []string, binaries []binary) {
	all := make([]*source, 0, 8)
	for _, s := range suites {
		all = append(all, slices.Concat(s.pkg.code, s.pkg.tests, s.pkg.external)...)
	}
	done := map[string]string{harnessPath: b.harness()}
	for _, p := range b.l.order(all) {
		command, archive := b.plain(p, done)
		needed, done[p.path] = append(needed, command), archive
	}
	for i, s := range suites {
		p, uses := s.pkg, maps.Clone(done)
		if len(p.code) > 0 && done[p.path] == "" {
			u := b.unitOf(p, p.code, done)
			if content, imports := helpers(p); content != "" {
				name := fmt.Sprintf("helpers%d.go", i)
				b.file(name, content)
				u.generated, u.imports = append(u.generated, name), append(u.imports, imports...)
			}
			command, archive := b.compile(u)
			alone, uses[p.path] = append(alone, command), archive
		}
		if len(p.tests) > 0 {
			command, archive := b.compile(b.unitOf(p, slices.Concat(p.code, p.tests), uses))
			tests, uses[p.path] = append(tests, command), archive
			tests = append(tests, b.rebuild(p, uses)...)
		}
		if len(p.external) > 0 {
			command, archive := b.compile(unit{path: p.path + "_test", sources: p.external, uses: uses, embeds: true})
			tests, uses[p.path+"_test"] = append(tests, command), archive
		}
		main := fmt.Sprintf("main%d.go", i)
		b.file(main, s.code())
		command, archive := b.compile(unit{path: "main", imports: s.mainImports(), uses: uses, generated: []string{main}})
		bin := binary{index: i, pkg: p, suite: s}
		tests, binaries = append(tests, command, b.link(bin.file(), archive, keyOf(b.nonce, p.dir), uses)), append(binaries, bin)
	}
	return needed, alone, tests, binaries
}

// rebuild compiles again what imports a package that now contains its tests,
// as the go command does, so that there is only one of it in the binary.
func (b *builder) rebuild(p *pkg, uses map[string]string) []string {
	var commands []string
	changed := map[*pkg]bool{p: true}
	for _, q := range b.l.order(p.external) {
		if q == p || !slices.ContainsFunc(q.code, func(s *source) bool {
			return slices.ContainsFunc(s.imports, func(i string) bool { return changed[b.l.resolve(i)] })
		}) {
			continue
		}
		changed[q] = true
		command, archive := b.plain(q, uses)
		commands, uses[q.path] = append(commands, command), archive
	}
	return commands
}

// program makes the commands that build a submission without tests: all of
// its packages, and the program if there is one.
func (b *builder) program(entry string) (needed, tests []string, binaries []binary) {
	l := b.l
	var all []*source
	for _, dir := range slices.Sorted(maps.Keys(l.pkgs)) {
		all = append(all, l.pkgs[dir].code...)
	}
	done := map[string]string{} // no harness: there is nothing to report
	for _, p := range l.order(all) {
		command, archive := b.compile(unit{path: p.path, sources: p.code, uses: done, embeds: true})
		needed, done[p.path] = append(needed, command), archive
	}
	for _, dir := range slices.Sorted(maps.Keys(l.pkgs)) {
		p := l.pkgs[dir]
		switch {
		case len(p.code) == 0 || done[p.path] != "":
		case p == l.entry(entry):
			command, archive := b.compile(unit{path: "main", sources: p.code, uses: done, embeds: true})
			bin := binary{pkg: p}
			needed = append(needed, command)
			tests, binaries = append(tests, b.link(bin.file(), archive, "", done)), append(binaries, bin)
		default:
			command, _ := b.compile(unit{path: p.path, sources: p.code, uses: done, embeds: true})
			needed = append(needed, command)
		}
	}
	return needed, tests, binaries
}

// entry is the package of the program to run, or nil.
func (l *layout) entry(dir string) *pkg {
	if dir != "" {
		return l.pkgs[path.Clean(dir)]
	}
	var found []*pkg
	for _, p := range l.pkgs {
		if p.name == "main" && len(p.code) > 0 {
			found = append(found, p)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	if p := l.pkgs["."]; p != nil && p.name == "main" {
		return p
	}
	return nil
}

// runStep runs a binary in a room without the task's sources, in its package's
// folder.
func (l *layout) runStep(req *validator.Request, b *binary) validator.Step {
	limits := req.Task.Limits
	if limits.Processes == 0 {
		limits.Processes = 128 // threads of the runtime included
	}
	if limits.DiskBytes == 0 {
		limits.DiskBytes = 128 << 20 // the binary included
	}
	if limits.MemoryBytes == 0 {
		limits.MemoryBytes = 512 << 20 // a garbage collector takes twice what is in use
	}
	p := validator.Process{
		Role: "main", Argv: []string{validator.WorkDir + "/" + programFile}, Env: map[string]string{"GOTRACEBACK": "single", "GOMAXPROCS": "2", "GOMEMLIMIT": strconv.FormatUint(limits.MemoryBytes/10*8, 10)},
	}
	if b.suite != nil {
		p.Stdin = []byte(keyOf(req.Nonce, b.pkg.dir))
		// Frames are no output of the learner's; Judge counts what is.
		limits.OutputBytes = outputLimit(&req.Task) + frameBytes
	}
	if b.pkg.dir != "." {
		p.Dir = b.pkg.dir
		p.Files = append(p.Files, validator.File{Path: b.pkg.dir + "/.judge"})
	}
	for _, name := range slices.Sorted(maps.Keys(l.data)) {
		// What the task brings can't be changed by the submission.
		p.Files = append(p.Files, validator.File{Path: name, Content: l.data[name].Content, Writable: l.learner[name], Executable: l.data[name].Executable})
	}
	for _, s := range l.sources {
		// Some tests read how the learner's code is written; the task's files
		// hold expected values and stay away.
		if s.learner {
			p.Files = append(p.Files, validator.File{Path: s.path, Content: s.content, Writable: true})
		}
	}
	return validator.Step{
		ID: b.step(), Runtime: "go", Stage: "test", Limits: limits, Processes: []validator.Process{p},
		Carry: []validator.Carry{{StepID: "compile", Role: "main", Path: b.file(), ToRole: "main", ToPath: programFile, ExecuteOnly: b.suite != nil, Executable: true}},
	}
}
