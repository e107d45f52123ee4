package main

import (
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

var (
	assembly    = regexp.MustCompile(`\b(asm|global_asm|naked_asm)\s*!`)
	unsafeWord  = regexp.MustCompile(`\bunsafe\b`)
	linkage     = regexp.MustCompile(`\b(no_mangle|export_name|link_section|link_args|link_name)\b|#\s*\[\s*(?:unsafe\s*\(\s*)?link\b|\blinkage\b`)
	frameworks  = regexp.MustCompile(`\b(gt_harness|gt_begin|gt_end|gt_report|gt_token|gt_pipe)\b|extern\s+crate\s+test\b`)
	ownMacros   = regexp.MustCompile(`macro_rules\s*!\s*(?:r#)?(assert|assert_eq|assert_ne|debug_assert|debug_assert_eq|debug_assert_ne|matches|panic|vec|format|println|print|eprintln|write|writeln|unreachable|todo|unimplemented)\b`)
	renamed     = regexp.MustCompile(`\buse\b[^;]*\bas\s+(?:r#)?(assert|assert_eq|assert_ne|matches|panic)\b`)
	exported    = regexp.MustCompile(`#\s*\[\s*macro_export`)
	procedural  = regexp.MustCompile(`\bproc_macro(_derive|_attribute)?\b`)
	testsReader = regexp.MustCompile(`\b(include|include_str|include_bytes)\s*!`)
)

// refuse lists what of the submission reaches for what judges it.
func refuse(l *layout, opts options) []validator.Finding {
	tested := len(l.modules)+len(l.inside) > 0
	var out []validator.Finding
	for _, f := range l.submission {
		if !strings.HasSuffix(f.Path, ".rs") {
			continue
		}
		code := bare(string(f.Content))
		add := func(at []int, rule, en, es string) {
			if at == nil {
				return
			}
			line := 1 + strings.Count(code[:at[0]], "\n")
			out = append(out, validator.Finding{File: f.Path, Line: line, Rule: rule, Severity: validator.SeverityError,
				Message: validator.Text("rust."+rule, en, es, "name", strings.TrimSpace(code[at[0]:at[1]]))})
		}
		add(assembly.FindStringIndex(code), "inline-assembly", "Inline assembly is not accepted here.", "Aquí no se acepta código ensamblador.")
		if tested {
			add(linkage.FindStringIndex(code), "linkage", "{name} changes what the program is linked from, which is not accepted here.", "{name} cambia de qué se enlaza el programa; aquí no se acepta.")
			add(frameworks.FindStringIndex(code), "framework-access", "{name} belongs to what judges; your code must not use it.", "{name} pertenece a lo que evalúa; tu código no debe usarlo.")
			add(procedural.FindStringIndex(code), "procedural-macro", "Procedural macros of your own are not accepted here.", "Aquí no se aceptan macros procedurales propias.")
			if exported.MatchString(code) || len(l.inside) > 0 {
				add(ownMacros.FindStringIndex(code), "macro-override", "This macro has a meaning of its own that the tests rely on; choose another name.", "Esta macro tiene un significado propio en el que confían las pruebas; elige otro nombre.")
			}
			add(renamed.FindStringIndex(code), "macro-override", "This macro has a meaning of its own that the tests rely on; choose another name.", "Esta macro tiene un significado propio en el que confían las pruebas; elige otro nombre.")
			if len(l.inside) > 0 {
				add(testsReader.FindStringIndex(code), "includes-files", "Your code is compiled beside the tests here, so it must not include files.", "Aquí tu código se compila junto a las pruebas, así que no debe incluir archivos.")
			}
		}
		if opts.ForbidUnsafe {
			add(unsafeWord.FindStringIndex(code), "unsafe", "Unsafe code is not accepted in this task.", "En esta tarea no se acepta código unsafe.")
		}
	}
	return out
}
