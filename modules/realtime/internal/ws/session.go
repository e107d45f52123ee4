package ws

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/realtime/internal/frame"
	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
)

// holdFor is how long live events wait for the client's first message, which
// may be a resume: what it missed comes before them.
const holdFor = 2 * time.Second

// mostReplies is how many replies may wait for a client that does not read; at
// half of them, it is not read from.
const mostReplies = 256

// session is one connection. Its reader lives as long as it does; its writer
// (drain) and its worker (work) only while there is something to do.
type session struct {
	*Handler
	conn     *websocket.Conn
	line     *line
	screen   *hub.Screen
	language string
	request  string
	began    time.Time

	// heardAt and pingedAt are Unix milliseconds.
	heardAt, pingedAt atomic.Int64
	over              atomic.Bool
	// gone is closed when it is over.
	gone chan struct{}

	mu    sync.Mutex
	actor auth.Actor
	// warned: the client was asked for a new token.
	warned bool
	// replies are frames for this client alone; resume comes after them.
	replies [][]byte
	resume  *resume
	// taken, if the reader waits for it, is closed when replies were taken.
	taken chan struct{}
	// closing is how the connection is to end, once replies are sent.
	closing *ending
	// held is set while live events wait for the client's first message.
	held    *time.Timer
	writing bool

	commands []request
	// pending is how many bytes commands hold.
	pending int64
	working bool
	// idle, if somebody waits for it, is closed when no command runs.
	idle chan struct{}
	stop context.CancelFunc

	// Of the writer: what was sent, and whether any of it was live.
	lastSent int64
	live     bool
}

// ending is a close code with its reason.
type ending struct {
	code   websocket.StatusCode
	reason string
}

func (s *session) heard() { s.heardAt.Store(time.Now().UnixMilli()) }

func (s *session) who() auth.Actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.actor
}

// put queues a frame for this client alone.
func (s *session) put(bytes []byte) {
	s.mu.Lock()
	if len(s.replies) >= mostReplies && s.closing == nil {
		s.closing = slow()
	} else {
		s.replies = append(s.replies, bytes)
	}
	s.start()
}

// room waits while many replies wait for the client: one that reads nothing is
// not read from either.
func (s *session) room() {
	for {
		s.mu.Lock()
		if len(s.replies) < mostReplies/2 || s.over.Load() {
			s.mu.Unlock()
			return
		}
		if s.taken == nil {
			s.taken = make(chan struct{})
		}
		taken := s.taken
		s.mu.Unlock()
		select {
		case <-taken:
		case <-s.gone:
		}
	}
}

// letRead tells the reader that there is room. Called under mu.
func (s *session) letRead() {
	if s.taken != nil {
		close(s.taken)
		s.taken = nil
	}
}

// rewind queues a resume.
func (s *session) rewind(want resume) {
	s.mu.Lock()
	s.resume = &want
	s.start()
}

// closeWith ends the connection after what waits for it.
func (s *session) closeWith(e ending) {
	s.mu.Lock()
	if s.closing == nil {
		s.closing = &e
	}
	s.start()
}

// leaving: the connection is about to be closed.
func (s *session) leaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing != nil
}

// kick says that the screen has pushes.
func (s *session) kick() {
	s.mu.Lock()
	s.start()
}

// start lets the writer run, and unlocks mu.
func (s *session) start() {
	begin := !s.writing && !s.over.Load()
	s.writing = s.writing || begin
	s.mu.Unlock()
	if begin {
		go s.drain()
	}
}

// hold keeps live events back for a moment.
func (s *session) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = time.AfterFunc(holdFor, s.release)
}

// release lets live events go.
func (s *session) release() {
	s.mu.Lock()
	if s.held == nil {
		s.mu.Unlock()
		return
	}
	s.held.Stop()
	s.held = nil
	s.start()
}

// tick is called every second.
func (s *session) tick(now time.Time) {
	s.mu.Lock()
	expires := s.actor.ExpiresAt
	ask := !s.warned && !expires.IsZero() && !now.Before(expires.Add(-s.cfg.RenewBefore))
	s.warned = s.warned || ask
	s.mu.Unlock()
	silent := now.UnixMilli() - s.heardAt.Load()
	beat := s.cfg.Heartbeat.Milliseconds()
	switch {
	case !expires.IsZero() && !now.Before(expires):
		s.closeWith(ending{CloseExpired, "the token has expired; sign in again"})
	case silent > 2*beat+time.Second.Milliseconds():
		s.end() // half open: nobody is there to read a close frame
	case ask:
		s.put(frame.New("auth.required", "", map[string]any{"expires_at": expires.UTC()}).Bytes())
	case silent >= beat && now.UnixMilli()-s.pingedAt.Load() >= beat:
		s.pingedAt.Store(now.UnixMilli())
		s.put(frame.Ping())
	}
}

// end drops the connection; it may be called any number of times.
func (s *session) end() {
	if s.over.Swap(true) {
		return
	}
	close(s.gone)
	s.mu.Lock()
	stop := s.stop
	if s.held != nil {
		s.held.Stop()
	}
	s.replies, s.commands, s.resume = nil, nil, nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	s.screen.Leave()
	_ = s.line.Close() // the library's reader and close handshake notice
	s.forget(s)
	s.logger.Info("websocket closed", "user", s.who().UserID, "request_id", s.request, "took", time.Since(s.began))
}
