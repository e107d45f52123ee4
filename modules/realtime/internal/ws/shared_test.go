package ws_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// delayed is how often a limit made somebody wait at a replica.
func delayed(t *testing.T, metrics *prometheus.Registry, limit string) (n float64) {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if family.GetName() == "tracker_limits_refused_total" && label.GetValue() == limit {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return n
}

func awaitDelay(t *testing.T, metrics *prometheus.Registry, limit string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if delayed(t, metrics, limit) > 0 {
			return
		}
	}
	t.Fatalf("%s held nobody up", limit)
}

func TestAPersonsConnectionsAreCountedOverAllReplicas(t *testing.T) {
	db := postgrestest.DB(t)
	few := func(o *options) { o.MaxConnections = 3 }
	one, two := start(t, db, few), start(t, db, few)
	first := dial(t, one, "/ws", "ada", time.Hour)
	dial(t, one, "/ws", "ada", time.Hour)
	dial(t, two, "/ws", "ada", time.Hour)
	for name, r := range map[string]*replica{"one": one, "two": two} {
		if _, answer, err := open(t, r, "/ws?token="+token(t, "ada", time.Hour), nil); err == nil || answer.status != http.StatusTooManyRequests {
			t.Errorf("a fourth connection at %s: %v, %d", name, err, answer.status)
		}
	}
	dial(t, two, "/ws", "eve", time.Hour) // nobody else's
	if err := first.conn.CloseNow(); err != nil {
		t.Fatal(err)
	}
	join := func(r *replica) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			_, answer, err := open(t, r, "/ws?token="+token(t, "ada", time.Hour), nil)
			if err == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the place of a closed connection is not given again: %v, %d", err, answer.status)
			}
		}
	}
	join(two)
	one.kill() // its people go to the other
	join(two)
}

func TestAPersonsMessagesAreCountedOverAllConnectionsAndReplicas(t *testing.T) {
	db := postgrestest.DB(t)
	slow := func(o *options) { o.Rate, o.Burst = 0.001, 6 }
	one, two := start(t, db, slow), start(t, db, slow)
	here, there := dial(t, one, "/ws", "ada", time.Hour), dial(t, two, "/ws", "ada", time.Hour)
	for range 3 {
		for _, c := range []*client{here, there} {
			c.send("ping", "", nil)
			c.next("pong")
		}
	}
	if delayed(t, one.metrics, "messages")+delayed(t, two.metrics, "messages") > 0 {
		t.Error("who is not too fast was held up")
	}
	eve := dial(t, two, "/ws", "eve", time.Hour)
	here.send("ping", "", nil)
	there.send("ping", "", nil)
	awaitDelay(t, one.metrics, "messages")
	awaitDelay(t, two.metrics, "messages")
	for range 6 {
		eve.send("ping", "", nil)
		eve.next("pong")
	}
}
