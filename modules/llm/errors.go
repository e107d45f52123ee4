package llm

import "github.com/goals-tracker/tracker/modules/core/errs"

// What can go wrong with a call.
var (
	// ErrNoModel: no route of the purpose leads to a model that may be used.
	ErrNoModel = errs.Define(errs.FailedPrecondition, "no_model",
		"No language model is configured for %q. Enable an LLM plugin, or go on without one.",
		"No hay ningún modelo de lenguaje configurado para %q. Activa un plugin de LLM o continúa sin él.")
	// ErrOverBudget: the call would pass a daily cap. Details: cap.
	ErrOverBudget = errs.Define(errs.ResourceExhausted, "llm_budget_spent",
		"Today's budget for language models (%s) is spent. It starts anew at midnight UTC.",
		"El presupuesto de hoy para modelos de lenguaje (%s) está agotado. Se renueva a medianoche UTC.")
	// ErrUnavailable: no provider could answer.
	ErrUnavailable = errs.Define(errs.Unavailable, "llm_unavailable",
		"The language model can't be reached right now. Try again in a moment.",
		"Ahora no se puede acceder al modelo de lenguaje. Inténtalo de nuevo dentro de poco.")
	// ErrBadAnswer: the model's answer did not fit, not even after a repair.
	ErrBadAnswer = errs.Define(errs.Unavailable, "llm_bad_answer",
		"The language model gave an answer that can't be used. Try again.",
		"El modelo de lenguaje dio una respuesta que no se puede usar. Inténtalo de nuevo.")
	// ErrBadRequest: a request that no provider can answer.
	ErrBadRequest = errs.Define(errs.InvalidArgument, "llm_bad_request",
		"The request to the language model can't work: %s",
		"La petición al modelo de lenguaje no puede funcionar: %s")
)
