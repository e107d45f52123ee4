package ws_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	realtimev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/realtime/v1/realtimev1connect"
)

// watching opens the stream with a token.
func watching(t *testing.T, r *replica, token string, after *int64) (*connect.ServerStreamForClient[realtimev1.WatchResponse], error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	request := connect.NewRequest(&realtimev1.WatchRequest{AfterSeq: after})
	request.Header().Set("Authorization", "Bearer "+token)
	client := connect.NewClient[realtimev1.WatchRequest, realtimev1.WatchResponse](
		http.DefaultClient, r.url+realtimev1connect.RealtimeServiceWatchProcedure)
	return client.CallServerStream(ctx, request)
}

// watch opens the stream as a person; the answers come on the channel.
func watch(t *testing.T, r *replica, user string, after *int64) <-chan *realtimev1.WatchResponse {
	t.Helper()
	stream, err := watching(t, r, token(t, user, time.Hour), after)
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan *realtimev1.WatchResponse, 100)
	go func() {
		defer close(out)
		defer func() { _ = stream.Close() }()
		for stream.Receive() {
			out <- stream.Msg()
		}
	}()
	return out
}

func TestWatchGivesAPersonTheirOwnEventsAndWhatTheyMissed(t *testing.T) {
	r := start(t, postgrestest.DB(t), nil)
	ada, bob := watch(t, r, "ada", nil), watch(t, r, "bob", nil)
	if hello := (<-ada).GetHello(); hello.GetUserId() != "ada" || hello.GetEpoch() == "" {
		t.Fatalf("got %v", hello)
	}
	<-bob
	writer := dial(t, r, "/ws", "ada", time.Hour)
	writer.create("first")
	first := (<-ada).GetEvent()
	if first.GetType() != "goal.created" || first.GetUserId() != "ada" {
		t.Fatalf("got %v", first)
	}
	writer.create("second")
	again := watch(t, r, "ada", &first.Position)
	<-again // hello
	if missed := (<-again).GetEvent(); missed.GetPosition() <= first.GetPosition() {
		t.Errorf("got %v after %d", missed, first.GetPosition())
	}
	// Bob's next push is of his own doing: nothing of Ada's came before it.
	dial(t, r, "/ws", "bob", time.Hour).create("bob's")
	if own := (<-bob).GetEvent(); own.GetUserId() != "bob" {
		t.Errorf("bob got %v", own)
	}
}

// A stream whose client reads nothing must not hold its server for as long as
// the client likes.
func TestAStreamWhoseClientDoesNotReadIsEnded(t *testing.T) {
	t.Parallel()
	db := postgrestest.DB(t)
	var log written
	r := start(t, db, func(o *options) {
		o.WriteTimeout = time.Second
		o.logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	request := connect.NewRequest(&realtimev1.WatchRequest{})
	request.Header().Set("Authorization", "Bearer "+token(t, "ada", time.Hour))
	thin := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Control: narrow}).DialContext}}
	stream, err := connect.NewClient[realtimev1.WatchRequest, realtimev1.WatchResponse](
		thin, r.url+realtimev1connect.RealtimeServiceWatchProcedure).CallServerStream(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if !stream.Receive() { // hello, and nothing more is read
		t.Fatal(stream.Err())
	}
	writer := dial(t, start(t, db, func(o *options) { o.Rate, o.Burst = 1e6, 1e6 }), "/ws", "ada", time.Hour)
	long := strings.Repeat("x", 15000)
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(log.String(), "path="+realtimev1connect.RealtimeServiceWatchProcedure); {
		if time.Now().After(deadline) {
			t.Fatal("the server still serves a client that reads nothing")
		}
		writer.send("goal.create", uuid.NewString(), map[string]any{"title": "x", "description": long})
		writer.next("goal.create.ok")
		writer.kept = nil
	}
}
