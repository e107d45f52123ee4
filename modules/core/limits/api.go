package limits

import (
	"context"
	"strconv"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

// The limits of the API, as metrics and errors name them.
const (
	Requests    = "requests"
	Submissions = "submissions"
	Searches    = "searches"
	Agents      = "agents"
)

// reason is what all refusals say to programs.
const reason = "rate_limited"

// What people read who are too fast: how much there may be, and how long to wait.
var (
	ErrTooManyRequests = errs.Define(errs.ResourceExhausted, reason,
		"You sent too many requests: at most %d at once and then %s a second. Wait %d s, then go on; nothing was lost.",
		"Has enviado demasiadas peticiones: como mucho %d de golpe y después %s por segundo. Espera %d s y continúa; no se ha perdido nada.")
	ErrTooManySubmissions = errs.Define(errs.ResourceExhausted, reason,
		"You submitted too often: at most %d times at once and then %s times a second. Wait %d s, then submit again.",
		"Has hecho demasiadas entregas: como mucho %d de golpe y después %s por segundo. Espera %d s y vuelve a entregar.")
	ErrTooManySearches = errs.Define(errs.ResourceExhausted, reason,
		"You searched too often: at most %d times at once and then %s times a second. Wait %d s, then search again.",
		"Has hecho demasiadas búsquedas: como mucho %d de golpe y después %s por segundo. Espera %d s y vuelve a buscar.")
	ErrTooManyAgents = errs.Define(errs.ResourceExhausted, reason,
		"You asked the agents too often: at most %d times at once and then %s times a second. Wait %d s, then ask again.",
		"Has pedido demasiado a los agentes: como mucho %d veces de golpe y después %s por segundo. Espera %d s y vuelve a pedirlo.")
)

// API holds people to the limits of the API.
type API struct {
	limiter *Limiter
	all     rule
	dear    map[string]rule // by procedure
}

// rule is a limit with what it says.
type rule struct {
	limit   string
	bound   Bound
	refusal *errs.Kind
}

// NewAPI makes it; dear are the procedures that cost more than a request, each
// with its limit: Submissions, Searches or Agents.
func NewAPI(limiter *Limiter, cfg Config, dear map[string]string) *API {
	rules := map[string]rule{
		Submissions: {Submissions, Bound{cfg.SubmissionRate, cfg.SubmissionBurst}, ErrTooManySubmissions},
		Searches:    {Searches, Bound{cfg.SearchRate, cfg.SearchBurst}, ErrTooManySearches},
		Agents:      {Agents, Bound{cfg.AgentRate, cfg.AgentBurst}, ErrTooManyAgents},
	}
	a := &API{limiter: limiter, all: rule{Requests, Bound{cfg.Rate, cfg.Burst}, ErrTooManyRequests}, dear: map[string]rule{}}
	for procedure, limit := range dear {
		a.dear[procedure] = rules[limit]
	}
	return a
}

// Admit refuses a call of somebody who makes too many. The server itself may do
// what it likes; so may nobody, whom others refuse.
func (a *API) Admit(ctx context.Context, actor auth.Actor, procedure string) error {
	if actor.IsSystem() || actor.UserID == "" {
		return nil
	}
	if err := a.hold(ctx, actor.UserID, a.all); err != nil {
		return err
	}
	if dear, ok := a.dear[procedure]; ok {
		return a.hold(ctx, actor.UserID, dear)
	}
	return nil
}

func (a *API) hold(ctx context.Context, person string, r rule) error {
	wait := a.limiter.Take(ctx, r.limit, person, r.bound)
	if wait <= 0 {
		return nil
	}
	seconds := (wait + time.Second - 1) / time.Second
	rate := strconv.FormatFloat(r.bound.Rate, 'g', -1, 64)
	return r.refusal.New(r.bound.Burst, rate, int64(seconds)).After(wait).
		WithDetail("limit", r.limit).WithDetail("burst", strconv.Itoa(r.bound.Burst)).WithDetail("rate", rate).
		WithDetail("retry_after_ms", strconv.FormatInt(wait.Milliseconds()+1, 10)) // sockets have no headers
}
