package ws

import (
	"context"
	"time"
)

// lastWords is how long sessions may take to end when the server stops: the
// command that runs is finished and answered.
const lastWords = 5 * time.Second

// Run looks after the open sessions until ctx ends, then waits for their end.
func (h *Handler) Run(ctx context.Context) {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case now := <-every.C:
			for _, s := range h.sessions() {
				s.tick(now) //nolint:contextcheck // see background
			}
		case <-ctx.Done():
			h.hub.Stop()
			h.wait()
			return
		}
	}
}

// wait waits for the sessions to end by themselves, and ends the others.
func (h *Handler) wait() {
	late := time.AfterFunc(lastWords+h.cfg.WriteTimeout, func() {
		for _, s := range h.sessions() {
			s.end()
		}
	})
	defer late.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.open) > 0 {
		h.fewer.Wait()
	}
}

func (h *Handler) sessions() []*session {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*session, 0, len(h.open))
	for s := range h.open {
		all = append(all, s)
	}
	return all
}

func (h *Handler) forget(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, s)
	h.fewer.Broadcast()
}
