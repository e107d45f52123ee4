package rpc

import (
	"context"
	"net/http"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

// Admitter holds people to limits.
type Admitter interface {
	// Admit refuses a call of a procedure; "" is an address that is none, such as
	// the WebSocket's. It must be fast.
	Admit(ctx context.Context, actor auth.Actor, procedure string) error
}

// admitted asks before a call of somebody who is signed in: before its body is
// read, and once whatever face it came by.
func admitted(limits Admitter, procedure func(*http.Request) string, refuse func(http.ResponseWriter, *http.Request, error), next http.Handler) http.Handler {
	if limits == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if actor, ok := auth.FromContext(r.Context()); ok {
			if err := limits.Admit(r.Context(), actor, procedure(r)); err != nil {
				refuse(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// byPath is the procedure of a Connect request.
func byPath(r *http.Request) string { return r.URL.Path }

// none is the procedure of other addresses.
func none(*http.Request) string { return "" }

// procedure is what a REST request calls; "" when there is no such address.
func (h *rest) procedure(r *http.Request) string {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if binding, _ := h.table.find(method, strings.TrimRight(r.URL.Path, "/")); binding != nil {
		return binding.Procedure
	}
	return ""
}
