package telemetry_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"

	"github.com/goals-tracker/tracker/modules/core/telemetry"
)

func TestSecretsStayOutOfTheLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out strings.Builder
		cfg := telemetry.DefaultConfig()
		cfg.LogFormat = format
		logger, err := telemetry.NewLogger(&out, cfg)
		if err != nil {
			t.Fatal(err)
		}
		logger.With("access_token", "hunter2").Info("hello", "Authorization", "Bearer hunter2", "path", "/ws", "tokens", 7) //nolint:sloglint // a header's own name
		if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "/ws") || !strings.Contains(out.String(), "7") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

func TestAWrongSettingSaysWhatIsAllowed(t *testing.T) {
	for _, cfg := range []telemetry.Config{{LogLevel: "loud", LogFormat: "text"}, {LogLevel: "info", LogFormat: "xml"}} {
		if _, err := telemetry.NewLogger(&strings.Builder{}, cfg); err == nil || !strings.Contains(err.Error(), "use ") {
			t.Errorf("%+v: got %v", cfg, err)
		}
	}
}

func TestTracesReachTheEndpointOnlyWhenThereIsOne(t *testing.T) {
	stop, err := telemetry.StartTracing(t.Context(), telemetry.DefaultConfig(), "test")
	if err != nil || stop(t.Context()) != nil {
		t.Fatal(err)
	}
	got := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Path }))
	defer collector.Close()
	cfg := telemetry.DefaultConfig()
	cfg.OTLPEndpoint = collector.URL
	stop, err = telemetry.StartTracing(t.Context(), cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	_, span := otel.Tracer("test").Start(context.Background(), "work")
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-got:
	default:
		t.Error("no trace arrived")
	}
}
