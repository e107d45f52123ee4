//go:build judge

package judge

import (
	"internal/testlog"
	"io"
	"reflect"
	"time"
)

// deps is what package testing wants from the go command. It is here because
// the original brings fuzzing, regular expressions and profiles along, which
// take longer to link than everything else.
type deps struct{ path string }

type corpusEntry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

func (d deps) ImportPath() string                                     { return d.path }
func (deps) ModulePath() string                                       { return "" }
func (deps) MatchString(string, string) (bool, error)                 { return true, nil }
func (deps) SetPanicOnExit0(v bool)                                   { testlog.SetPanicOnExit0(v) }
func (deps) StartCPUProfile(io.Writer) error                          { return nil }
func (deps) StopCPUProfile()                                          {}
func (deps) StartTestLog(io.Writer)                                   {}
func (deps) StopTestLog() error                                       { return nil }
func (deps) WriteProfileTo(string, io.Writer, int) error              { return nil }
func (deps) RunFuzzWorker(func(corpusEntry) error) error              { return nil }
func (deps) CheckCorpus([]any, []reflect.Type) error                  { return nil }
func (deps) ResetCoverage()                                           {}
func (deps) SnapshotCoverage()                                        {}
func (deps) ReadCorpus(string, []reflect.Type) ([]corpusEntry, error) { return nil, nil }

func (deps) CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []corpusEntry, []reflect.Type, string, string) error {
	return nil
}

func (deps) InitRuntimeCoverage() (mode string, tearDown func(string, string) (string, error), snapcov func() float64) {
	return "", nil, nil
}
