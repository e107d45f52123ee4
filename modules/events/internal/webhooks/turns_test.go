package webhooks_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
)

func (b *bundle) count(query string, args ...any) (n int) {
	b.t.Helper()
	if err := b.db.Pool().QueryRow(b.t.Context(), query, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// jobs are deliveries' jobs that are to be run yet.
func (b *bundle) jobs() int {
	return b.count(`SELECT count(*) FROM river.river_job WHERE kind = 'events_webhook_deliver' AND state IN ('available', 'scheduled', 'retryable', 'running')`)
}

func TestAnAddressThatNeverAnswersHoldsUpNoOtherAndHasOneRequestAtATime(t *testing.T) {
	cfg := local()
	cfg.Timeout = time.Minute
	b := setup(t, cfg)
	release := make(chan struct{})
	var hanging, most atomic.Int64
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n := hanging.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-release
		hanging.Add(-1)
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	if _, _, err := b.create(teacher(course), events.Webhook{CourseID: course, URL: slow.URL}); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		b.goal("ada", course)
	}
	eventstest.Settle(t, b.log)
	eventually(t, "it hangs", func() bool { return hanging.Load() > 0 })
	w, _ := b.mustCreate()
	b.goal("ada", course)
	eventually(t, "the other one gets its event", func() bool { all := b.deliveries(w.ID); return len(all) == 1 && all[0].Status == "delivered" })
	if most.Load() != 1 {
		t.Errorf("%d requests hung at once", most.Load())
	}
}

func TestAnAddressThatIsDownRestsAndHasFewJobsHoweverMuchWaits(t *testing.T) {
	cfg := local()
	cfg.RetryAfter = time.Hour
	b := setup(t, cfg)
	w, _ := b.mustCreate()
	b.answer.Store(http.StatusInternalServerError)
	b.goal("ada", course)
	eventually(t, "it has failed, and its turn is over", func() bool {
		now, err := b.service.Get(t.Context(), teacher(course), w.ID)
		return err == nil && !now.FailingSince.IsZero() && b.count(`SELECT count(*) FROM events.webhooks WHERE holder IS NULL`) == 1
	})
	for range 30 {
		b.goal("ada", course)
	}
	eventstest.Settle(t, b.log)
	eventually(t, "all wait", func() bool { return len(b.deliveries(w.ID)) == 31 })
	// One for what failed, in an hour, and one for the others after the rest.
	eventually(t, "two jobs are left", func() bool { return b.jobs() == 2 })
	if b.count(`SELECT count(*) FROM events.webhooks WHERE look_at BETWEEN now() AND now() + interval '10 minutes'`) != 1 {
		t.Error("what was not tried waits for longer than the rest")
	}
	if n := len(b.requests()); n != 1 {
		t.Errorf("%d requests were sent to what is down", n)
	}
	// A team that names a better address does not wait for the rest to end.
	b.answer.Store(http.StatusOK)
	if err := b.change(w.ID, events.WebhookChange{URL: &b.url}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "those that were not tried arrive", func() bool {
		return b.count(`SELECT count(*) FROM events.webhook_deliveries WHERE status = 'delivered'`) == 30
	})
}

func TestWhatComesWhileAnAddressRestsWithNothingLeftToSendIsSentAfterwards(t *testing.T) {
	cfg := local()
	cfg.RetryAfter, cfg.Attempts = time.Hour, 1
	b := setup(t, cfg)
	w, _ := b.mustCreate()
	b.answer.Store(http.StatusInternalServerError)
	b.goal("ada", course)
	eventually(t, "it is given up, and the turn with it", func() bool {
		all := b.deliveries(w.ID)
		return len(all) == 1 && all[0].Status == "failed" && b.count(`SELECT count(*) FROM events.webhooks WHERE holder IS NULL`) == 1 && b.jobs() == 0
	})
	for range 3 {
		b.goal("ada", course)
	}
	eventstest.Settle(t, b.log)
	if n := b.jobs(); n != 1 {
		t.Errorf("%d jobs come for it after its rest", n)
	}
	if n := len(b.requests()); n != 1 {
		t.Errorf("%d requests were sent to what rests", n)
	}
}

func TestEventsArriveInTheOrderOfTheLogWhileNoneFails(t *testing.T) {
	b := setup(t, local())
	b.mustCreate()
	for range 30 {
		b.goal("ada", course)
	}
	eventually(t, "all have come", func() bool { return len(b.requests()) == 30 })
	last := ""
	for _, r := range b.requests() {
		var e struct {
			Sequence string `json:"sequence"`
		}
		if err := json.Unmarshal(r.body, &e); err != nil || e.Sequence <= last {
			t.Fatalf("%s came after %s: %v", e.Sequence, last, err)
		}
		last = e.Sequence
	}
}

func TestAnAddressThatAsksToBeLeftAloneIs(t *testing.T) {
	b := setup(t, local()) // it would try again after a millisecond
	w, _ := b.mustCreate()
	b.retryAfter.Store("3600")
	b.answer.Store(http.StatusServiceUnavailable)
	b.goal("ada", course)
	b.goal("ada", course)
	eventstest.Settle(t, b.log)
	eventually(t, "it waits", func() bool {
		all := b.deliveries(w.ID)
		return len(all) == 2 && time.Until(all[1].NextTryAt) > 50*time.Minute && b.jobs() == 1
	})
	if n := len(b.requests()); n != 1 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestAnAttemptThatFailsAfterItsWebhookWasDisabledDisablesNothingAgain(t *testing.T) {
	cfg := local()
	cfg.RetryAfter, cfg.Backlog, cfg.Timeout = time.Hour, 2, time.Minute
	b := setup(t, cfg)
	asked, release := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-release
		w.WriteHeader(http.StatusGone)
	}))
	t.Cleanup(slow.Close)
	w, _, err := b.create(teacher(course), events.Webhook{CourseID: course, URL: slow.URL})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		b.goal("ada", course)
	}
	eventstest.Settle(t, b.log)
	<-asked
	if err := b.service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(release)
	eventually(t, "the turn is over", func() bool { return b.count(`SELECT count(*) FROM events.webhooks WHERE holder IS NULL`) == 1 })
	now, err := b.service.Get(t.Context(), teacher(course), w.ID)
	if err != nil || now.Enabled || !strings.Contains(now.DisabledReason, "more than 2 deliveries wait") || b.service.Disabled() != 1 {
		t.Errorf("disabled %d times, it is %+v: %v", b.service.Disabled(), now, err)
	}
	for _, d := range b.deliveries(w.ID) {
		if d.Status != "failed" {
			t.Errorf("a disabled webhook has a delivery that is %s", d.Status)
		}
	}
}

// Sweep locks webhooks and then what waits for them; in the other order the two
// would wait for each other.
func TestAnAttemptThatEndsHoldsNoDeliveryWhileItWaitsForItsWebhook(t *testing.T) {
	cfg := local()
	cfg.Timeout = time.Minute
	b := setup(t, cfg)
	asked, release := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	t.Cleanup(slow.Close)
	w, _, err := b.create(teacher(course), events.Webhook{CourseID: course, URL: slow.URL})
	if err != nil {
		t.Fatal(err)
	}
	b.count(`WITH failed AS (UPDATE events.webhooks SET failures = 1 RETURNING id) SELECT count(*) FROM failed`) // so that there is something to heal
	b.goal("ada", course)
	<-asked
	sweep, err := b.db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sweep.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := sweep.Exec(t.Context(), `SELECT FROM events.webhooks FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	close(release)
	eventually(t, "the attempt's end waits", func() bool {
		return b.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
	})
	if _, err := sweep.Exec(t.Context(), `SELECT FROM events.webhook_deliveries FOR UPDATE NOWAIT`); err != nil {
		t.Error(err)
	}
	if err := sweep.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is delivered", func() bool { all := b.deliveries(w.ID); return len(all) == 1 && all[0].Status == "delivered" })
}

func TestAWebhookThatDoesNotKeepUpIsDisabledAndItsLogIsBounded(t *testing.T) {
	cfg := local()
	cfg.RetryAfter, cfg.Backlog, cfg.KeepLines = time.Hour, 5, 4
	b := setup(t, cfg)
	w, _ := b.mustCreate()
	b.answer.Store(http.StatusInternalServerError)
	for range 8 {
		b.goal("ada", course)
	}
	eventstest.Settle(t, b.log)
	eventually(t, "they wait", func() bool { return len(b.deliveries(w.ID)) == 8 })
	if err := b.service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	now, err := b.service.Get(t.Context(), teacher(course), w.ID)
	if err != nil || now.Enabled || !strings.Contains(now.DisabledReason, "more than 5 deliveries wait") || b.service.Disabled() != 1 {
		t.Errorf("it is %+v: %v", now, err)
	}
	if err := b.service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := b.deliveries(w.ID)
	if len(all) != 4 {
		t.Errorf("%d lines are left in the log", len(all))
	}
	for _, d := range all {
		if d.Status != "failed" {
			t.Errorf("a disabled webhook has a delivery that is %s", d.Status)
		}
	}
}
