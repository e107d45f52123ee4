package postgres

import (
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Away reports whether an error says that the database can't be reached, or is
// starting or stopping, and not that it refused something.
func Away(err error) bool {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		// Connection exceptions, operator intervention, too little of a resource.
		for _, class := range []string{"08", "57P", "53"} {
			if strings.HasPrefix(server.Code, class) {
				return true
			}
		}
		return false
	}
	var dial *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &dial) || errors.As(err, &network) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}
