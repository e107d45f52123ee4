package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// script is a shell script that compiles. It runs no code of the submission.
type script struct {
	strings.Builder
	n    int // of compilations
	opts options
}

func newScript(opts options) *script {
	s := &script{opts: opts}
	s.line("set -u; cd "+validator.WorkDir+"; mkdir -p %[1]s/o %[1]s/d; bad=0", judgeDir)
	san := map[string]string{"address+undefined": "address,undefined", "address": "address", "undefined": "undefined"}[opts.Sanitizers]
	flags := func(which string) string {
		if which == "" {
			return ""
		}
		return "-fsanitize=" + which + " -fno-sanitize=nonnull-attribute,returns-nonnull-attribute,object-size -fno-sanitize-recover=all -fno-omit-frame-pointer"
	}
	s.line("san=%s", quote(flags(san)))
	if without := strings.Trim(strings.ReplaceAll(san, "address", ""), ","); without != san {
		// AddressSanitizer reserves terabytes of addresses, which a room without a
		// memory cgroup does not give.
		s.line(`[ "$(ulimit -d)" = unlimited ] || { san=%s' -D_GLIBCXX_ASSERTIONS'; echo noaddress >%s/o/limited; }`, quote(flags(without)), judgeDir)
	}
	return s
}

func (s *script) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

// quote makes one word of the shell.
func quote(w string) string { return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'" }

// local is a file's name as the compiler's argument.
func local(name string) string { return quote("./" + name) }

// flags of a source file of people's.
func (s *script) flags(name string) string {
	std := s.opts.StandardCpp
	if isC(name) {
		std = s.opts.StandardC
	}
	out := "-std=" + quote(std) + " -g -gz -O1 -Wall -Wextra -fPIC -fdiagnostics-format=json $san"
	for _, k := range slices.Sorted(maps.Keys(s.opts.Defines)) {
		out += " " + quote("-D"+k+"="+s.opts.Defines[k])
	}
	return out
}

func compiler(name string) string {
	if isC(name) {
		return "gcc"
	}
	return "g++"
}

// compile makes an object of a person's file, two at a time, and returns its name.
func (s *script) compile(name, flags string) string {
	o := judgeDir + "/o/" + strconv.Itoa(s.n) + ".o"
	s.line("{ %s %s %s -c -o %s %s 2>%s/d/%d.json || : >%s/o/failed; } &", compiler(name), s.flags(name), flags, o, local(name), judgeDir, s.n, judgeDir)
	if s.n++; s.n%2 == 0 {
		s.line("wait")
	}
	return o
}

// own compiles a file of the judge's own, without warnings or sanitizers.
func (s *script) own(name, flags string) string {
	o := judgeDir + "/o/" + path.Base(name) + ".o"
	s.line("{ gcc -std=gnu17 -O1 -g0 -w -fPIC -fno-stack-protector -fno-tree-loop-distribute-patterns -I%s %s -c -o %s %s || : >%s/o/broken; } &", judgeDir, flags, quote(o), local(name), judgeDir)
	return quote(o)
}

// compiled waits, and ends the script when something did not compile.
func (s *script) compiled() {
	s.line("wait; [ ! -e %[1]s/o/broken ] || exit 3; [ ! -e %[1]s/o/failed ] || exit 1", judgeDir)
}

// search says where #include "…" is looked for, and after all else <…>, so that
// no file of the submission stands in for a header of the system's.
func search(names []string) string {
	dirs := []string{"."}
	for _, n := range names {
		if d := "./" + path.Dir(n); isHeader(n) && path.Dir(n) != "." && !slices.Contains(dirs, d) {
			dirs = append(dirs, d)
		}
	}
	out := make([]string, 0, 2*len(dirs))
	for _, d := range dirs {
		out = append(out, "-iquote "+quote(d), "-idirafter "+quote(d))
	}
	return strings.Join(out, " ")
}

// checkObjects looks for what would run before the program's own start.
func (s *script) checkObjects(objects []string) {
	if len(objects) == 0 {
		return
	}
	all := strings.Join(objects, " ")
	s.line(`readelf -SW %s | grep -oE '\.(preinit_array|interp|dynamic|gnu\.warning)[^ ]*' | head -3 >%s/o/early`, all, judgeDir)
	s.line(`readelf -sW %s | grep -w IFUNC | head -3 | awk '{print $NF}' >>%s/o/early`, all, judgeDir)
	s.line("[ ! -s %[1]s/o/early ] || exit 1", judgeDir)
}

// submissionScript compiles the submission to a library that the tests link
// against, or to a program.
func submissionScript(l *layout, opts options, asProgram bool) string {
	s := newScript(opts)
	where := search(append(slices.Clone(l.headers), headerNames(l.sharedHeaders())...))
	sources := l.sources
	objects := make([]string, 0, len(sources))
	cpp := slices.ContainsFunc(sources, isCpp)
	for _, name := range sources {
		objects = append(objects, s.compile(name, where))
	}
	if len(sources) == 0 {
		for i, name := range l.headers { // there is nothing else to see mistakes in
			if i < 8 {
				s.line("%s -x %s -fsyntax-only %s 2>%s/d/h%d.json || : >%s/o/failed", headerCompiler(name, l), headerFlags(s, name, l), where+" "+local(name), judgeDir, i, judgeDir)
			}
		}
	}
	s.compiled()
	s.checkObjects(objects)
	link := "gcc"
	if cpp {
		link = "g++"
	}
	if asProgram {
		s.line("%s $san -g -gz -o %s/program %s -lm -pthread 2>%s/d/link.txt || exit 1", link, judgeDir, strings.Join(objects, " "), judgeDir)
		return s.String()
	}
	if len(objects) > 0 {
		// A main of the learner's own must not be taken for the tests'.
		s.line("for o in %s; do objcopy --redefine-sym main=gt_submission_main $o; done", strings.Join(objects, " "))
	}
	// Functions named like the system's get a second name, for tests that mean them.
	s.line(": >%[1]s/o/clash", judgeDir)
	if len(objects) > 0 {
		s.line("nm -g --defined-only --format=posix %s | awk '$2==\"T\"||$2==\"W\"{print $1}' | grep -v '^_' | sort -u >%[2]s/o/mine", strings.Join(objects, " "), judgeDir)
		s.line(`nm -D --defined-only --format=posix "$(gcc -print-file-name=libc.so.6)" "$(gcc -print-file-name=libm.so.6)" | sed 's/[@ ].*//' | sort -u | comm -12 %[1]s/o/mine - >%[1]s/o/clash`, judgeDir)
	}
	s.line(`more=; while read -r n; do more="$more -Wl,--defsym,gt_own_$n=$n"; done <%s/o/clash`, judgeDir)
	s.line("%s -shared -g -gz $san -Wl,-Bsymbolic-functions $more -o %s/libsubmission.so %s -lm -pthread 2>%s/d/link.txt || exit 1", link, judgeDir, strings.Join(objects, " "), judgeDir)
	return s.String()
}

func headerNames(files []validator.File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Path
	}
	return out
}

func headerCompiler(name string, l *layout) string {
	if cppHeader(name, l) {
		return "g++"
	}
	return "gcc"
}

// cppHeader says whether a header is C++: by its name, or by the tests.
func cppHeader(name string, l *layout) bool {
	return path.Ext(name) != ".h" || slices.ContainsFunc(l.modules, func(m module) bool { return isCpp(m.file) })
}

func headerFlags(s *script, name string, l *layout) string {
	if cppHeader(name, l) {
		return "c++ " + s.flags("x.cpp")
	}
	return "c " + s.flags("x.c")
}

// testsScript compiles the tests and links them with the library.
func testsScript(l *layout, opts options, prebuilt bool) string {
	s := newScript(opts)
	own := []string{judgeDir + "/supervisor.o", judgeDir + "/report.o", judgeDir + "/harness.o"}
	if !prebuilt {
		own = []string{s.own(judgeDir+"/supervisor.c", "-ffreestanding"), s.own(judgeDir+"/report.c", ""), s.own(judgeDir+"/harness.c", "")}
	}
	own = append(own, s.own(judgeDir+"/table.c", ""))
	all := make([]string, 0, len(l.tests)+len(l.headers))
	for _, f := range l.tests {
		all = append(all, f.Path)
	}
	where := search(append(all, l.headers...)) + " -isystem " + judgeDir + "/shim -DUNITY_SUPPORT_64"
	if opts.RunSkipped {
		where += " -DEXERCISM_RUN_ALL_TESTS"
	}
	if l.usesUnity {
		where += " " + s.unity(l)
	}
	objects := make([]string, 0, len(l.modules))
	for i, m := range l.modules {
		speed := ""
		if isCpp(m.file) && len(l.sources) > 0 {
			speed = " -O0" // takes half the time, and what is tested is compiled elsewhere
		}
		o := s.compile(testFile(i, &m), where+speed+" -iquote "+quote("./"+path.Dir(m.file)))
		objects = append(objects, o)
	}
	if l.usesUnity {
		own = append(own, quote(judgeDir+"/o/unity.c.o"), quote(judgeDir+"/o/unity_run.c.o"))
	}
	if l.usesCatch {
		own = append(own, judgeDir+"/o/catch_run.o")
		if prebuilt {
			s.line("gzip -dc %s/catch_run.o.gz >%s/o/catch_run.o || exit 3", judgeDir, judgeDir)
		} else {
			s.line("g++ -std=gnu++17 -O0 -g0 -w -fPIC -I%[1]s -c -o %[1]s/o/catch_run.o %[1]s/catch_run.cpp || exit 3", judgeDir)
		}
	}
	s.compiled()
	s.checkObjects(objects)
	if len(objects) > 0 {
		s.line("nm -g --defined-only --format=posix %s | cut -d' ' -f1 | grep -v '^_Z' | sort -u >%s/o/symbols", strings.Join(objects, " "), judgeDir)
	}
	// What the tests call is the submission's, unless it is what tests are made of.
	s.line(`own=; for n in $(grep -vxE '%[2]s' %[1]s/o/clash); do own="$own --redefine-sym $n=gt_own_$n"; done`, judgeDir, strings.Join(plain, "|"))
	for i, o := range objects {
		s.line("objcopy --redefine-sym main=gt_main_%d $own %s", i, o)
	}
	link := "gcc"
	if l.usesCatch || slices.ContainsFunc(l.modules, func(m module) bool { return isCpp(m.file) }) || slices.ContainsFunc(l.sources, isCpp) {
		link = "g++"
	}
	libraries := "-lm -lc"
	if link == "g++" {
		libraries = "-lstdc++ " + libraries
	}
	// The library comes last: what it defines can't stand in for what the system's
	// libraries or the tests define.
	s.line("%[1]s $san -g -gz -o %[2]s/tests %[3]s %[4]s -pthread -Wl,--no-as-needed %[5]s %[2]s/libsubmission.so -Wl,-rpath,"+validator.WorkDir+"/%[2]s -Wl,-z,now 2>%[2]s/d/link.txt || exit 1",
		link, judgeDir, strings.Join(own, " "), strings.Join(objects, " "), libraries)
	return s.String()
}

// unity compiles Unity and returns the flags for those who include it.
func (s *script) unity(l *layout) string {
	header, source := l.unity, ""
	for _, f := range l.tests {
		if path.Base(f.Path) == "unity.c" {
			source = f.Path
		}
	}
	if header == "" || source == "" {
		header, source = judgeDir+"/unity.h", judgeDir+"/unity.c"
	}
	// Quotes that pass through the shell script as they are.
	flags := `-DUNITY_SUPPORT_64 -DUNITY_INCLUDE_DOUBLE -DUNITY_SKIP_DEFAULT_RUNNER -DUNITY_OUTPUT_CHAR=gt_unity_char '-DUNITY_OUTPUT_CHAR_HEADER_DECLARATION=gt_unity_char(int)'`
	early := 0
	for _, m := range l.modules {
		if strings.Contains(m.content, "TEST_PASS") {
			early = 1
		}
	}
	s.line("{ gcc -std=gnu17 -O1 -g0 -w -fPIC -fvisibility=hidden -I%[1]s %[2]s -c -o %[1]s/o/unity.c.o %[3]s || : >%[1]s/o/broken; } &", judgeDir, flags, local(source))
	s.line("{ gcc -std=gnu17 -O1 -g0 -w -fPIC -fvisibility=hidden -I%[1]s %[2]s -DGT_MAY_PASS_EARLY=%[3]d %[4]s -c -o %[1]s/o/unity_run.c.o %[5]s || : >%[1]s/o/broken; } &", judgeDir, flags, early,
		quote(`-DGT_UNITY_HEADER="`+validator.WorkDir+`/`+header+`"`), local(judgeDir+"/unity_run.c"))
	if header == judgeDir+"/unity.h" {
		flags += " -I" + judgeDir
	}
	return flags
}

// testFile is what is compiled for a source file of the tests: itself, or where
// functions are to be called, a file that includes it and does so.
func testFile(i int, m *module) string {
	if m.style == functions {
		return fmt.Sprintf("%s/calls%d%s", judgeDir, i, path.Ext(m.file))
	}
	return m.file
}

// calls is the file that calls a test file's functions.
func calls(i int, m *module) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#include \"harness.h\"\n#include \"../%s\"\n", m.file)
	if isCpp(m.file) {
		b.WriteString("extern \"C\"\n")
	}
	fmt.Fprintf(&b, "void gt_functions_%d(void)\n{\n\tgt_file = %q;\n", i, m.file)
	for _, n := range m.names {
		if m.unity {
			fmt.Fprintf(&b, "\tUnityDefaultTestRun(%s, %q, 0);\n", n, n)
		} else {
			fmt.Fprintf(&b, "\tif (gt_begin(%q, %q)) {\n\t\t%s();\n\t\tgt_end('p', \"\");\n\t}\n", m.file, n, n)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// table is the file that runs all tests.
func table(l *layout) string {
	var head, body strings.Builder
	head.WriteString("#include \"harness.h\"\n#include <stddef.h>\n#include <stdio.h>\n")
	catches := false
	for i := range l.modules {
		m := &l.modules[i]
		switch m.style {
		case functions:
			fmt.Fprintf(&head, "void gt_functions_%d(void);\n", i)
			fmt.Fprintf(&body, "\tgt_functions_%d();\n", i)
		case unity, program:
			fmt.Fprintf(&head, "int gt_main_%d(int, char **);\n", i)
			if m.style == unity {
				fmt.Fprintf(&body, "\tgt_file = %q;\n\tgt_main_%d(1, argv);\n", m.file, i)
			} else {
				fmt.Fprintf(&body, "\tif (gt_begin(%q, \"main\")) {\n\t\tint code = gt_main_%d(1, argv);\n\t\tchar text[32];\n\t\tsnprintf(text, sizeof text, \"returned %%d\", code);\n\t\tgt_end(code == 0 ? 'p' : 'f', code == 0 ? \"\" : text);\n\t}\n", m.file, i)
			}
		case catch:
			catches = true
		case helper:
		}
	}
	if catches {
		head.WriteString("GT_HIDDEN void gt_run_catch(void);\n")
		body.WriteString("\tgt_run_catch();\n")
	}
	return head.String() + "void gt_run_all(void)\n{\n\tstatic char *argv[] = {\"tests\", NULL};\n\t(void)argv;\n" + body.String() + "}\n"
}
