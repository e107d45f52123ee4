package realtimefx

import (
	"strconv"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
)

// measure shows how many screens are open, and counts those that the server
// ended, by close code; it does nothing without a registry.
func measure(h *hub.Hub, registry *prometheus.Registry) func(websocket.StatusCode) {
	if registry == nil {
		return nil
	}
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tracker_realtime_closed_total", Help: "WebSockets that the server closed, by close code.",
	}, []string{"code"})
	registry.MustRegister(ended, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tracker_realtime_connections", Help: "Open WebSockets and Watch streams of this replica.",
	}, func() float64 { return float64(h.Open()) }))
	return func(code websocket.StatusCode) { ended.WithLabelValues(strconv.Itoa(int(code))).Inc() }
}
