package service

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// Erasure finds who disputed something by what the registry says of by_key.
func TestTheDigestOfWhoDisputesIsWhatThePrivacyRegistrySays(t *testing.T) {
	db, asked := postgrestest.DB(t), 0
	for _, table := range agents.Privacy.Tables {
		digest, ok := table.Digests["by_key"]
		if !ok {
			continue
		}
		for _, user := range []string{"teacher-0003", "ñandú <1>", `back\slash`} {
			r := agents.DisputeRequest{Kind: "feedback", OutputID: strings.ToUpper(uuid.NewString()), Part: "2"}
			var same bool
			err := db.Pool().QueryRow(t.Context(), `SELECT @key = `+digest+` FROM (SELECT @kind::text AS kind, @output::uuid AS output_id, @part::text AS part) d`,
				pgx.NamedArgs{"key": personKey(auth.Actor{UserID: user}, r), "kind": string(r.Kind), "output": r.OutputID, "part": r.Part, "subject": user}).Scan(&same)
			if err != nil || !same {
				t.Errorf("%s: %t, %v", user, same, err)
			}
			asked++
		}
	}
	if asked != 3 {
		t.Errorf("compared %d times", asked)
	}
}
