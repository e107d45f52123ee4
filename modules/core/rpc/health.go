package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
)

// checkTime is how long a readiness check may take.
const checkTime = 2 * time.Second

// health answers whether the server is alive, and whether it is ready.
type health struct {
	checks   []Check
	services []string
	log      *slog.Logger
}

// alive says that the process answers, and nothing more.
func (h *health) alive(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"status": "alive"})
}

// ready runs the checks. Why one fails goes to the log: the address is public.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	results, ok := h.run(r.Context())
	if !ok {
		answer(w, http.StatusServiceUnavailable, map[string]any{"status": "not_ready", "checks": results})
		return
	}
	answer(w, http.StatusOK, map[string]any{"status": "ready", "checks": results})
}

func (h *health) run(ctx context.Context) (map[string]string, bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	failures := make([]error, len(h.checks))
	var all sync.WaitGroup
	for i, check := range h.checks {
		all.Go(func() {
			defer func() {
				if crash := recover(); crash != nil {
					failures[i] = fmt.Errorf("panic: %v", crash)
				}
			}()
			failures[i] = check.Check(ctx)
		})
	}
	all.Wait()
	results, ok := map[string]string{}, true
	for i, check := range h.checks {
		results[check.Name] = "ok"
		if failures[i] != nil {
			if check.Optional {
				results[check.Name] = "degraded"
				continue // who runs it says why
			}
			results[check.Name], ok = "failing", false
			h.log.WarnContext(ctx, "not ready", "check", check.Name, "error", failures[i].Error())
		}
	}
	return results, ok
}

// Check implements grpchealth.Checker.
func (h *health) Check(ctx context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	if req.Service != "" && !slices.Contains(h.services, req.Service) {
		return nil, connect.NewError(connect.CodeNotFound, fmt.Errorf("unknown service %q", req.Service))
	}
	if _, ok := h.run(ctx); !ok {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	text, err := json.Marshal(body)
	if err != nil {
		text = []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
