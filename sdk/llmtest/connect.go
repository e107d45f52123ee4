// Package llmtest tests LLM plugins: it runs a spec over the real protocol in
// this process, or a built plugin as a process of its own as the tracker does,
// and holds either to the contract that every provider must keep.
//
// The scripted providers beside it (openaiserver) speak each provider's own
// protocol over HTTP; package script says what they answer.
package llmtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"net"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/llmrpc"
)

// Client is what the tracker calls a plugin through.
type Client = llmrpc.Client

// Connect serves spec over gRPC on a socket of its own until the test ends, and
// returns a client of it.
func Connect(t testing.TB, spec *llm.Spec) *Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "llm") //nolint:usetesting // a socket's path is short; that of TempDir is not
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path) //nolint:noctx // at once
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- llm.Serve(ctx, spec, l) }()
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve spec: %v", err)
		}
		_ = os.RemoveAll(dir)
	})
	return llmrpc.New(conn)
}

// Process is a plugin running as a process of its own.
type Process struct {
	*Client
	// Stderr returns what the process has written to stderr so far.
	Stderr func() string
	// Kill ends the process at once, as a crash would.
	Kill func()
}

// Start runs a built plugin over the tracker's handshake, with mutual TLS and
// no environment but env, until the test ends.
func Start(t testing.TB, binary string, env ...string) *Process {
	t.Helper()
	cmd := exec.Command(binary) //nolint:noctx // ended by Cleanup
	cmd.Env = append([]string{
		pluginproto.EnvKind + "=" + pluginproto.KindLLM,
		pluginproto.EnvHostPID + "=" + strconv.Itoa(os.Getpid()),
	}, env...)
	stderr := &lines{}
	c := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  pluginproto.Handshake(),
		VersionedPlugins: pluginproto.Versions(pluginproto.KindLLM, pluginproto.LLMVersion),
		Cmd:              cmd, AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS: true, SkipHostEnv: true, StartTimeout: 20 * time.Second,
		Logger: hclog.NewNullLogger(), Stderr: stderr,
	})
	t.Cleanup(c.Kill)
	rpc, err := c.Client()
	if err != nil {
		t.Fatalf("start %s: %v\n%s", binary, err, stderr)
	}
	return &Process{
		Client: llmrpc.New(rpc.(*plugin.GRPCClient).Conn), //nolint:forcetypeassert // only gRPC is allowed above
		Stderr: stderr.String,
		Kill:   func() { _ = cmd.Process.Kill() },
	}
}

// Build compiles the main package at importPath and returns the binary's path.
// Where TRACKER_BIN names a folder of built programs, the one in its plugins
// folder is taken: tests may run where there is no Go.
func Build(t testing.TB, importPath string) string {
	t.Helper()
	if dir := os.Getenv("TRACKER_BIN"); dir != "" {
		built := filepath.Join(dir, "plugins", filepath.Base(importPath))
		if _, err := os.Stat(built); err == nil {
			return built
		}
	}
	out := filepath.Join(t.TempDir(), filepath.Base(importPath))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, importPath)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", importPath, err, text)
	}
	return out
}

// Collected is an answer put together from its pieces.
type Collected struct {
	Text      string
	Pieces    []string
	ToolCalls []llm.ToolCall
	*llm.Ending
}

// Generate asks and collects the pieces; they are there even when it fails.
func Generate(ctx context.Context, c *Client, req *llm.GenerateRequest) (*Collected, error) {
	got := &Collected{}
	var text strings.Builder
	end, err := c.Generate(ctx, req, func(piece llm.Chunk) error {
		text.WriteString(piece.Text)
		if piece.Text != "" {
			got.Pieces = append(got.Pieces, piece.Text)
		}
		got.ToolCalls = append(got.ToolCalls, piece.ToolCalls...)
		return nil
	})
	got.Text, got.Ending = text.String(), end
	return got, err
}
