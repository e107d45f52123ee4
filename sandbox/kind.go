//go:build linux && (amd64 || arm64)

package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
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
	anyWarm := false
	for i := range step.Processes {
		parts[i] = part{limits: step.limitsOf(i), warm: step.warms(i)}
		anyWarm = anyWarm || parts[i].warm
	}
	warm := step.WarmUp
	if !anyWarm {
		warm = nil
	}
	channel := step.Processes[0].Channel
	warmKey := programOf(mounts, warm)
	key := warmKey + roomsOf(channel, parts)
	k := p.kinds[key]
	if k == nil {
		k = &kind{key: key, mounts: mounts, channel: channel, warm: warm, warmKey: warmKey}
		p.kinds[key] = k
	}
	k.parts, k.used = parts, time.Now()
	return k
}

// programOf names a warm-up program on its mounts. It is asked for with every
// step, so nothing is copied to be hashed.
func programOf(mounts []wire.Mount, warm *WarmUp) string {
	h := sha256.New()
	count := func(n int) { _, _ = h.Write(binary.AppendUvarint(nil, uint64(n))) }
	field := func(content []byte) {
		count(len(content))
		_, _ = h.Write(content)
	}
	list := func(texts []string) {
		count(len(texts))
		for _, text := range texts {
			field([]byte(text))
		}
	}
	flag := func(is bool) {
		if is {
			count(1)
		} else {
			count(0)
		}
	}
	count(len(mounts))
	for _, m := range mounts {
		list([]string{m.Source, m.Target})
		flag(m.Optional)
	}
	if warm == nil {
		return string(h.Sum(nil))
	}
	list(warm.Argv)
	list(warm.Env)
	flag(warm.ForkServer)
	for _, f := range warm.Files {
		field([]byte(f.Path))
		field(f.Content)
		flag(f.Executable)
	}
	return string(h.Sum(nil))
}

// roomsOf tells apart how rooms of one program go together.
func roomsOf(channel bool, parts []part) string {
	out := []byte{'-'}
	if channel {
		out[0] = 'c'
	}
	for _, p := range parts {
		if p.warm {
			out = append(out, 'w')
		} else {
			out = append(out, '-')
		}
	}
	return string(out)
}
