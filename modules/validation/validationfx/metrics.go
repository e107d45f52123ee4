package validationfx

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/goals-tracker/tracker/modules/validation"
)

// metrics count verdicts and where their time went.
type metrics struct {
	verdicts *prometheus.CounterVec
	problems *prometheus.CounterVec
	latency  *prometheus.HistogramVec
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tracker_validation_verdicts_total", Help: "Runs that got a verdict.",
		}, []string{"plugin", "verdict", "reason"}),
		problems: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tracker_validation_task_problems_total", Help: "Runs that the task's own tests kept from being judged as they should.",
		}, []string{"plugin"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tracker_validation_latency_seconds", Help: "Where the time between submission and verdict went, by part.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}, []string{"plugin", "part", "path"}),
	}
	registry.MustRegister(m.verdicts, m.problems, m.latency)
	return m
}

// Judged implements work.Metrics.
func (m *metrics) Judged(r validation.Report, reason validation.Reason) {
	m.verdicts.WithLabelValues(r.Plugin, string(r.Verdict), string(reason)).Inc()
	if r.Problem != "" {
		m.problems.WithLabelValues(r.Plugin).Inc()
	}
	t := r.Timings
	m.latency.WithLabelValues(r.Plugin, "queue", t.Path).Observe(t.Queue.Seconds())
	if t.Path == "" {
		return // nothing ran
	}
	m.latency.WithLabelValues(r.Plugin, "prepare", t.Path).Observe(t.Prepare.Seconds())
	m.latency.WithLabelValues(r.Plugin, "run", t.Path).Observe(t.Run.Seconds())
	m.latency.WithLabelValues(r.Plugin, "judge", t.Path).Observe(t.Judge.Seconds())
}
