package brokertest

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/core/internal/leash"
)

// program is the server itself, not /usr/sbin's wrapper, which changes users.
const program = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// startTime is generous: the machine may be busy with all the other tests.
const startTime = 90 * time.Second

//go:embed control.erl
var control string

// arguments are split at blanks by a shell, so the control loop is a script that
// erl is only told to run.
const arguments = `-noshell -kernel inet_dist_use_interface {127,0,0,1} -eval {ok,_}=file:script(os:getenv([$T,$R,$A,$C,$K,$E,$R,$_,$C,$O,$N,$T,$R,$O,$L])).`

// Server is a running RabbitMQ.
type Server struct {
	dir              string
	port, epmd, dist int

	mu    sync.Mutex
	leash *leash.Leash
	asked int
}

func start() (*Server, error) {
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("RabbitMQ is not installed: run scripts/setup test, or apt-get install rabbitmq-server (%w)", err)
	}
	var err error
	for range 3 { // a port may be taken between finding and using it
		var s *Server
		if s, err = try(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func try() (*Server, error) {
	dir, err := os.MkdirTemp("", "tracker-rabbitmq-")
	if err != nil {
		return nil, err
	}
	ports, err := leash.FreePorts(3)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &Server{dir: dir, port: ports[0], epmd: ports[1], dist: ports[2]}
	for name, content := range map[string]string{
		"rabbitmq.conf": fmt.Sprintf("listeners.tcp.1 = 127.0.0.1:%d\nlog.file = false\nlog.console = true\nlog.console.level = warning\n"+
			"vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 10MB\n", s.port),
		"advanced.config": "[].\n", "enabled_plugins": "[].\n", "control.erl": control,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// Start starts a killed server again, with its data and on its port.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leash != nil {
		return errors.New("RabbitMQ runs already")
	}
	in := func(name string) string { return filepath.Join(s.dir, name) }
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + s.dir,
		fmt.Sprintf("ERL_EPMD_PORT=%d", s.epmd), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_NODENAME=tracker-test@localhost", fmt.Sprintf("RABBITMQ_DIST_PORT=%d", s.dist),
		"RABBITMQ_ALLOW_INPUT=1", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=" + arguments,
		"TRACKER_CONTROL=" + in("control.erl"),
		"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_CONFIG_FILE=" + in("rabbitmq.conf"),
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + in("advanced.config"), "RABBITMQ_ENABLED_PLUGINS_FILE=" + in("enabled_plugins"),
		"RABBITMQ_MNESIA_BASE=" + in("data"), "RABBITMQ_MNESIA_DIR=" + in("data/node"), "RABBITMQ_LOG_BASE=" + in("log"),
		"RABBITMQ_LOGS=-", "RABBITMQ_PID_FILE=" + in("pid"), "RABBITMQ_GENERATED_CONFIG_DIR=" + in("config"),
		// Two schedulers: the machine is shared with other tests.
		"ERL_FLAGS=+S 2:2 +A 4",
	}
	// An epmd of its own, or the server would start one that stays.
	script := fmt.Sprintf(`epmd -port %d -address 127.0.0.1 & pids="$pids $!"
`+program+` <&3 & pids="$pids $!"`, s.epmd)
	held, err := leash.Start(s.dir, script, env)
	if err != nil {
		return err
	}
	s.leash = held
	if err := s.awaitReady(); err != nil {
		s.leash = nil
		return errors.Join(err, held.Kill(true))
	}
	return nil
}

func (s *Server) awaitReady() error {
	if err := s.askLocked("ready", startTime); err != nil {
		return fmt.Errorf("RabbitMQ does not start: %w\n%s", err, s.leash.Output())
	}
	return nil
}

// Kill ends the server as a crash would. Its data stay for Start. RabbitMQ writes
// down every few minutes only which quorum queues there are, and one that it
// forgot never works again; so that it does, as it would have by and by.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leash == nil {
		return nil
	}
	if err := s.askLocked("save", startTime); err != nil {
		return err
	}
	held := s.leash
	s.leash = nil
	return held.Kill(true)
}

// Running says whether the server was started and not killed since.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leash != nil
}

// Alarm makes the server act as if it were out of memory: publishers block.
func (s *Server) Alarm(on bool) error {
	return s.ask(fmt.Sprintf("alarm %v", on))
}

// CloseConnections breaks all connections, as an operator may.
func (s *Server) CloseConnections() error {
	return s.ask("disconnect")
}

func (s *Server) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leash == nil {
		return os.RemoveAll(s.dir)
	}
	held := s.leash
	s.leash = nil
	return held.Kill(false)
}

func (s *Server) ask(command string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leash == nil {
		return errors.New("RabbitMQ does not run")
	}
	return s.askLocked(command, startTime)
}

// askLocked has the control loop in the server do something; the answer comes
// in a file of its own.
func (s *Server) askLocked(command string, limit time.Duration) error {
	s.asked++
	file := filepath.Join(s.dir, fmt.Sprintf("answer%d", s.asked))
	if err := s.leash.Say(file + " " + command + "\n"); err != nil {
		return err
	}
	var answer []byte
	if !s.leash.Await(limit, func() bool {
		var err error
		answer, err = os.ReadFile(file)
		return err == nil
	}) {
		return fmt.Errorf("no answer to %q (it may take %v)", command, limit)
	}
	text := strings.TrimSpace(string(answer))
	if strings.HasPrefix(text, "ok ") {
		return os.Remove(file)
	}
	return fmt.Errorf("%s: %s", command, text)
}
