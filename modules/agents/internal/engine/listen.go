package engine

import (
	"strings"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/llm"
)

// flushEvery is how often what a model says is pushed, so that a screen gets a
// few messages a second and not one a token.
const flushEvery = 100 * time.Millisecond

// listener pushes what a model says to the learner's screens while it says it:
// as much of it as Execution.Show lets through, and how much was written.
type listener struct {
	x    *Execution
	also func(llm.Piece)

	mu      sync.Mutex
	text    strings.Builder
	shown   string
	restart bool
	flushed time.Time
}

func (x *Execution) listen(also func(llm.Piece)) *listener { return &listener{x: x, also: also} }

// hear takes a piece of an answer.
func (l *listener) hear(p llm.Piece) {
	if l.also != nil {
		l.also(p)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Restart {
		l.text.Reset()
		l.shown, l.restart = "", true
	}
	l.text.WriteString(p.Text)
	if now := time.Now(); now.Sub(l.flushed) >= flushEvery {
		l.flushed = now
		l.send()
	}
}

// flush pushes what is left.
func (l *listener) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.send()
}

func (l *listener) send() {
	x := l.x
	text := strings.ToValidUTF8(l.text.String(), "\uFFFD")
	if text == "" && !l.restart {
		return
	}
	may := ""
	if x.Show != nil {
		may = x.Show(text)
	}
	more, goesOn := strings.CutPrefix(may, l.shown)
	if !goesOn {
		more, l.restart = may, true
	}
	x.engine.push(x.Run.UserID, agents.PushToken, x.about(map[string]any{"text": more, "restart": l.restart, "written": len(text)}))
	l.shown, l.restart = may, false
}
