package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

// person is somebody who uses the server over HTTP, as any client would.
type person struct {
	server string
	token  string
}

// login signs in at the academy by email and password.
func login(ctx context.Context, academyURL, email, password string) (token string, claims map[string]any, err error) {
	var answer struct {
		Token string `json:"token"`
	}
	anonymous := person{server: academyURL}
	if err := anonymous.do(ctx, http.MethodPost, "/api/auth/login", map[string]string{"email": email, "password": password}, &answer); err != nil {
		return "", nil, fmt.Errorf("log in as %s at %s: %w", email, academyURL, err)
	}
	claims, err = readClaims(answer.Token)
	return answer.Token, claims, err
}

// silent says that nobody answers, and what to do.
func (p person) silent(err error) error {
	var u *url.Error
	var network *net.OpError
	switch {
	case errors.As(err, &network):
		err = network.Err
	case errors.As(err, &u):
		err = u.Err
	}
	return fmt.Errorf("nobody answers at %s (%w): start server and academy with `make run`, or name yours with --server and --academy", p.server, err)
}

// do sends JSON and reads JSON; a refusal is an error with the server's words.
func (p person) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.server+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return p.silent(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s answered %d: %s", method, path, response.StatusCode, bytes.TrimSpace(data))
	}
	if out == nil || len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, out)
}

// message is what the WebSocket says.
type message struct {
	Type          string          `json:"type"`
	Payload       json.RawMessage `json:"payload"`
	CorrelationID string          `json:"correlation_id"`
	Seq           int64           `json:"seq"`
}

// socket is an open WebSocket; events that come while a reply is waited for
// are kept.
type socket struct {
	conn *websocket.Conn
	kept []message
}

func (p person) open(ctx context.Context) (*socket, error) {
	address := strings.Replace(p.server, "http", "ws", 1) + "/ws?token=" + url.QueryEscape(p.token)
	conn, response, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("open WebSocket: the server answered %s", response.Status)
		}
		return nil, fmt.Errorf("open WebSocket at %s/ws: the server can't be reached", p.server)
	}
	conn.SetReadLimit(8 << 20)
	return &socket{conn: conn}, nil
}

func (s *socket) read(ctx context.Context) (message, error) {
	var m message
	_, data, err := s.conn.Read(ctx)
	if err != nil {
		return m, fmt.Errorf("read from WebSocket: %w", err)
	}
	return m, json.Unmarshal(data, &m)
}

// command sends a command and waits for its reply.
func (s *socket) command(ctx context.Context, kind string, payload, out any) error {
	id := uuid.NewString()
	data, err := json.Marshal(map[string]any{"type": kind, "payload": payload, "correlation_id": id, "timestamp": time.Now().UTC()})
	if err != nil {
		return err
	}
	if err := s.conn.Write(ctx, websocket.MessageText, data); err != nil {
		return fmt.Errorf("send %s: %w", kind, err)
	}
	for {
		m, err := s.read(ctx)
		switch {
		case err != nil:
			return err
		case m.CorrelationID != id:
			s.kept = append(s.kept, m)
		case m.Type == "error":
			return fmt.Errorf("%s was refused: %s", kind, m.Payload)
		default:
			return json.Unmarshal(m.Payload, out)
		}
	}
}

// await waits for an event that fits.
func (s *socket) await(ctx context.Context, within time.Duration, fits func(message) bool) (message, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		for i, m := range s.kept {
			if fits(m) {
				s.kept = append(s.kept[:i:i], s.kept[i+1:]...)
				return m, nil
			}
		}
		m, err := s.read(ctx)
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return m, fmt.Errorf("what was waited for did not come within %s", within)
			}
			return m, err
		}
		s.kept = append(s.kept, m)
	}
}

// field reads one text out of a message's payload.
func (m message) field(name string) string {
	var fields map[string]any
	_ = json.Unmarshal(m.Payload, &fields)
	text, _ := fields[name].(string)
	return text
}
