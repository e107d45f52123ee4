package rpc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/errs"
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
			rpc.WriteProblem(w, r, academy.ErrBadEvent.New(errs.Say("its body ended early", "su cuerpo terminó antes de tiempo")))
			return
		}
		messages, errs, err := inbox.FromHTTP(r.Header, body)
		if err == nil {
			err = takeAll(r.Context(), taker, messages, errs)
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

// takeAll takes every message that can be read. Its error is that of one that has
// to come again, else a *inbox.MalformedError of all that never can be taken.
func takeAll(ctx context.Context, taker Taker, messages []inbox.Message, errs []error) error {
	var reasons []string
	var again error
	for i, m := range messages {
		err := errs[i]
		if err == nil {
			_, err = taker.Take(ctx, m)
		}
		var bad *inbox.MalformedError
		switch {
		case err == nil:
		case errors.As(err, &bad) && len(messages) == 1:
			return bad
		case errors.As(err, &bad):
			reasons = append(reasons, fmt.Sprintf("event %d: %s", i+1, bad.Reason))
		default:
			again = err
		}
	}
	if again != nil || reasons == nil {
		return again
	}
	return &inbox.MalformedError{Reason: strings.Join(reasons, "; ") + "; the others were taken"}
}

// presents compares in a time that tells nothing of the key. Without a key
// nobody is let in.
func presents(header http.Header, key config.Secret) bool {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	sent, wanted := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(key.Reveal()))
	return subtle.ConstantTimeCompare(sent[:], wanted[:]) == 1 && strings.EqualFold(scheme, "Bearer") && key != ""
}
