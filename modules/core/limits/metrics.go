package limits

import "github.com/prometheus/client_golang/prometheus"

// metrics show operators whom limits hold up.
type metrics struct{ refused *prometheus.CounterVec }

func newMetrics(registry prometheus.Registerer, l *Limiter) *metrics {
	m := &metrics{refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tracker_limits_refused_total", Help: "What was refused, or made to wait, by the limit on one person.",
	}, []string{"limit"})}
	if registry != nil {
		registry.MustRegister(m.refused, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tracker_limits_alone", Help: "1 while this replica counts by itself, because what the replicas share can't be reached.",
		}, func() float64 {
			if l.away.Load() != 0 {
				return 1
			}
			return 0
		}))
	}
	return m
}
