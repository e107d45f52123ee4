package main

import (
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

// externalID is a user's or a course's id as the academy gives them, on the
// command line.
type externalID string

// UnmarshalText refuses what no token could name.
func (id *externalID) UnmarshalText(text []byte) error {
	if !auth.UsableID(string(text)) {
		return fmt.Errorf("%q can't be an id: ids have 1 to 36 characters and no spaces", text)
	}
	*id = externalID(text)
	return nil
}
