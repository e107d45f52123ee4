package wire

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sdk/llm"
)

func TestWhoHangsUpOnARequestMayChargeForItAndWhoWasNotReachedMayNot(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	}))
	defer s.Close()
	ask := func(address string) error {
		ex := &Exchange{}
		req, err := http.NewRequestWithContext(With(context.Background(), ex), http.MethodPost, address+"/chat", strings.NewReader(`{"prompt":"long"}`))
		if err != nil {
			t.Fatal(err)
		}
		res, err := New(nil).Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		return err
	}
	if err := ask(s.URL); llm.CodeOf(err) != llm.CodeInterrupted {
		t.Errorf("a request that was read: got %v", err)
	}
	s.Close()
	if err := ask(s.URL); llm.CodeOf(err) != llm.CodeUnavailable {
		t.Errorf("a request that reached nobody: got %v", err)
	}
}
