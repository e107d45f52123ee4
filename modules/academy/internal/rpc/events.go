package rpc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/rpc"
)

// Taker takes events in: the inbox.
type Taker interface {
	Take(ctx context.Context, m inbox.Message) (inbox.Outcome, error)
}

// Events is where an academy without RabbitMQ posts its events: 204 when all of
// them were taken, so that they need not come again.
func Events(taker Taker, key config.Secret) rpc.Route {
	return rpc.Route{Pattern: "POST /api/v1/academy/events", Public: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !presents(r.Header, key) {
			rpc.WriteProblem(w, r, academy.ErrServiceKey.New())
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, inbox.MaxMessage))
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			rpc.WriteProblem(w, r, rpc.ErrTooLarge.New(int64(inbox.MaxMessage)))
			return
		case err != nil:
			rpc.WriteProblem(w, r, academy.ErrBadEvent.New("its body ended early"))
			return
		}
		messages, err := inbox.FromHTTP(r.Header, body)
		for i := 0; err == nil && i < len(messages); i++ {
			_, err = taker.Take(r.Context(), messages[i])
		}
		var bad *inbox.MalformedError
		switch {
		case errors.As(err, &bad):
			rpc.WriteProblem(w, r, academy.ErrBadEvent.New(bad.Reason))
		case err != nil:
			rpc.WriteProblem(w, r, err)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})}
}

// presents compares in a time that tells nothing of the key. Without a key
// nobody is let in.
func presents(header http.Header, key config.Secret) bool {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	sent, wanted := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(key.Reveal()))
	return subtle.ConstantTimeCompare(sent[:], wanted[:]) == 1 && strings.EqualFold(scheme, "Bearer") && key != ""
}
