package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// clients is a process of the bench: the one that sends the requests, a replica.
type clients struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	loads  *json.Encoder
	out    *json.Decoder
	stderr bytes.Buffer
}

// startClients starts this program again in a role.
func startClients(ctx context.Context, command []string, role string) (*clients, error) {
	c := &clients{cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	c.cmd.Env = append(os.Environ(), clientVariable+"="+role)
	c.cmd.Stderr = &c.stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the clients: %w", err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the clients: %w", err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the clients: %w", err)
	}
	c.in, c.loads, c.out = in, json.NewEncoder(in), json.NewDecoder(out)
	return c, nil
}

func (c *clients) do(l load) (work, error) {
	if err := c.loads.Encode(l); err != nil {
		return work{}, fmt.Errorf("tell the clients what to send: %w: %s", err, c.stderr.String())
	}
	var got outcome
	if err := c.out.Decode(&got); err != nil {
		return work{}, fmt.Errorf("hear from the clients: %w", err)
	}
	if got.Error != "" {
		return work{}, errors.New(got.Error)
	}
	return work{count: got.Requests, seconds: got.Seconds, clientsCPU: got.CPU}, nil
}

// stop ends the process: without loads it has nothing to do.
func (c *clients) stop() error {
	if err := errors.Join(c.in.Close(), c.cmd.Wait()); err != nil {
		return fmt.Errorf("stop the clients: %w: %s", err, c.stderr.String())
	}
	return nil
}
