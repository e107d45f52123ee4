package events

import "github.com/goals-tracker/tracker/modules/core/errs"

// ErrNotParked answers Resume or Skip of a stream that waits for nothing.
var ErrNotParked = errs.Define(errs.NotFound, "stream_not_parked",
	"Stream %s is not parked for the subscription %s.",
	"El flujo %s no está detenido para la suscripción %s.")
