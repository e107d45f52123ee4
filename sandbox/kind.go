//go:build linux && (amd64 || arm64)

package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/sandbox/internal/wire"
)

// kind is what steps have in common that can use the same rooms. The pool's
// lock guards it.
type kind struct {
	key     string
	mounts  []wire.Mount
	channel bool
	warm    *WarmUp
	// warmKey names the warm-up program on these mounts, for its fork-server.
	warmKey string
	parts   []part
	sets    []*set
	// building counts sets that are being built.
	building int
	used     time.Time
	trouble
}

// part is one room of a kind.
type part struct {
	// limits are the latest step's: rooms are built for the like.
	limits Limits
	warm   bool
}

// trouble spaces out attempts that fail.
type trouble struct {
	err      error
	failures int
	retry    time.Time
}

// Pauses after failures: twice as long after each, up to the longest.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// failed notes a failure and reports whether it is news.
func (t *trouble) failed(err error) bool {
	t.err = err
	t.failures++
	t.retry = time.Now().Add(min(firstPause<<min(t.failures-1, 16), longestPause))
	return t.failures == 1
}

func (t *trouble) resting() bool { return time.Now().Before(t.retry) }

// find returns the step's kind, which is made when it is new. The caller holds
// the lock.
func (p *Pool) find(step *Step, mounts []wire.Mount) *kind {
	parts := make([]part, len(step.Processes))
	anyWarm, taken := false, slices.ContainsFunc(mounts, func(m wire.Mount) bool { return below(m.Target, WarmDir) })
	for i, process := range step.Processes {
		parts[i] = part{limits: step.limitsOf(i), warm: process.Warm && step.WarmUp != nil && process.Program == "" && !taken}
		anyWarm = anyWarm || parts[i].warm
	}
	warm := step.WarmUp
	if !anyWarm {
		warm = nil
	}
	channel := step.Processes[0].Channel
	program := digest(identity{Mounts: mounts, Warm: warm})
	key, warmKey := string(digest(identity{Program: program, Channel: channel, IsWarm: warmOf(parts)})), string(program)
	k := p.kinds[key]
	if k == nil {
		k = &kind{key: key, mounts: mounts, channel: channel, warm: warm, warmKey: warmKey}
		p.kinds[key] = k
	}
	k.parts, k.used = parts, time.Now()
	return k
}

func warmOf(parts []part) []bool {
	out := make([]bool, len(parts))
	for i, p := range parts {
		out[i] = p.warm
	}
	return out
}

// identity is what rooms are known again by.
type identity struct {
	Mounts  []wire.Mount `json:"mounts"`
	Warm    *WarmUp      `json:"warm"`
	Program []byte       `json:"program"`
	Channel bool         `json:"channel"`
	IsWarm  []bool       `json:"is_warm"`
}

func digest(i identity) []byte {
	text, err := json.Marshal(i) //nolint:musttag // only to be hashed
	if err != nil {
		panic(err) // it is plain data
	}
	sum := sha256.Sum256(text)
	return sum[:]
}
