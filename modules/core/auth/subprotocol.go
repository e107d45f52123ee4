package auth

import (
	"net/http"
	"strings"
)

// BearerProtocol is the WebSocket subprotocol that a token follows:
// "Sec-WebSocket-Protocol: goals.v1, bearer, <token>". Browsers can set no
// header of a WebSocket but this one.
const BearerProtocol = "bearer"

const protocolHeader = "Sec-Websocket-Protocol"

// elsewhere takes the token of a WebSocket out of the subprotocols and the
// query, so that neither is logged.
func elsewhere(r *http.Request) string {
	query := takeToken(r)
	if offered := takeProtocol(r); offered != "" {
		return offered
	}
	return query
}

// takeProtocol moves the token out of the subprotocols that a client offers, so
// that it is neither logged nor answered with.
func takeProtocol(r *http.Request) string {
	values := r.Header.Values(protocolHeader)
	if len(values) == 0 {
		return ""
	}
	var token string
	var rest []string
	offered := strings.Split(strings.Join(values, ","), ",")
	for i := 0; i < len(offered); i++ {
		name := strings.TrimSpace(offered[i])
		rest = append(rest, name)
		if strings.EqualFold(name, BearerProtocol) && i+1 < len(offered) {
			i++
			token = strings.TrimSpace(offered[i])
		}
	}
	r.Header.Set(protocolHeader, strings.Join(rest, ", "))
	return token
}
