package errs

// Failures that more than one module answers with.
var (
	// StaleVersion: somebody changed the resource first. Details: version.
	StaleVersion = Define(Aborted, "stale_version",
		"It was changed meanwhile: you sent version %d, the current one is %d. Read it again and repeat the change.",
		"Ha cambiado mientras tanto: enviaste la versión %d y la actual es la %d. Vuelve a leerlo y repite el cambio.")
	// KeyReused: the same Idempotency-Key came with another request.
	KeyReused = Define(InvalidArgument, "idempotency_key_reused",
		"The Idempotency-Key %q was used for another request. Send a new key with a new request.",
		"La Idempotency-Key %q ya se usó para otra petición. Envía una clave nueva con cada petición nueva.")
	// BadKey: an Idempotency-Key that can't be taken.
	BadKey = Define(InvalidArgument, "idempotency_key_invalid",
		"An Idempotency-Key has 1 to 200 printable ASCII characters.",
		"Una Idempotency-Key tiene de 1 a 200 caracteres ASCII imprimibles.")
	// BadPageToken: a page token that this list did not give out.
	BadPageToken = Define(InvalidArgument, "page_token_invalid",
		"This page_token does not belong to this list. Start again without one.",
		"Este page_token no pertenece a esta lista. Empieza de nuevo sin él.")
	// BadInput: what is wrong stands in Fields.
	BadInput = Define(InvalidArgument, "invalid_input",
		"The request is not valid: %s",
		"La petición no es válida: %s")
	// NotSignedIn: no token, or one that does not hold.
	NotSignedIn = Define(Unauthenticated, "not_signed_in",
		"Sign in first: %s",
		"Inicia sesión primero: %s")
	// Forbidden: signed in, but not allowed.
	Forbidden = Define(PermissionDenied, "forbidden",
		"You may not do this: %s",
		"No puedes hacer esto: %s")
	// Busy: a part that is needed can't be reached now.
	Busy = Define(Unavailable, "unavailable",
		"%s can't be reached right now. Try again in a moment.",
		"%s no está disponible en este momento. Inténtalo de nuevo en un momento.")
)
