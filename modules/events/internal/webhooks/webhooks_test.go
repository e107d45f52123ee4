package webhooks_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
	"github.com/goals-tracker/tracker/modules/events/internal/webhooks"
	"github.com/goals-tracker/tracker/modules/events/internal/work"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

const (
	course = "c1"
	key    = "0123456789abcdef0123456789abcdef"
)

func teacher(courses ...string) auth.Actor {
	return auth.Actor{UserID: "grace", Roles: []auth.Role{auth.Teacher}, CourseIDs: courses}
}

type bundle struct {
	t       *testing.T
	db      *postgres.DB
	log     *events.Log
	service *webhooks.Service
	// url is where the team listens; answer says what it answers.
	url    string
	answer atomic.Int64
	// retryAfter is the header; "" for none.
	retryAfter atomic.Value

	mu   sync.Mutex
	got  []received
	said bytes.Buffer
}

// Write makes it what the service logs to.
func (b *bundle) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said.Write(line)
}

type received struct {
	header http.Header
	body   []byte
}

func local() events.WebhooksConfig {
	cfg := events.DefaultWebhooksConfig()
	cfg.Allow, cfg.AllowHTTP, cfg.RetryAfter, cfg.Attempts = []string{"127.0.0.0/8"}, true, time.Millisecond, 3
	return cfg
}

func setup(t *testing.T, cfg events.WebhooksConfig) *bundle {
	t.Helper()
	db, log := eventstest.New(t)
	b := &bundle{t: t, db: db, log: log}
	b.answer.Store(http.StatusNoContent)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		b.got = append(b.got, received{r.Header, body})
		b.mu.Unlock()
		w.Header().Set("Location", "http://127.0.0.1/elsewhere")
		if after, _ := b.retryAfter.Load().(string); after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(int(b.answer.Load()))
	}))
	t.Cleanup(server.Close)
	b.url = server.URL + "/hook"
	inserter, err := jobs.NewInserter(db)
	if err != nil {
		t.Fatal(err)
	}
	b.service, err = webhooks.New(db, log, cfg, []byte(key), cloudevent.Format{Source: "https://tracker.example.org"}, work.Ticket(inserter), slog.New(slog.NewTextHandler(b, nil)))
	if err != nil {
		t.Fatal(err)
	}
	registry := jobs.NewRegistry()
	work.Register(registry, b.service)
	log.Subscribe(b.service.Subscription())
	runner, err := jobs.NewRunner(db, registry, jobs.Config{PollInterval: 50 * time.Millisecond, Grace: 5 * time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	eventstest.Run(t, log)
	b.goal("nobody", "other") // makes the subscription start before the test goes on
	eventstest.Settle(t, log)
	return b
}

// goal makes one, with one event.
func (b *bundle) goal(user, courseID string) {
	b.t.Helper()
	s := events.Stream{Type: "goal", ID: uuid.NewString(), SubjectID: user, CourseID: courseID}
	err := b.db.InTx(context.Background(), postgres.As(auth.System("test")), func(_ context.Context, tx *postgres.Tx) error {
		b.log.Append(tx, s, 0, &goalsv1.GoalCreated{GoalId: s.ID, UserId: user, Details: &goalsv1.GoalDetails{Title: "Learn Go"}})
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) tx(actor auth.Actor, fn func(ctx context.Context, tx *postgres.Tx) error) error {
	return b.db.InTx(context.Background(), postgres.As(actor), fn)
}

func (b *bundle) create(actor auth.Actor, w events.Webhook) (made events.Webhook, secret string, err error) {
	err = b.tx(actor, func(ctx context.Context, tx *postgres.Tx) (err error) {
		made, secret, err = b.service.CreateTx(ctx, tx, w)
		return err
	})
	return made, secret, err
}

func (b *bundle) mustCreate(types ...string) (events.Webhook, string) {
	b.t.Helper()
	w, secret, err := b.create(teacher(course), events.Webhook{CourseID: course, URL: b.url, Types: types})
	if err != nil {
		b.t.Fatal(err)
	}
	return w, secret
}

func (b *bundle) requests() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

func (b *bundle) deliveries(id uuid.UUID) []events.Delivery {
	b.t.Helper()
	all, err := b.service.Deliveries(b.t.Context(), teacher(course), id, time.Time{}, uuid.UUID{}, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it never came true: %s", what)
}

// signed says whether a receiver with the secret takes the request, by the
// words of Standard Webhooks.
func signed(t *testing.T, r received, secret string) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) != 32 {
		t.Fatalf("the secret %q is not as Standard Webhooks has it: %v", secret, err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.header.Get("Webhook-Id") + "." + r.header.Get("Webhook-Timestamp") + "."))
	mac.Write(r.body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.Contains(strings.Fields(r.header.Get("Webhook-Signature")), want)
}

func TestACoursesEventsArriveSignedOnceAndAreInTheLog(t *testing.T) {
	b := setup(t, local())
	w, secret := b.mustCreate("goal.created")
	b.goal("ada", course)
	b.goal("eve", "another")
	eventually(t, "it is delivered", func() bool { all := b.deliveries(w.ID); return len(all) == 1 && all[0].Status == "delivered" })
	got := b.requests()
	if len(got) != 1 || !signed(t, got[0], secret) {
		t.Fatalf("%d requests came, signed: %v", len(got), len(got) > 0 && signed(t, got[0], secret))
	}
	var e map[string]any
	if err := json.Unmarshal(got[0].body, &e); err != nil || e["type"] != "goal.created" || e["id"] != got[0].header.Get("Webhook-Id") || e["courseid"] != course || e["userid"] != "ada" {
		t.Errorf("the event is %s: %v", got[0].body, err)
	}
	d := b.deliveries(w.ID)[0]
	if d.Attempts != 1 || d.LastCode != http.StatusNoContent || d.EventType != "goal.created" || d.DeliveredAt.IsZero() || d.EventID.String() != e["id"] {
		t.Errorf("the log says %+v", d)
	}
}

func TestForADayBothSecretsSign(t *testing.T) {
	b := setup(t, local())
	w, old := b.mustCreate()
	var fresh string
	if err := b.tx(teacher(course), func(ctx context.Context, tx *postgres.Tx) (err error) {
		_, fresh, err = b.service.RotateTx(ctx, tx, w.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	b.goal("ada", course)
	eventually(t, "it arrives", func() bool { return len(b.requests()) == 1 })
	if r := b.requests()[0]; old == fresh || !signed(t, r, old) || !signed(t, r, fresh) {
		t.Errorf("the signature is %s", r.header.Get("Webhook-Signature"))
	}
}

func TestWhatDoesNotArriveIsTriedAgainAndGivenUpInTheEnd(t *testing.T) {
	b := setup(t, local())
	w, _ := b.mustCreate()
	b.answer.Store(http.StatusFound) // it is not followed
	b.goal("ada", course)
	eventually(t, "it is given up", func() bool { all := b.deliveries(w.ID); return len(all) == 1 && all[0].Status == "failed" })
	if d := b.deliveries(w.ID)[0]; d.Attempts != 3 || d.LastCode != http.StatusFound || d.LastError == "" || len(b.requests()) != 3 {
		t.Errorf("after %d requests the log says %+v", len(b.requests()), d)
	}
	if now, err := b.service.Get(t.Context(), teacher(course), w.ID); err != nil || now.FailingSince.IsZero() || !now.Enabled {
		t.Errorf("it is %+v: %v", now, err)
	}
	b.answer.Store(http.StatusOK)
	b.goal("ada", course)
	eventually(t, "it works again", func() bool {
		now, err := b.service.Get(t.Context(), teacher(course), w.ID)
		return err == nil && now.FailingSince.IsZero()
	})
}

func TestAWebhookThatIsGoneOrFailsForLongIsDisabledUntilItIsEnabledAgain(t *testing.T) {
	for name, answer := range map[string]int64{"gone": http.StatusGone, "failing": http.StatusInternalServerError} {
		t.Run(name, func(t *testing.T) {
			cfg := local()
			cfg.DisableAfter = time.Nanosecond
			b := setup(t, cfg)
			w, _ := b.mustCreate()
			b.answer.Store(answer)
			b.goal("ada", course)
			eventually(t, "it is disabled", func() bool {
				now, err := b.service.Get(t.Context(), teacher(course), w.ID)
				return err == nil && !now.Enabled && now.DisabledReason != ""
			})
			b.goal("ada", course)
			eventstest.Settle(t, b.log)
			eventually(t, "nothing waits", func() bool {
				all := b.deliveries(w.ID)
				return len(all) == 1 && all[0].Status == "failed"
			})
			b.answer.Store(http.StatusOK)
			on := true
			if err := b.tx(teacher(course), func(ctx context.Context, tx *postgres.Tx) error {
				_, err := b.service.UpdateTx(ctx, tx, w.ID, events.WebhookChange{Enabled: &on})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			b.goal("ada", course)
			eventually(t, "it is delivered to again", func() bool { all := b.deliveries(w.ID); return len(all) == 2 && all[0].Status == "delivered" })
		})
	}
}

func TestADeliveryWhoseWorkerDiedIsFoundAgain(t *testing.T) {
	b := setup(t, local())
	w, _ := b.mustCreate()
	b.goal("ada", course)
	eventually(t, "it is delivered", func() bool { all := b.deliveries(w.ID); return len(all) == 1 && all[0].Status == "delivered" })
	if _, err := b.db.Pool().Exec(t.Context(), `UPDATE events.webhook_deliveries SET status = 'pending', next_try_at = now() - interval '10 minutes'`); err != nil {
		t.Fatal(err)
	}
	if err := b.service.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is delivered again", func() bool { return b.deliveries(w.ID)[0].Status == "delivered" && len(b.requests()) == 2 })
}

func TestOnlyACoursesTeachersAndAdminsManageItsWebhooks(t *testing.T) {
	b := setup(t, local())
	w, _ := b.mustCreate()
	for name, actor := range map[string]auth.Actor{
		"a student":                    {UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{course}},
		"a teacher of another course":  teacher("c2"),
		"a student called as a system": {UserID: "system:webhooks", Roles: []auth.Role{auth.Student}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := b.create(actor, events.Webhook{CourseID: course, URL: b.url}); !errs.Forbidden.Is(err) {
				t.Errorf("create: %v", err)
			}
			if _, err := b.service.List(t.Context(), actor, course); !errs.Forbidden.Is(err) {
				t.Errorf("list: %v", err)
			}
			if _, err := b.service.Get(t.Context(), actor, w.ID); !events.ErrWebhookNotFound.Is(err) {
				t.Errorf("get: %v", err)
			}
			if _, err := b.service.Deliveries(t.Context(), actor, w.ID, time.Time{}, uuid.UUID{}, 1); !events.ErrWebhookNotFound.Is(err) {
				t.Errorf("deliveries: %v", err)
			}
			for what, do := range map[string]func(ctx context.Context, tx *postgres.Tx) error{
				"update": func(ctx context.Context, tx *postgres.Tx) error {
					_, err := b.service.UpdateTx(ctx, tx, w.ID, events.WebhookChange{})
					return err
				},
				"delete": func(ctx context.Context, tx *postgres.Tx) error { return b.service.DeleteTx(ctx, tx, w.ID) },
				"rotate": func(ctx context.Context, tx *postgres.Tx) error {
					_, _, err := b.service.RotateTx(ctx, tx, w.ID)
					return err
				},
			} {
				if err := b.tx(actor, do); !events.ErrWebhookNotFound.Is(err) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
	admin := auth.Actor{UserID: "root", Roles: []auth.Role{auth.Admin}}
	if err := b.tx(admin, func(ctx context.Context, tx *postgres.Tx) error { return b.service.DeleteTx(ctx, tx, w.ID) }); err != nil {
		t.Error(err)
	}
	if all, err := b.service.List(t.Context(), teacher(course), course); err != nil || len(all) != 0 {
		t.Errorf("left are %v: %v", all, err)
	}
}

func TestAddressesOfTheServersOwnNetworksAreRefused(t *testing.T) {
	cfg := local()
	cfg.Allow, cfg.AllowHTTP = nil, false
	b := setup(t, cfg)
	for _, address := range []string{
		"http://example.org/", "ftp://example.org/", "https://", "not an address", "https://user:secret@example.org/", "https://example.org/#x",
		"https://127.0.0.1/", "https://127.1.2.3:8443/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://10.0.0.1/", "https://192.168.1.1/",
		"https://172.16.0.1/", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://0.0.0.0/", "https://[::]/", "https://[fd00::1]/",
		"https://[fe80::1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://224.0.0.1/", "https://255.255.255.255/", "https://localhost/",
		"https://x.localhost./", "https://[::7f00:1]/", "https://[::ffff:0:127.0.0.1]/", "https://[64:ff9b:1::a00:1]/", "https://[fec0::1]/", "https://[3fff::1]/",
		"https://[2001::1]/", "https://[fe80::1%25eth0]/", "https://[::ffff:a9fe:a9fe]/", "https://168.63.129.16/machine", "https://100.100.100.200/",
		"https://example.org:25/", "https://example.org:0/", "https://example.org:65536/", "https://example.org:99999/", "https://example.org:022/",
		"https://example.org\\@127.0.0.1/", "https://@127.0.0.1/", "//example.org/", "https:example.org", "https://exam ple.org/",
	} {
		if _, _, err := b.create(teacher(course), events.Webhook{CourseID: course, URL: address}); !events.ErrWebhookAddress.Is(err) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, _, err := b.create(teacher(course), events.Webhook{CourseID: course, URL: "https://example.org/", Types: []string{"goal.exploded"}}); !events.ErrUnknownType.Is(err) {
		t.Errorf("an unknown type: %v", err)
	}
	for range cfg.PerCourse {
		if _, _, err := b.create(teacher(course), events.Webhook{CourseID: course, URL: "https://93.184.215.14/hook"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := b.create(teacher(course), events.Webhook{CourseID: course, URL: "https://93.184.215.14/hook"}); !events.ErrTooManyWebhooks.Is(err) {
		t.Errorf("one too many: %v", err)
	}
}
