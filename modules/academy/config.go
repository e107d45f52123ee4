package academy

import (
	"time"

	"github.com/goals-tracker/tracker/modules/core/config"
)

// Policy says who may name a course in a goal.
type Policy string

// The policies.
const (
	// Open lets everybody name any course.
	Open Policy = "open"
	// Claims takes the token's course_ids, and asks the academy about others
	// where one is configured. Its name in settings may be "claim" too.
	Claims Policy = "claims"
	// Ask always asks the academy.
	Ask Policy = "academy"
)

// Config is how to reach the academy.
type Config struct {
	// URL is the academy's base: "http://127.0.0.1:8001". Empty means that there
	// is none: names and titles stay unknown, everything else works.
	URL string `koanf:"url" env:"USER_SERVICE_URL"`
	// Key is sent as bearer token on lookups.
	Key config.Secret `koanf:"service_key" env:"SERVICE_API_KEY"`
	// Timeout bounds one request. Defaults to 2 s.
	Timeout time.Duration `koanf:"timeout"`
	// Pause is how long an academy that fails again and again is left in peace.
	// Defaults to 5 s.
	Pause time.Duration `koanf:"pause"`
	// CacheLife is how long an answer is taken for fresh. For ten times as long it
	// is given while a new one is fetched. Defaults to 1 m.
	CacheLife time.Duration `koanf:"cache_life"`
	// StaleLife is how long an answer is kept for when the academy is down.
	// Defaults to 24 h.
	StaleLife time.Duration `koanf:"stale_life"`
	// Queue is the queue of the academy's events, where there is a RabbitMQ.
	// Defaults to tracker.academy.
	Queue string `koanf:"queue"`
	// AllowStandIn takes answers of the stand-in for development. It follows
	// server.dev and is no setting of its own.
	AllowStandIn bool `koanf:"-"`
	// CoursePolicy says who may put a goal on a course: open (anybody), claims (whom
	// the token's course_ids or the academy put there) or academy (whom the academy
	// does, whatever the token says). Defaults to claims.
	CoursePolicy Policy `koanf:"course_policy"`
}

// DefaultConfig are the defaults above.
func DefaultConfig() Config {
	return Config{
		Timeout: 2 * time.Second, Pause: 5 * time.Second, CacheLife: time.Minute, StaleLife: 24 * time.Hour,
		CoursePolicy: Claims, Queue: "tracker.academy",
	}
}
