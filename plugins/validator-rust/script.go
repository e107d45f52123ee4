package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// quote makes one word of the shell.
func quote(w string) string { return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'" }

// flags are those of every crate with code of people's.
func (l *layout) flags(toolchain string, opts options) string {
	out := "--edition " + supported(l.manifest.edition, toolchain) + " --error-format=json -C debuginfo=0 -C overflow-checks=on -C debug-assertions=on -C embed-bitcode=no -C codegen-units=2"
	for _, f := range append(append([]string{}, l.manifest.features...), opts.Features...) {
		out += " --cfg " + quote(`feature="`+f+`"`)
	}
	return out
}

const scriptHead = "set -u; cd " + validator.WorkDir + "; J=" + judgeDir + "; mkdir -p $J/o $J/d $J/t\n"

// libraryScript compiles the submission to a library, and looks at what of it
// could act outside of the functions that tests call.
func (l *layout) libraryScript(toolchain string, opts options) string {
	var s strings.Builder
	s.WriteString(scriptHead)
	lib := judgeDir + "/lib" + l.crate + ".rlib"
	fmt.Fprintf(&s, "rustc %s --crate-type rlib --crate-name %s -o %s %s 2>$J/d/lib.json || exit 1\n", l.flags(toolchain, opts), quote(l.crate), quote(lib), quote("./"+l.root))
	fmt.Fprintf(&s, "readelf -SW %s 2>/dev/null | grep -oE '\\.(preinit_array|init_array|fini_array|ctors|dtors|interp)[^ ]*' | head -3 >$J/o/early\n", quote(lib))
	fmt.Fprintf(&s, "nm -g --defined-only --format=posix %s 2>/dev/null | awk 'NF>1{print $1}' | grep -vE '^(_ZN|_R)' | sort -u >$J/o/mine\n", quote(lib))
	s.WriteString(`nm -D --defined-only --format=posix "$(gcc -print-file-name=libc.so.6)" | sed 's/[@ ].*//' | sort -u | comm -12 $J/o/mine - >>$J/o/early` + "\n")
	s.WriteString("grep -E '^(gt_|__rust|rust_|_start$|main$)' $J/o/mine >>$J/o/early\n[ ! -s $J/o/early ] || exit 1\n")
	return s.String()
}

func (l *layout) programScript(toolchain string, opts options) string {
	var s strings.Builder
	s.WriteString(scriptHead)
	flags := l.flags(toolchain, opts) + " -C strip=symbols"
	if l.root != "" && l.root != l.program {
		fmt.Fprintf(&s, "rustc %s --crate-type rlib --crate-name %s -o %s %s 2>$J/d/lib.json || exit 1\n", l.flags(toolchain, opts), quote(l.crate), quote(judgeDir+"/lib"+l.crate+".rlib"), quote("./"+l.root))
		flags += " --extern " + quote(l.crate+"="+judgeDir+"/lib"+l.crate+".rlib")
	}
	fmt.Fprintf(&s, "rustc %s --crate-type bin --crate-name program -o $J/program %s 2>$J/d/program.json || exit 1\n", flags, quote("./"+l.program))
	return s.String()
}

// testsScript makes a program of each test file.
func (l *layout) testsScript(toolchain string, opts options, prebuilt bool) string {
	var s strings.Builder
	s.WriteString(scriptHead)
	if !prebuilt {
		s.WriteString("RUSTC_BOOTSTRAP=1 rustc --edition 2021 --crate-type rlib --crate-name gt_harness -O -C embed-bitcode=no -o $J/libgt_harness.rlib $J/gt_harness.rs || exit 3\n")
		for _, flags := range [][2]string{{"supervisor", "-ffreestanding"}, {"report", ""}} {
			fmt.Fprintf(&s, "gcc -std=gnu17 -O1 -g0 -w -fPIC -fno-stack-protector -fno-tree-loop-distribute-patterns -I$J %s -c -o $J/%s.o $J/%s.c || exit 3\n", flags[1], flags[0], flags[0])
		}
	}
	// Only here: the harness needs what is not stable, the submission does not get it.
	flags := l.flags(toolchain, opts) + " --test -C strip=symbols -Zcrate-attr='feature(custom_test_frameworks)' -Zcrate-attr='test_runner(gt_harness::run)' --extern gt_harness=" + judgeDir +
		"/libgt_harness.rlib -Zpre-link-arg=" + validator.WorkDir + "/" + judgeDir + "/supervisor.o -C link-arg=" + validator.WorkDir + "/" + judgeDir + "/report.o"
	s.WriteString("export RUSTC_BOOTSTRAP=1\n")
	common := ""
	if l.mentions("pretty_assertions") {
		// What it shows more prettily than the standard library, this report does too.
		s.WriteString("echo 'pub use std::{assert_eq, assert_ne};' | rustc --edition 2021 --crate-type rlib --crate-name pretty_assertions -o $J/libpretty_assertions.rlib - || exit 3\n")
		common = " --extern pretty_assertions=" + judgeDir + "/libpretty_assertions.rlib"
	}
	for i, m := range l.modules {
		extern := common
		if l.root != "" {
			extern += " --extern " + quote(l.crate+"="+judgeDir+"/lib"+l.crate+".rlib")
		}
		fmt.Fprintf(&s, "mkdir -p %s; rustc %s --crate-name gt_tests_%d%s -o %s %s 2>$J/d/tests%d.json || : >$J/o/failed\n",
			quote(path.Dir(exe(m))), flags, i, extern, quote(exe(m)), quote("./"+m), i)
	}
	if len(l.inside) > 0 {
		fmt.Fprintf(&s, "rustc %s --crate-name %s -o %s %s 2>$J/d/unit.json || : >$J/o/failed\n", flags+common, quote(l.crate), quote(exe(unitProgram)), quote("./"+l.root))
	}
	s.WriteString("[ ! -e $J/o/failed ] || exit 1\n")
	return s.String()
}

// mentions says whether a test file names a crate.
func (l *layout) mentions(crate string) bool {
	for _, f := range l.tests {
		if path.Ext(f.Path) == ".rs" && strings.Contains(bare(string(f.Content)), crate) {
			return true
		}
	}
	return false
}

// exe is the program of a test file; its name is what the harness calls the file.
func exe(module string) string { return judgeDir + "/t/" + module }
