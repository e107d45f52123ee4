package llm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Config is the section "llm".
type Config struct {
	// Routes names, for each purpose, "plugin/model" in the order in which they
	// are asked. A purpose without routes takes the first model that can do it
	// of each enabled LLM plugin, in the order of their names.
	Routes map[string][]string `koanf:"routes"`
	// Courses names routes for single courses by their id; what a course does not
	// name is as for all.
	Courses map[string]CourseConfig `koanf:"courses"`
	// AnswersKept is for how long an answer is given again to the same request of
	// the same learner; 0 keeps none. Defaults to 24h.
	AnswersKept time.Duration `koanf:"answers_kept"`
	// Timeout bounds one call of a provider. Defaults to 2m.
	Timeout time.Duration `koanf:"timeout"`
	// EmbedTimeout bounds one batch of texts. Defaults to 1m.
	EmbedTimeout time.Duration `koanf:"embed_timeout"`
	// MaxTokens bounds an answer. Defaults to 4096.
	MaxTokens int `koanf:"max_tokens"`
	// LearnerDaily, CourseDaily and TeamDaily cap what a learner, a course and
	// everybody together may spend in a day (UTC), in millionths of a US dollar.
	// 0 allows no paid call, -1 is no cap. They default to 500000 (0.50 USD), -1
	// and 20000000 (20 USD).
	LearnerDaily int64 `koanf:"learner_daily_micros" least:"-1"`
	CourseDaily  int64 `koanf:"course_daily_micros" least:"-1"`
	TeamDaily    int64 `koanf:"team_daily_micros" least:"-1"`
	// Prices come before the built-in table; the first that fits counts.
	Prices []Price `koanf:"prices"`
	// BreakerFailures in a row open a provider's breaker. Defaults to 5.
	BreakerFailures int `koanf:"breaker_failures"`
	// BreakerPause is how long it stays open. Defaults to 30s.
	BreakerPause time.Duration `koanf:"breaker_pause"`
}

// CourseConfig is one of the section "llm.courses".
type CourseConfig struct {
	Routes map[string][]string `koanf:"routes"`
}

// Price of a remote model, in millionths of a US dollar a million tokens.
type Price struct {
	// Provider is a plugin's name; empty means any.
	Provider string `koanf:"provider"`
	// Model is a name, or the beginning of one followed by '*'.
	Model  string `koanf:"model"`
	Input  int64  `koanf:"input_micros"`
	Output int64  `koanf:"output_micros"`
}

// PriceVersion names the built-in table; it is kept with each row of the ledger.
const PriceVersion = "2026-11"

// builtInPrices are list prices. A model that is not here costs what the
// dearest does, so that a cap stays a cap.
var builtInPrices = []Price{
	{Model: "gpt-4o-mini*", Input: 150_000, Output: 600_000},
	{Model: "gpt-4o*", Input: 2_500_000, Output: 10_000_000},
	{Model: "gpt-4.1-nano*", Input: 100_000, Output: 400_000},
	{Model: "gpt-4.1-mini*", Input: 400_000, Output: 1_600_000},
	{Model: "gpt-4.1*", Input: 2_000_000, Output: 8_000_000},
	{Model: "gpt-5-nano*", Input: 50_000, Output: 400_000},
	{Model: "gpt-5-mini*", Input: 250_000, Output: 2_000_000},
	{Model: "gpt-5*", Input: 1_250_000, Output: 10_000_000},
	{Model: "claude-haiku-4-5*", Input: 1_000_000, Output: 5_000_000},
	{Model: "claude-sonnet-4*", Input: 3_000_000, Output: 15_000_000},
	{Model: "claude-opus-4-5*", Input: 5_000_000, Output: 25_000_000},
	{Model: "text-embedding-3-small", Input: 20_000},
	{Model: "text-embedding-3-large", Input: 130_000},
	{Model: "text-embedding-ada-002", Input: 100_000},
	{Model: "*", Input: 15_000_000, Output: 75_000_000},
}

// DefaultConfig is the configuration when nothing is said.
func DefaultConfig() Config {
	return Config{
		AnswersKept: 24 * time.Hour,
		Timeout:     2 * time.Minute, EmbedTimeout: time.Minute, MaxTokens: 4096,
		LearnerDaily: 500_000, CourseDaily: -1, TeamDaily: 20_000_000,
		BreakerFailures: 5, BreakerPause: 30 * time.Second,
	}
}

// Validate says what is wrong, all of it at once.
func (c *Config) Validate() error {
	var errs []error
	errs = append(errs, checkRoutes("llm.routes", c.Routes)...)
	for id, course := range c.Courses {
		errs = append(errs, checkRoutes("llm.courses."+id+".routes", course.Routes)...)
	}
	if c.AnswersKept < 0 {
		errs = append(errs, errors.New("llm: answers_kept must not be negative"))
	}
	if c.Timeout <= 0 || c.EmbedTimeout <= 0 || c.BreakerPause <= 0 {
		errs = append(errs, errors.New("llm: timeout, embed_timeout and breaker_pause must be positive"))
	}
	if c.MaxTokens <= 0 || c.BreakerFailures <= 0 {
		errs = append(errs, errors.New("llm: max_tokens and breaker_failures must be positive"))
	}
	for i, p := range c.Prices {
		if p.Model == "" || p.Input < 0 || p.Output < 0 {
			errs = append(errs, fmt.Errorf("llm.prices[%d]: give a model, and prices of 0 or more", i))
		}
	}
	return errors.Join(errs...)
}

func checkRoutes(key string, all map[string][]string) (errs []error) {
	for purpose, routes := range all {
		if !slices.Contains(Purposes, Purpose(purpose)) {
			errs = append(errs, fmt.Errorf("%s.%s: no such purpose; there are %v", key, purpose, Purposes))
		}
		for _, r := range routes {
			if provider, model, ok := strings.Cut(r, "/"); !ok || provider == "" || model == "" {
				errs = append(errs, fmt.Errorf("%s.%s: %q must be \"plugin/model\"", key, purpose, r))
			}
		}
	}
	return errs
}

// RoutesOf are the routes of a purpose for a course, "" for none; ok is false
// where nothing is configured.
func (c *Config) RoutesOf(purpose Purpose, courseID string) (routes []string, ok bool) {
	if routes, ok = c.Courses[courseID].Routes[string(purpose)]; ok {
		return routes, true
	}
	routes, ok = c.Routes[string(purpose)]
	return routes, ok
}

// Price is what a remote model costs.
func (c *Config) Price(provider, model string) Price {
	for _, p := range slices.Concat(c.Prices, builtInPrices) {
		prefix, open := strings.CutSuffix(p.Model, "*")
		fits := model == p.Model || open && strings.HasPrefix(model, prefix)
		if fits && (p.Provider == "" || p.Provider == provider) {
			return p
		}
	}
	return builtInPrices[len(builtInPrices)-1]
}

// Cost is what tokens cost at this price, rounded up to a millionth of a dollar.
func (p Price) Cost(input, output int) int64 {
	const million = 1_000_000
	return (int64(input)*p.Input + int64(output)*p.Output + million - 1) / million
}
