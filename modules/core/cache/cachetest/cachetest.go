// Package cachetest gives tests a real Redis: one server for all tests of a
// process, with a database for each, or one that a test may kill. Servers listen
// on loopback only and end with the process, however it ends.
package cachetest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/internal/leash"
)

// databases is how many tests of a process may have one.
const databases = 10_000

var shared struct {
	sync.Mutex
	server *Server
	err    error
	used   atomic.Int64
}

// Server is a running Redis, which keeps nothing on disk.
type Server struct {
	dir  string
	port int

	mu    sync.Mutex
	leash *leash.Leash
}

// URL is a redis:// address with an empty database. It fails the test when there
// is no Redis to be had.
func URL(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	if shared.err != nil {
		t.Fatalf("cachetest: %v", shared.err)
	}
	return fmt.Sprintf("redis://127.0.0.1:%d/%d", shared.server.port, shared.used.Add(1)%databases)
}

// Own is a server for this test alone, which it may kill and start again.
func Own(t testing.TB) *Server {
	t.Helper()
	server, err := start()
	if err != nil {
		t.Fatalf("cachetest: %v", err)
	}
	t.Cleanup(func() {
		server.Kill()
		_ = os.RemoveAll(server.dir)
	})
	return server
}

// URL is the server's address.
func (s *Server) URL() string { return fmt.Sprintf("redis://127.0.0.1:%d/0", s.port) }

// Kill ends the server as a crash would; it forgets everything.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leash != nil {
		_ = s.leash.Kill(true) // it ends by a signal
		s.leash = nil
	}
}

func start() (*Server, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, fmt.Errorf("redis is not installed: run scripts/setup test, or apt-get install redis-server (%w)", err)
	}
	var err error
	for range 3 { // a port may be taken between finding and using it
		s := new(Server)
		var ports []int
		if ports, err = leash.FreePorts(1); err != nil {
			return nil, err
		}
		if s.dir, err = os.MkdirTemp("", "tracker-redis-"); err != nil {
			return nil, err
		}
		s.port = ports[0]
		if err = s.Start(); err == nil {
			return s, nil
		}
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return nil, err
}

// Start starts a killed server again, empty, on its port.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	script := fmt.Sprintf(`redis-server --port %d --bind 127.0.0.1 --save "" --appendonly no --databases %d --daemonize no & pids="$pids $!"`, s.port, databases)
	held, err := leash.Start(s.dir, script, []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"})
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", s.port)
	if !held.Await(30*time.Second, func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second) //nolint:noctx // of this machine
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	}) {
		err := fmt.Errorf("redis does not start: %s", held.Output())
		return errors.Join(err, held.Kill(true))
	}
	s.leash = held
	return nil
}
