package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest/pgbouncer"
)

// pooled is a database behind PgBouncer with two sessions for everybody.
func pooled(t *testing.T) (direct, through *postgres.DB) {
	t.Helper()
	direct = setup(t)
	through, err := postgres.Open(t.Context(), postgres.Config{
		URL: pgbouncer.Start(t, direct.URL(), 2), Pooler: postgres.TransactionPooler, StatementTimeout: 700 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	return direct, through
}

func TestUnitsOfWorkKeepPeopleApartBehindAPoolerInTransactionMode(t *testing.T) {
	_, db := pooled(t)
	var all sync.WaitGroup
	for i := range 8 {
		user := fmt.Sprintf("user-%d", i)
		all.Go(func() {
			for n := range 10 {
				err := db.InTx(t.Context(), postgres.Call{Actor: learner(user), Key: fmt.Sprint(n), Procedure: "p", Hash: []byte("h")},
					func(ctx context.Context, tx *postgres.Tx) error {
						if _, err := tx.Exec(ctx, insertNote, postgres.Args{"user": user, "course": "c1", "body": "x"}); err != nil {
							return err
						}
						if seen := count(t, tx, user); seen != n+1 {
							t.Errorf("%s sees %d of %d notes", user, seen, n+1)
						}
						return nil
					})
				if err != nil {
					t.Errorf("%s: %v", user, err)
					return
				}
			}
			if n := count(t, db.As(learner(user)), "user-0"); n != 0 && user != "user-0" {
				t.Errorf("%s sees %d notes of another's", user, n)
			}
		})
	}
	all.Wait()
}

func TestTimeLimitsHoldBehindAPooler(t *testing.T) {
	direct, db := pooled(t)
	for name, sleep := range map[string]func() error{
		"alone": func() error {
			_, err := db.As(learner("ada")).Exec(t.Context(), sleepLong, nil)
			return err
		},
		"in a unit of work": func() error {
			return db.InTx(t.Context(), postgres.As(learner("ada")), func(ctx context.Context, tx *postgres.Tx) error {
				_, err := tx.Exec(ctx, sleepLong, nil)
				return err
			})
		},
	} {
		if err := sleep(); err == nil || !strings.Contains(err.Error(), "statement timeout") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	var left string
	if err := direct.Pool().QueryRow(t.Context(), "SHOW statement_timeout").Scan(&left); err != nil || left != "30s" {
		t.Errorf("a connection without pooler has %s, %v", left, err)
	}
}

var sleepLong = postgres.SQL("test.sleep_long", "SELECT pg_sleep(20)")

func TestReplicasBehindAPoolerHearEachOtherByPolling(t *testing.T) {
	_, db := pooled(t)
	logger := slog.New(slog.DiscardHandler)
	heard := make(chan string, 1000)
	var listeners sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); listeners.Wait() })
	for range 2 {
		l := postgres.NewListener(db, logger)
		ready := make(chan struct{})
		l.On("things", func(payload string) {
			if payload == "" {
				close(ready)
				return
			}
			heard <- payload
		})
		listeners.Go(func() { l.Run(ctx) })
		<-ready
	}
	const told = 40
	var tellers sync.WaitGroup
	for i := range told {
		tellers.Go(func() {
			if err := db.Notify(t.Context(), "things", fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	tellers.Wait()
	times := map[string]int{}
	for range 2 * told {
		select {
		case payload := <-heard:
			times[payload]++
		case <-time.After(20 * time.Second):
			t.Fatalf("only %v were heard", times)
		}
	}
	for i := range told {
		if times[fmt.Sprint(i)] != 2 {
			t.Errorf("%d was heard %d times by two replicas", i, times[fmt.Sprint(i)])
		}
	}
}

func TestAPoolerThatNobodyKnowsIsRefused(t *testing.T) {
	_, err := postgres.Open(t.Context(), postgres.Config{URL: "postgresql://nowhere", Pooler: "statement"})
	if err == nil || !strings.Contains(err.Error(), "transaction") {
		t.Errorf("got %v", err)
	}
}

// Where the settings don't know of the pooler, sessions would be shared without a
// word: statements by their names, roles and LISTEN would fail now and then.
func TestAPoolerThatTheSettingsDontKnowOfIsNoticedAtTheStart(t *testing.T) {
	direct := setup(t)
	for name, more := range map[string]string{
		"it refuses a session's settings": "",
		"it swallows them":                "ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout,role",
	} {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: pgbouncer.Start(t, direct.URL(), 2, more)})
		if err == nil {
			db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "database.pooler: transaction") || strings.Contains(err.Error(), "GRANT") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestALoginWithoutRightsOnJobsIsToldWhatToGrantBehindAPooler(t *testing.T) {
	direct := setup(t)
	var database string
	if err := direct.Pool().QueryRow(t.Context(), "SELECT current_database()").Scan(&database); err != nil {
		t.Fatal(err)
	}
	role := "plain_" + database
	if _, err := direct.Pool().Exec(t.Context(), "CREATE ROLE "+role+" LOGIN NOINHERIT"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := direct.Pool().Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	if _, err := direct.Pool().Exec(t.Context(), "GRANT tracker_user, tracker_teacher, tracker_system TO "+role); err != nil {
		t.Fatal(err)
	}
	// Same session rights as a login of that role, whatever the server's pg_hba.
	separator := "?"
	if strings.Contains(direct.URL(), "?") {
		separator = "&"
	}
	address := direct.URL() + separator + "options=" + strings.ReplaceAll(url.QueryEscape("-c role="+role), "+", "%20")
	_, err := postgres.Open(t.Context(), postgres.Config{URL: address, Pooler: postgres.TransactionPooler})
	if err == nil || !strings.Contains(err.Error(), "ALTER ROLE "+role+" INHERIT") {
		t.Errorf("got %v", err)
	}
}
