package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// Packages that reach around the language's safety, and so into the memory
// that decides on the verdict.
var refusedImports = map[string]bool{"unsafe": true, "C": true, "plugin": true, "runtime/cgo": true, "net/http/pprof": true, harnessPath: true}

// Names of otherwise harmless packages that do the same, or print the stacks of
// tests, whose arguments are what they expect.
var refusedNames = map[string][]string{
	"reflect":       {"NewAt", "SliceAt"},
	"runtime":       {"Stack"},
	"runtime/debug": {"WriteHeapDump", "Stack", "PrintStack", "SetCrashOutput"},
	"runtime/pprof": {"Lookup", "Profiles"},
	"syscall": {"Syscall", "Syscall6", "Syscall9", "RawSyscall", "RawSyscall6", "SyscallN", "AllThreadsSyscall", "AllThreadsSyscall6",
		"PtraceAttach", "PtracePeekData", "PtracePokeData", "AttachLsf", "SetLsfPromisc"},
}

// refusals are what a submission may not hold when tests decide on it. With
// one of them nothing is compiled.
func (l *layout) refusals(req *validator.Request) []validator.Finding {
	var out []validator.Finding
	missing := map[string]bool{}
	for _, s := range l.sources {
		if !s.learner {
			continue
		}
		if out = append(out, lineDirectives(s)...); s.broken {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, s.path, s.content, parser.ParseComments|parser.SkipObjectResolution)
		if file == nil || err != nil {
			continue // the compiler says it better
		}
		c := &checker{l: l, s: s, set: set, file: file, tested: l.tested, missing: missing}
		c.imports()
		if l.tested {
			c.names()
			c.comments()
			c.changes()
			c.shadows()
		}
		out = append(out, c.found...)
	}
	out = append(out, l.ownEmbeds()...)
	out = append(out, l.misplaced(req)...)
	out = append(out, l.cycles()...)
	return out[:min(len(out), mostFindings)]
}

// mostFindings of one kind are shown.
const mostFindings = 100

type checker struct {
	l       *layout
	s       *source
	set     *token.FileSet
	file    *ast.File
	tested  bool
	missing map[string]bool
	own     map[string]bool // names that the package declares; nil until asked for
	found   []validator.Finding
}

func (c *checker) add(pos token.Pos, rule string, message validator.Message) {
	if len(c.found) >= mostFindings {
		return
	}
	at := c.set.PositionFor(pos, false)
	c.found = append(c.found, finding(c.s, at.Line, at.Column, rule, validator.SeverityError, message))
}

// finding is at a byte column, as Go's tools count.
func finding(s *source, line, column int, rule string, severity validator.Severity, message validator.Message) validator.Finding {
	text := lineOf(s.content, line)
	if column > 0 {
		column = utf8.RuneCountInString(text[:min(column-1, len(text))]) + 1
	}
	return validator.Finding{File: s.path, Line: line, Column: column, Rule: rule, Severity: severity, Message: message, Excerpt: strings.TrimSpace(text)}
}

func lineOf(content []byte, line int) string {
	for i := 1; ; i++ {
		before, after, ok := bytes.Cut(content, []byte("\n"))
		if i == line {
			return strings.TrimSuffix(string(before), "\r")
		}
		if !ok {
			return ""
		}
		content = after
	}
}

func (c *checker) imports() {
	for _, i := range c.file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		inModule := p == c.l.module || strings.HasPrefix(p, c.l.module+"/")
		switch {
		case c.l.resolve(p) != nil:
		case p == "C", c.tested && refusedImports[p]:
			c.add(i.Pos(), "refused-import", validator.Text("go.refused-import", "The package {package} can't be used here, as it goes around Go's safety.",
				"Aquí no se puede usar el paquete {package}, porque evita las protecciones de Go.", "package", p))
		case isStandard(p) && (slices.Contains(strings.Split(p, "/"), "internal") || firstElement(p) == "vendor"):
			c.add(i.Pos(), "internal-package", validator.Text("go.internal", "The package {package} is internal to Go's own library; your code can't import it.",
				"El paquete {package} es interno de la biblioteca de Go; tu código no puede importarlo.", "package", p))
		case isStandard(p) && !inModule: // whether it exists is the compiler's to say
		case inModule:
			c.add(i.Pos(), "no-package", validator.Text("go.no-package-here", "Your submission has no package {package}: there is no folder of that name with Go files.",
				"Tu entrega no tiene ningún paquete {package}: no hay una carpeta con ese nombre y archivos de Go.", "package", p))
		default:
			c.add(i.Pos(), "no-package", validator.Text("go.no-package", "The package {package} is not available here: use the standard library, or what the task brings.",
				"El paquete {package} no está disponible aquí: usa la biblioteca estándar, o lo que trae la tarea.", "package", p))
		}
	}
}

// names looks for functions that reach into memory.
func (c *checker) names() {
	dot := map[string]string{}
	under := map[string]string{}
	for _, i := range c.file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil || refusedNames[p] == nil {
			continue
		}
		switch {
		case i.Name == nil:
			under[path.Base(p)] = p
		case i.Name.Name == ".":
			for _, n := range refusedNames[p] {
				dot[n] = p
			}
		default:
			under[i.Name.Name] = p
		}
	}
	brings := c.l.brings()
	ast.Inspect(c.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if brings && (n.Sel.Name == "Chdir" || n.Sel.Name == "Fchdir") {
				c.add(n.Sel.Pos(), "leaves-folder", validator.Text("go.leaves-folder", "The tests read files in their folder, so it can't be changed: put the folder into the paths that you use.",
					"Las pruebas leen archivos de su carpeta, así que no se puede cambiar: pon la carpeta en las rutas que uses."))
			}
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(refusedNames[under[x.Name]], n.Sel.Name) {
				c.reaches(n.Pos(), under[x.Name]+"."+n.Sel.Name)
			}
		case *ast.Ident:
			if p := dot[n.Name]; p != "" {
				c.reaches(n.Pos(), p+"."+n.Name)
			}
		}
		return true
	})
}

func (c *checker) reaches(pos token.Pos, name string) {
	if strings.HasSuffix(name, "Stack") || strings.HasPrefix(name, "runtime/pprof.") {
		c.add(pos, "refused-name", validator.Text("go.refused-stack", "{name} can't be used here, as it shows what tests pass around.",
			"Aquí no se puede usar {name}, porque muestra lo que las pruebas manejan.", "name", name))
		return
	}
	c.add(pos, "refused-name", validator.Text("go.refused-name", "{name} can't be used here, as it goes around Go's safety.",
		"Aquí no se puede usar {name}, porque evita las protecciones de Go.", "name", name))
}

func (c *checker) comments() {
	for _, g := range c.file.Comments {
		for _, comment := range g.List {
			for _, word := range []string{"//go:linkname", "//go:cgo_", "//export "} {
				if strings.HasPrefix(comment.Text, word) {
					c.reaches(comment.Pos(), strings.TrimSpace(word))
				}
			}
		}
	}
}

// changes looks for assignments to errors of the standard library, which tests
// compare with.
func (c *checker) changes() {
	packages := map[string]bool{} // "." for a dot import
	for _, i := range c.file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		switch {
		case err != nil || c.l.resolve(p) != nil:
		case i.Name != nil:
			packages[i.Name.Name] = true
		default:
			packages[path.Base(p)] = true
		}
	}
	check := func(e ast.Expr) {
		if name := c.libraryError(e, packages); name != "" {
			c.add(e.Pos(), "changes-library", validator.Text("go.changes-library", "{name} belongs to the standard library and must stay what it is.",
				"{name} pertenece a la biblioteca estándar y debe quedar como está.", "name", name))
		}
	}
	ast.Inspect(c.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				if n.Tok != token.DEFINE {
					check(e)
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				check(n.Key)
				check(n.Value)
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				check(n.X)
			}
		}
		return true
	})
}

// libraryError is the name of an error of the library, empty for anything else.
func (c *checker) libraryError(e ast.Expr, packages map[string]bool) string {
	known := func(name string) bool { return strings.HasPrefix(name, "Err") || name == "EOF" }
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && packages[x.Name] && known(e.Sel.Name) {
			return x.Name + "." + e.Sel.Name
		}
	case *ast.Ident: // of a dot import
		if packages["."] && known(e.Name) && !c.declares(e.Name) {
			return e.Name
		}
	}
	return ""
}

// declares says whether the learner's package has a name of its own: one that a
// dot import brings can't be declared as well.
func (c *checker) declares(name string) bool {
	if c.own == nil {
		c.own = map[string]bool{}
		for _, s := range c.l.pkgs[path.Dir(c.s.path)].code {
			file, err := parser.ParseFile(token.NewFileSet(), s.path, s.content, parser.SkipObjectResolution)
			if err != nil {
				continue // the compiler says it better
			}
			for _, id := range topNames(file) {
				c.own[id.Name] = true
			}
		}
	}
	return c.own[name]
}

// topNames are the names that a file declares for its package.
func topNames(file *ast.File) []*ast.Ident {
	var out []*ast.Ident
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				out = append(out, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					out = append(out, spec.Name)
				case *ast.ValueSpec:
					out = append(out, spec.Names...)
				}
			}
		}
	}
	return out
}

// predeclared names of the language; min and max came late, so older code has
// functions of these names.
var predeclared = strings.Fields(`any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string
	uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex copy delete imag len make max min new panic
	print println real recover`)

// shadows looks for names of the language that get another meaning in tests of
// the same package.
func (c *checker) shadows() {
	p := c.l.pkgs[path.Dir(c.s.path)]
	if p == nil || len(p.tests) == 0 {
		return
	}
	used := c.l.namesIn(p)
	for _, id := range topNames(c.file) {
		if slices.Contains(predeclared, id.Name) && used[id.Name] {
			c.add(id.Pos(), "shadows-builtin", validator.Text("go.shadows", "{name} is a name of Go itself that the tests use; give yours another name.",
				"{name} es un nombre del propio Go que las pruebas usan; elige otro nombre para el tuyo.", "name", id.Name))
		}
	}
}

// namesIn are the names that the tests in a package use, read once.
func (l *layout) namesIn(p *pkg) map[string]bool {
	if p.names == nil {
		s := &suite{pkg: p, names: map[string]bool{}}
		if s.read(p.tests, false) != nil {
			s.names = map[string]bool{} // the task's fault, and said elsewhere
		}
		p.names = s.names
	}
	return p.names
}

// misplaced are learner's files of another package than their folder's.
func (l *layout) misplaced(*validator.Request) []validator.Finding {
	var out []validator.Finding
	for _, s := range l.sources {
		p := l.pkgs[path.Dir(s.path)]
		if !s.learner || s.broken || p == nil || !slices.Contains(p.foreign, s) {
			continue
		}
		line := 1
		for i, text := range strings.Split(string(s.content), "\n") {
			if strings.HasPrefix(strings.TrimSpace(text), "package ") {
				line = i + 1
				break
			}
		}
		out = append(out, finding(s, line, 1, "package-name", validator.SeverityError,
			validator.Text("go.package-name", "This file says package {has}, but the files of this folder belong to package {wants}: write package {wants}.",
				"Este archivo dice package {has}, pero los archivos de esta carpeta pertenecen al paquete {wants}: escribe package {wants}.", "has", s.name, "wants", p.name)))
	}
	return out
}

// cycles are packages of the submission that import each other in a circle.
func (l *layout) cycles() []validator.Finding {
	state := map[*pkg]int{}
	var out []validator.Finding
	var visit func(p *pkg)
	visit = func(p *pkg) {
		state[p] = 1
		for _, s := range p.code {
			for _, i := range s.imports {
				q := l.resolve(i)
				switch {
				case q == nil || state[q] == 2:
				case state[q] == 1 && s.learner:
					line := 1 + strings.Count(string(s.content[:max(0, bytes.Index(s.content, []byte(strconv.Quote(i))))]), "\n")
					out = append(out, finding(s, line, 1, "import-cycle", validator.SeverityError,
						validator.Text("go.import-cycle", "{package} imports this package, too, directly or through others; Go allows no circles.",
							"{package} también importa este paquete, directamente o a través de otros; Go no permite círculos.", "package", i)))
				case state[q] == 0:
					visit(q)
				}
			}
		}
		state[p] = 2
	}
	for _, s := range l.sources {
		if p := l.pkgs[path.Dir(s.path)]; p != nil && state[p] == 0 {
			visit(p)
		}
	}
	return out
}
