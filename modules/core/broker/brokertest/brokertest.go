// Package brokertest gives tests a real RabbitMQ: one server for all tests of a
// process, started on first use, with a virtual host for each test; or one that
// a test may kill. Servers listen on loopback only, have ports, node name,
// cookie and data of their own, and end with the process, however it ends.
package brokertest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

var shared struct {
	sync.Mutex
	server *Server
	err    error
	hosts  atomic.Int64
}

// URL is an amqp:// address with a virtual host of the test's own, which goes
// with the test. It fails the test when there is no RabbitMQ to be had.
func URL(t testing.TB) string {
	t.Helper()
	return Shared(t).Host(t)
}

// Shared is the server of this process, for its other verbs. Who kills it starts
// it again, and runs beside no other test.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	if shared.err != nil {
		t.Fatalf("brokertest: %v", shared.err)
	}
	return shared.server
}

// Own is a server for this test alone, which it may kill and start again.
func Own(t testing.TB) *Server {
	t.Helper()
	server, err := start()
	if err != nil {
		t.Fatalf("brokertest: %v", err)
	}
	t.Cleanup(func() {
		if err := server.end(); err != nil {
			t.Errorf("brokertest: end RabbitMQ: %v", err)
		}
	})
	return server
}

// Host makes a virtual host that goes with the test and gives its address.
func (s *Server) Host(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", shared.hosts.Add(1))
	if err := s.ask("host " + name); err != nil {
		t.Fatalf("brokertest: make virtual host: %v", err)
	}
	t.Cleanup(func() {
		if !s.Running() {
			return
		}
		if err := s.ask("drop " + name); err != nil {
			t.Errorf("brokertest: drop virtual host: %v", err)
		}
	})
	return fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/%s", s.port, name)
}
