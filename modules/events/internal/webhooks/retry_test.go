package webhooks

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfterIsReadInBothFormsAndBounded(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		status int
		header string
		want   time.Duration
	}{
		"seconds":                {http.StatusTooManyRequests, "90", 90 * time.Second},
		"a date":                 {http.StatusServiceUnavailable, "Fri, 02 Jan 2026 03:06:05 GMT", 2 * time.Minute},
		"a date that is past":    {http.StatusServiceUnavailable, "Fri, 02 Jan 2026 03:00:00 GMT", 0},
		"for years":              {http.StatusTooManyRequests, "999999999", longestWait},
		"a date of years":        {http.StatusTooManyRequests, "Fri, 02 Jan 2099 03:06:05 GMT", longestWait},
		"more than fits":         {http.StatusTooManyRequests, "99999999999999999999", 0},
		"less than nothing":      {http.StatusTooManyRequests, "-5", 0},
		"nonsense":               {http.StatusTooManyRequests, "soon", 0},
		"none":                   {http.StatusTooManyRequests, "", 0},
		"with an ordinary error": {http.StatusInternalServerError, "90", 0},
	} {
		r := &http.Response{StatusCode: c.status, Header: http.Header{"Retry-After": {c.header}}}
		if got := retryAfter(r, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
