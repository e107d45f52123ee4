package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// fleet is some replicas, of which any may be gone at any time.
type fleet struct {
	t        *testing.T
	replicas []*process
}

// somewhere is a replica for the next try; whether it lives shows.
func (c *fleet) somewhere() string {
	return "http://" + c.replicas[rand.IntN(len(c.replicas))].address
}

// learner works through a screen, as an editor does: commands over HTTP that are
// repeated under the same key until they are acknowledged, events over a
// WebSocket that comes back and resumes.
type learner struct {
	*fleet
	id, token string

	mu sync.Mutex
	// seen are the event ids in the order of their arrival, last the newest
	// position, verdicts what came by snapshot.
	seen     []string
	last     int64
	epoch    string
	verdicts map[string]string
	wrong    []string
	// connections counts those that came to be.
	connections int

	// goals and acknowledged, the snapshots whose submission was answered, belong
	// to whoever works.
	goals        int
	acknowledged []string
	// owed are the events that a screen must have seen at the end.
	owed []string
}

func (c *fleet) learner(n int) *learner {
	id := fmt.Sprintf("learner-%d", n)
	return &learner{fleet: c, id: id, token: signed(c.t, jwt.MapClaims{"user_id": id, "roles": []string{"student"}}), verdicts: map[string]string{}}
}

// command repeats a command on any replica until one acknowledges it.
func (l *learner) command(ctx context.Context, path string, body any) (map[string]any, error) {
	key := uuid.NewString()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		me := caller{t: l.t, url: l.somewhere(), token: l.token}
		r, err := me.try(http.MethodPost, path, body, "Idempotency-Key", key)
		if err == nil && r.status < 300 {
			var fields map[string]any
			return fields, json.Unmarshal(r.body, &fields)
		}
		if err == nil && r.status < 500 && r.status != http.StatusTooManyRequests && r.status != http.StatusRequestTimeout {
			return nil, fmt.Errorf("POST %s: %d %s", path, r.status, r.body)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("POST %s was never acknowledged: %w; the last answer was %d %s (%w)", path, ctx.Err(), r.status, r.body, err)
		case <-time.After(wait + rand.N(wait)):
		}
	}
}

// work makes goals with tasks and hands each task in, the next when the verdict
// of the last is on the screen, until there was enough.
func (l *learner) work(ctx context.Context, enough <-chan struct{}) error {
	for {
		if err := l.goal(ctx); err != nil {
			return err
		}
		select {
		case <-enough:
			return nil
		default:
		}
	}
}

func (l *learner) goal(ctx context.Context) error {
	goal, err := l.command(ctx, "/api/v1/goals", map[string]any{"title": "Chaos"})
	if err != nil {
		return err
	}
	l.goals++
	var tasks []any
	for n := range chaosTasks {
		task, err := l.command(ctx, "/api/v1/tasks", map[string]any{
			"goal_id": goal["id"], "title": fmt.Sprintf("task %d", n), "type": "code", "language": "python",
			"validation": map[string]any{"tests": []map[string]any{{"path": "test_double.py", "content": doubleTest}}},
		})
		if err != nil {
			return err
		}
		tasks = append(tasks, task["id"])
	}
	for n, task := range tasks {
		if err := l.handIn(ctx, fmt.Sprint(task), fmt.Sprintf("# %s %d\n%s", l.id, n, right)); err != nil {
			return err
		}
	}
	return nil
}

// handIn submits and waits for the verdict.
func (l *learner) handIn(ctx context.Context, task, code string) error {
	snapshot, err := l.command(ctx, "/api/v1/tasks/"+task+"/snapshots", map[string]any{"files": []map[string]any{{"path": "double.py", "content": code}}})
	if err != nil {
		return err
	}
	id, _ := snapshot["id"].(string)
	l.acknowledged = append(l.acknowledged, id)
	for l.verdict(id) == "" {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the verdict on snapshot %s never came to the screen of %s: %w", id, l.id, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (l *learner) verdict(snapshot string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.verdicts[snapshot]
}

// watch keeps a screen open until ctx ends.
func (l *learner) watch(ctx context.Context) {
	for wait := 50 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, time.Second) {
		if l.connect(ctx) {
			wait = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait + rand.N(wait)):
		}
	}
}

// connect reads one connection to its end, and says whether it was one.
func (l *learner) connect(ctx context.Context) bool {
	l.mu.Lock()
	resume := url.Values{"after_seq": {fmt.Sprint(l.last)}, "epoch": {l.epoch}}.Encode()
	if l.epoch == "" {
		resume = ""
	}
	l.mu.Unlock()
	dialing, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(dialing, strings.Replace(l.somewhere(), "http", "ws", 1)+"/ws?"+resume,
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + l.token}}})
	if err != nil {
		return false
	}
	conn.SetReadLimit(16 << 20)
	defer func() { _ = conn.CloseNow() }()
	l.mu.Lock()
	l.connections++
	l.mu.Unlock()
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return true
		}
		l.take(data)
	}
}

// take notes a message, and what is wrong with it.
func (l *learner) take(data []byte) {
	var push struct {
		Type    string `json:"type"`
		Seq     int64  `json:"seq"`
		EventID string `json:"event_id"`
		Payload struct {
			Seq        int64  `json:"seq"`
			Epoch      string `json:"epoch"`
			SnapshotID string `json:"snapshot_id"`
			Verdict    string `json:"verdict"`
		} `json:"payload"`
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := json.Unmarshal(data, &push); err != nil {
		l.wrong = append(l.wrong, fmt.Sprintf("%s: %v", data, err))
		return
	}
	switch {
	case push.Type == "hello":
		if l.epoch == "" {
			l.last = push.Payload.Seq
		} else if l.epoch != push.Payload.Epoch {
			l.wrong = append(l.wrong, "another epoch")
		}
		l.epoch = push.Payload.Epoch
	case push.Type == "reset":
		l.wrong = append(l.wrong, "reset "+string(data))
	case push.Seq > 0:
		if push.Seq <= l.last {
			l.wrong = append(l.wrong, fmt.Sprintf("%s at %d came after %d", push.Type, push.Seq, l.last))
		}
		l.last = push.Seq
		l.seen = append(l.seen, push.EventID)
		if push.Type == "validation.completed" {
			l.verdicts[push.Payload.SnapshotID] = push.Payload.Verdict
		}
	}
}
