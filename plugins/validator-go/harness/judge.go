//go:build judge

// Package judge is linked into every test binary. It reads the run's key
// before any code of the submission's is initialised (each package of the
// submission imports it), and reports what package testing says in frames that
// only this key can sign.
//
// It relies on no variable of the standard library that a submission could set.
package judge

import (
	"flag"
	"io"
	"os"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// setup is the name of a first test and fuzz target of our own, which only
// hand over what holds the writer of results.
const setup = "judge-setup"

func init() {
	readKey()
	confine()
	emit('S', "") // from here on the key says what is ours
	findHome()
	// Go's own limit is a gigabyte, and so beyond that of most rooms: recursion
	// without end would look like a lack of memory.
	debug.SetMaxStack(64 << 20)
	// The flags of package testing live in a set that nobody else reaches, so
	// that a submission can't choose tests; flags of its own are its own.
	theirs := flag.CommandLine
	flag.CommandLine = flag.NewFlagSet("judge", flag.ContinueOnError)
	testing.Init()
	err := flag.CommandLine.Parse([]string{"-test.v=test2json", "-test.paniconexit0=true"})
	flag.CommandLine = theirs
	if err != nil {
		die("this toolchain's package testing does not know the flags: " + err.Error())
	}
}

// Main runs the tests of a package.
func Main(path string, tests []testing.InternalTest, examples []testing.InternalExample, fuzz []testing.InternalFuzzTarget, testMain func(*testing.M)) {
	all := []testing.InternalTest{{Name: setup, F: func(t *testing.T) {
		divert(reflect.ValueOf(t))
		if testMain != nil {
			findHome() // it may have gone elsewhere
		}
	}}}
	for _, t := range tests {
		all = append(all, testing.InternalTest{Name: t.Name, F: contained(atHome(t.F))})
	}
	for _, e := range examples {
		all = append(all, testing.InternalTest{Name: e.Name, F: contained(atHome(example(e)))})
	}
	for i, target := range fuzz {
		fuzz[i].Fn = atHome(target.Fn)
	}
	if len(fuzz) > 0 {
		// Package testing fails a target that neither fuzzes nor skips.
		fuzz = append([]testing.InternalFuzzTarget{{Name: setup, Fn: func(f *testing.F) { divert(reflect.ValueOf(f)); f.Skip() }}}, fuzz...)
	}
	goHome()
	m := testing.MainStart(deps{path}, all, nil, fuzz, nil)
	code := 0
	if testMain == nil {
		code = m.Run()
	} else {
		testMain(m)
		code = int(reflect.ValueOf(m).Elem().FieldByName("exitCode").Int())
	}
	emit('E', strconv.Itoa(code))
	os.Exit(code)
}

// home is the folder of the tests, before anybody could leave it.
var (
	home         int
	homeIdentity syscall.Stat_t
)

func findHome() {
	fd, err := syscall.Open(".", syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err == nil {
		err = syscall.Fstat(fd, &homeIdentity)
	}
	if err != nil {
		die("can't open the folder of the tests: " + err.Error())
	}
	home = fd
}

func goHome() {
	if stay != "" {
		return // nobody left
	}
	var now syscall.Stat_t
	if err := syscall.Fstat(home, &now); err != nil || now.Dev != homeIdentity.Dev || now.Ino != homeIdentity.Ino || syscall.Fchdir(home) != nil {
		panic("the folder of the tests is gone")
	}
}

// atHome begins a test in the folder of the tests, wherever the submission went
// before: what a test reads there is the task's.
func atHome[T any](f func(T)) func(T) {
	return func(t T) {
		goHome()
		f(t)
	}
}

// divert makes the printer that all tests share write to us. Before it, the
// printer writes to standard output, as anything may.
func divert(test reflect.Value) {
	printer := test.Elem().FieldByName("chatty")
	if !printer.IsValid() || printer.IsNil() {
		die("this toolchain's package testing has no printer")
	}
	w := printer.Elem().FieldByName("w")
	if !w.IsValid() || w.Type() != reflect.TypeFor[io.Writer]() {
		die("this toolchain's package testing prints in another way")
	}
	*(*io.Writer)(unsafe.Pointer(w.UnsafeAddr())) = results{}
}

type results struct{}

// Write takes what package testing says: one call for each event or line.
func (results) Write(p []byte) (int, error) {
	emit('T', string(p))
	return len(p), nil
}

// contained keeps the panic of one test from ending those after it.
func contained(f func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		ended := false
		defer func() {
			p := recover()
			switch {
			case p != nil:
			case ended || t.Failed() || t.Skipped():
				return
			default:
				// Older rules for panic(nil), which a submission can ask for, leave
				// nothing to recover.
				p = "test executed panic(nil) or runtime.Goexit"
			}
			t.Fail()
			stack := string(debug.Stack())
			emit('P', t.Name()+"\n"+text(p)+"\n"+stack)
		}()
		f(t)
		ended = true
	}
}

// text says what the runtime would print of a panic.
func text(p any) (s string) {
	defer func() {
		if recover() != nil {
			s = "a value whose text panics, too"
		}
	}()
	switch v := p.(type) {
	case error:
		return v.Error()
	case interface{ String() string }:
		return v.String()
	case string:
		return v
	}
	v := reflect.ValueOf(p)
	switch {
	case v.CanInt():
		s = strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		s = strconv.FormatUint(v.Uint(), 10)
	case v.CanFloat():
		s = strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case v.Kind() == reflect.String:
		s = strconv.Quote(v.String())
	}
	return v.Type().String() + "(" + s + ")"
}

// example makes a test of an example.
func example(e testing.InternalExample) func(*testing.T) {
	return func(t *testing.T) {
		stdout := os.Stdout
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout = w
		printed := make(chan string)
		go func() {
			var b strings.Builder
			buf := make([]byte, 4096)
			for {
				n, err := r.Read(buf)
				if b.Len() < 1<<20 {
					b.Write(buf[:n])
				}
				if err != nil {
					break
				}
			}
			_ = r.Close()
			printed <- b.String()
		}()
		defer func() {
			_ = w.Close()
			os.Stdout = stdout
			got, want := strings.TrimSpace(<-printed), strings.TrimSpace(e.Output)
			if p := recover(); p != nil {
				panic(p)
			}
			if e.Unordered {
				got, want = sorted(got), sorted(want)
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		}()
		e.F()
	}
}

func sorted(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		for j := i; j > 0 && lines[j] < lines[j-1]; j-- {
			lines[j], lines[j-1] = lines[j-1], lines[j]
		}
	}
	return strings.Join(lines, "\n")
}
