package auth

import "github.com/goals-tracker/tracker/modules/core/errs"

// What can be wrong with a token. No text repeats any of it.
var (
	// ErrNoToken: the request carries none.
	ErrNoToken = errs.Define(errs.Unauthenticated, "token_missing",
		"Sign in first: send the header Authorization: Bearer <token>.",
		"Inicia sesión primero: envía la cabecera Authorization: Bearer <token>.")
	// ErrMalformed: it is not a JWT, or is longer than MaxToken.
	ErrMalformed = errs.Define(errs.Unauthenticated, "token_malformed",
		"The token is not a readable JWT. Sign in again.",
		"El token no es un JWT legible. Vuelve a iniciar sesión.")
	// ErrAlgorithm: it is signed in another way than this server accepts.
	ErrAlgorithm = errs.Define(errs.Unauthenticated, "token_algorithm",
		"The token is signed with an algorithm that is not accepted here; %s is. Sign in again.",
		"El token está firmado con un algoritmo que aquí no se acepta; se acepta %s. Vuelve a iniciar sesión.")
	// ErrSignature: the signature does not fit any known key.
	ErrSignature = errs.Define(errs.Unauthenticated, "token_signature",
		"The token's signature does not fit. Sign in again; if that doesn't help, the SECRET_KEY here differs from the academy's.",
		"La firma del token no es válida. Vuelve a iniciar sesión; si no ayuda, la SECRET_KEY de aquí no es la de la academia.")
	// ErrExpired: its time is over.
	ErrExpired = errs.Define(errs.Unauthenticated, "token_expired",
		"The token has expired. Refresh it or sign in again.",
		"El token ha caducado. Renuévalo o vuelve a iniciar sesión.")
	// ErrNotYet: its time has not come; most often a clock is wrong.
	ErrNotYet = errs.Define(errs.Unauthenticated, "token_not_yet_valid",
		"The token is not valid yet. Check the clocks of this server and of the academy.",
		"El token aún no es válido. Comprueba los relojes de este servidor y de la academia.")
	// ErrClaim: a claim is missing or can't be used.
	ErrClaim = errs.Define(errs.Unauthenticated, "token_claim",
		"The token's claim %s is missing or can't be used. Ask who runs the academy.",
		"El campo %s del token falta o no sirve. Consulta a quien administra la academia.")
	// ErrRefused: the academy, which was asked, does not take the token.
	ErrRefused = errs.Define(errs.Unauthenticated, "token_refused",
		"The academy does not accept this token. Sign in again.",
		"La academia no acepta este token. Vuelve a iniciar sesión.")
	// ErrRevoked: the account was deleted; what is left of it is being erased.
	ErrRevoked = errs.Define(errs.Unauthenticated, "token_revoked",
		"This account was deleted, so its tokens hold no longer.",
		"Esta cuenta se ha eliminado, así que sus tokens ya no son válidos.")
)
