// Package telemetry is how the server tells operators what it does: structured
// logs, Prometheus metrics, and OpenTelemetry traces when an endpoint is set.
// What people write never goes into it, nor tokens or other secrets.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/goals-tracker/tracker/modules/core/config"
)

// Config is what to tell and where.
type Config struct {
	// LogLevel is debug, info, warn or error. Defaults to info.
	LogLevel string `koanf:"log_level"`
	// LogFormat is text or json. Defaults to text.
	LogFormat string `koanf:"log_format"`
	// OTLPEndpoint receives traces by OTLP over HTTP: "http://127.0.0.1:4318".
	// Defaults to none: no traces are made.
	OTLPEndpoint string `koanf:"otlp_endpoint"`
	// SampleRatio is the share of traces that is kept, 0 to 1. Defaults to 1.
	SampleRatio float64 `koanf:"sample_ratio"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config { return Config{LogLevel: "info", LogFormat: "text", SampleRatio: 1} }

// NewLogger makes the server's logger. Attributes that are named like secrets
// are left out whatever their value is.
func NewLogger(out io.Writer, cfg Config) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return nil, fmt.Errorf("telemetry.log_level is %q: use debug, info, warn or error", cfg.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: hideSecrets}
	switch cfg.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(out, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, options)), nil
	default:
		return nil, fmt.Errorf("telemetry.log_format is %q: use text or json", cfg.LogFormat)
	}
}

func hideSecrets(_ []string, a slog.Attr) slog.Attr {
	if kind := a.Value.Kind(); (kind == slog.KindString || kind == slog.KindAny) && config.SecretName(a.Key) {
		return slog.String(a.Key, "[redacted]")
	}
	return a
}

// NewMetrics makes the registry that /metrics shows, with Go's and the
// process's own figures in it.
func NewMetrics() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// StartTracing sends traces to the configured endpoint. The returned function
// flushes and ends it; with no endpoint nothing happens.
func StartTracing(ctx context.Context, cfg Config, version string) (stop func(context.Context) error, err error) {
	if cfg.OTLPEndpoint == "" {
		return func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(cfg.OTLPEndpoint))
	if err != nil {
		return nil, fmt.Errorf("reach telemetry.otlp_endpoint: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.SampleRatio))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "tracker"), attribute.String("service.version", version))),
	)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return provider.Shutdown, nil
}
