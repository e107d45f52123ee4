// Package rpc is the edge: it mounts the modules' Connect services on one HTTP
// server, gives them REST at /api/v1 by transcoding, and does once what every
// call needs: request ids, sign-in, limits, validation, idempotency, errors in
// English and Spanish, CORS, health, reflection, OpenAPI.
//
// Handlers convert and return *errs.Error as it is; what that looks like on
// Connect, gRPC and REST is decided here. Any other error is internal: the
// caller reads the request id, the log has the rest.
//
// Other faces (WebSocket, MCP) call procedures in process with Caller, through
// the same middleware. The package knows no module.
package rpc
