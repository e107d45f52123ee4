package academyfx

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
)

// metrics count the academy's messages.
type metrics struct{ messages *prometheus.CounterVec }

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{messages: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tracker_academy_events_total",
		Help: "Events of the academy, by what became of them: taken, duplicate, stale, unknown, erased, malformed.",
	}, []string{"type", "outcome"})}
	registry.MustRegister(m.messages)
	return m
}

// Message implements inbox.Metrics.
func (m *metrics) Message(eventType string, outcome inbox.Outcome) {
	m.messages.WithLabelValues(eventType, string(outcome)).Inc()
}
