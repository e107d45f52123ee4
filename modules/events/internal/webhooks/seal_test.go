package webhooks_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
	"github.com/goals-tracker/tracker/modules/events/internal/webhooks"
	"github.com/goals-tracker/tracker/modules/events/internal/work"
)

func (b *bundle) change(id uuid.UUID, change events.WebhookChange) error {
	return b.tx(teacher(course), func(ctx context.Context, tx *postgres.Tx) error {
		_, err := b.service.UpdateTx(ctx, tx, id, change)
		return err
	})
}

func (b *bundle) rotate(service *webhooks.Service, id uuid.UUID) (secret string) {
	b.t.Helper()
	if err := b.tx(teacher(course), func(ctx context.Context, tx *postgres.Tx) (err error) {
		_, secret, err = service.RotateTx(ctx, tx, id)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	return secret
}

// stored is all that the database has of a webhook's secrets.
func (b *bundle) stored(id uuid.UUID) (stored []byte) {
	b.t.Helper()
	if err := b.db.Pool().QueryRow(b.t.Context(), `SELECT secret || coalesce(previous_secret, '') FROM events.webhooks WHERE id = $1`, id).Scan(&stored); err != nil {
		b.t.Fatal(err)
	}
	return stored
}

func plain(t *testing.T, secret string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTheDatabaseHoldsNoSecretThatItsReaderCouldSignWith(t *testing.T) {
	b := setup(t, local())
	w, first := b.mustCreate()
	second := b.rotate(b.service, w.ID)
	if stored := b.stored(w.ID); bytes.Contains(stored, plain(t, first)) || bytes.Contains(stored, plain(t, second)) {
		t.Error("a secret can be read in the database")
	}
	b.goal("ada", course)
	eventually(t, "it arrives", func() bool { return len(b.requests()) == 1 })
	if r := b.requests()[0]; !signed(t, r, first) || !signed(t, r, second) {
		t.Error("the sealed secrets don't sign")
	}
	// A replaced secret is forgotten when it no longer signs.
	if _, err := b.db.Pool().Exec(t.Context(), `UPDATE events.webhooks SET previous_until = now() - interval '1 s'`); err != nil {
		t.Fatal(err)
	}
	if err := b.service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`SELECT count(*) FROM events.webhooks WHERE previous_secret IS NOT NULL`); n != 0 {
		t.Error("a secret that no longer signs is kept")
	}
}

func TestSecretsOfAnOlderVersionAreSealedAndSignAsBefore(t *testing.T) {
	b := setup(t, local())
	w, _ := b.mustCreate()
	old, older := bytes.Repeat([]byte("o"), 32), bytes.Repeat([]byte("p"), 32)
	if _, err := b.db.Pool().Exec(t.Context(), `UPDATE events.webhooks SET secret = $1, previous_secret = $2, previous_until = now() + interval '1 hour'`, old, older); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		if err := b.service.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if stored := b.stored(w.ID); bytes.Contains(stored, old) || bytes.Contains(stored, older) {
		t.Error("they can be read as before")
	}
	b.goal("ada", course)
	eventually(t, "it arrives", func() bool { return len(b.requests()) == 1 })
	for _, secret := range [][]byte{old, older} {
		if !signed(t, b.requests()[0], "whsec_"+base64.StdEncoding.EncodeToString(secret)) {
			t.Errorf("what was signed with %s is no more", secret)
		}
	}
}

func TestWithAnotherKeyNothingIsSentUntilTheSecretIsRotated(t *testing.T) {
	b := setup(t, local())
	inserter, err := jobs.NewInserter(b.db)
	if err != nil {
		t.Fatal(err)
	}
	other, err := webhooks.New(b.db, b.log, local(), []byte(strings.Repeat("x", 32)), cloudevent.Format{Source: "https://tracker.example.org"},
		work.Ticket(inserter), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var w events.Webhook
	if err := b.tx(teacher(course), func(ctx context.Context, tx *postgres.Tx) (err error) {
		w, _, err = other.CreateTx(ctx, tx, events.Webhook{CourseID: course, URL: b.url})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	b.goal("ada", course)
	eventually(t, "the operator reads why nothing is sent", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return strings.Contains(b.said.String(), "events.webhooks.key_file")
	})
	now, err := b.service.Get(t.Context(), teacher(course), w.ID)
	if err != nil || !now.FailingSince.IsZero() || len(b.requests()) != 0 || b.deliveries(w.ID)[0].Status != "pending" {
		t.Errorf("the address is blamed, or got something: %+v, %v", now, err)
	}
	secret := b.rotate(b.service, w.ID)
	eventually(t, "it is delivered", func() bool { return b.deliveries(w.ID)[0].Status == "delivered" })
	if r := b.requests(); len(r) != 1 || !signed(t, r[0], secret) || len(strings.Fields(r[0].header.Get("Webhook-Signature"))) != 1 {
		t.Errorf("%d requests came, the last signed with %s", len(r), r[len(r)-1].header.Get("Webhook-Signature"))
	}
}
