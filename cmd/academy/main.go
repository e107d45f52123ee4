// Command academy runs a stand-in for the academy, the service that owns
// users, logins and courses, with sample people. For development and tests.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/joho/godotenv"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/config"
)

type options struct {
	Address       string        `help:"Where to listen." default:"127.0.0.1:8001" env:"ACADEMY_ADDRESS" placeholder:"HOST:PORT"`
	AllowRemote   bool          `help:"Listen even where other machines can reach it. Its passwords are public." env:"ACADEMY_ALLOW_REMOTE"`
	SecretKey     string        `help:"Signs tokens with HS256; the tracker has the same. Defaults to a public sample." env:"SECRET_KEY" placeholder:"KEY"`
	ServiceAPIKey string        `name:"service-api-key" help:"What services present. Defaults to a public sample." env:"SERVICE_API_KEY" placeholder:"KEY"`
	Alg           string        `help:"How tokens are signed: HS256 with the secret key, or RS256 with a fresh key on the JWKS." enum:"HS256,RS256" default:"HS256" env:"ACADEMY_ALG"`
	RedirectURI   []string      `name:"redirect-uri" help:"Allow logins to go back here too, beside loopback http and vscode://." env:"ACADEMY_REDIRECT_URIS" placeholder:"URI"`
	TokenTTL      time.Duration `name:"token-ttl" help:"How long access tokens live." default:"1h" env:"ACADEMY_TOKEN_TTL"`
	RefreshTTL    time.Duration `name:"refresh-ttl" help:"How long refresh tokens live." default:"720h" env:"ACADEMY_REFRESH_TTL"`
	Issuer        string        `help:"The iss claim. This server's address makes it discoverable (OIDC)." default:"pixel-verse-academy" env:"ACADEMY_ISSUER"`
	Audience      string        `help:"The aud claim. Defaults to none." env:"ACADEMY_AUDIENCE"`
	RabbitMQURL   string        `name:"rabbitmq-url" help:"Publish events to the exchange academy.events of this RabbitMQ." env:"RABBITMQ_URL" placeholder:"URL"`
	TrackerURL    string        `name:"tracker-url" help:"Where the tracker is, to post events to when there is no RabbitMQ; empty for nowhere." default:"http://127.0.0.1:8000" env:"ACADEMY_TRACKER_URL" placeholder:"URL"`
}

func main() {
	// The tracker loads the same file, so that both share their secrets.
	if err := godotenv.Load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "academy: read .env:", err)
		os.Exit(1)
	}
	var o options
	kong.Parse(&o, kong.Name("academy"),
		kong.Description("A stand-in for the academy: sample people and courses, for development and tests."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "academy:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then lets running requests finish.
func run(ctx context.Context, o options, out, logs io.Writer) error {
	if err := standin.CheckAddress(o.Address, o.AllowRemote); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(logs, nil))
	var background sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer background.Wait()
	defer stop()
	events, err := publisher(ctx, o, logger, &background)
	if err != nil {
		return err
	}
	academy, err := standin.New(standin.Config{
		SecretKey: o.SecretKey, ServiceAPIKey: o.ServiceAPIKey, Algorithm: o.Alg, RedirectURIs: o.RedirectURI,
		TokenTTL: o.TokenTTL, RefreshTTL: o.RefreshTTL, Issuer: o.Issuer, Audience: o.Audience, Events: events, Logger: logger,
	})
	if err != nil {
		return err
	}
	background.Go(func() { academy.Run(ctx) })
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", o.Address, err)
	}
	srv := &http.Server{
		Handler: academy, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute,
	}
	if _, err := io.WriteString(out, announcement(listener.Addr().String(), o)); err != nil {
		return errors.Join(fmt.Errorf("announce the address: %w", err), listener.Close())
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// publisher is where events go: to RabbitMQ, else to the tracker, else nowhere.
func publisher(ctx context.Context, o options, logger *slog.Logger, background *sync.WaitGroup) (standin.Publisher, error) {
	switch {
	case o.RabbitMQURL != "":
		cfg := broker.DefaultConfig()
		cfg.URL = config.Secret(o.RabbitMQURL)
		connection, err := broker.New(cfg, logger)
		if err != nil {
			return nil, err
		}
		background.Go(func() { _ = connection.Run(ctx) })
		return &queued{connection.Publisher()}, nil
	case o.TrackerURL != "":
		key := o.ServiceAPIKey
		if key == "" {
			key = standin.SampleServiceAPIKey
		}
		return standin.Post{URL: strings.TrimRight(o.TrackerURL, "/") + "/api/v1/academy/events", Key: key}, nil
	}
	return nil, nil //nolint:nilnil // nobody is to be told
}

// exchange is where the academy's events are published.
const exchange = "academy.events"

// queued publishes events to RabbitMQ.
type queued struct{ publisher *broker.Publisher }

// Publish implements standin.Publisher.
func (q *queued) Publish(ctx context.Context, event standin.Event) error {
	body, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("write event %s: %w", event.ID, err)
	}
	unrouted, err := q.publisher.Publish(ctx, broker.Message{
		ID: event.ID, Exchange: exchange, Key: event.Type, Type: event.Type, ContentType: "application/cloudevents+json",
		Headers: map[string]any{
			"cloudEvents:specversion": event.SpecVersion, "cloudEvents:id": event.ID, "cloudEvents:source": event.Source,
			"cloudEvents:type": event.Type, "cloudEvents:subject": event.Subject, "cloudEvents:time": event.Time.Format(time.RFC3339Nano),
		},
		Body: body, Time: event.Time,
	})
	if err == nil && len(unrouted) > 0 {
		err = fmt.Errorf("no queue wants %s yet: no tracker has been here", event.Type)
	}
	return err
}

// announcement says what runs here and where, so that nobody takes it for a
// real academy.
func announcement(address string, o options) string {
	text := "academy STAND-IN (sample people with public passwords; not a real academy)\n"
	text += fmt.Sprintf("listening on http://%s, tokens signed with %s\n", address, o.Alg)
	if o.SecretKey == "" || o.ServiceAPIKey == "" {
		text += "using sample secrets: set SECRET_KEY and SERVICE_API_KEY here and on the tracker to use your own\n"
	}
	if o.AllowRemote {
		text += "WARNING: --allow-remote: whoever reaches this address can log in as anyone, the admin included\n"
	}
	return text
}
