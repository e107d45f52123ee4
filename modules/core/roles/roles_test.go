package roles_test

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/roles"
)

func TestAReplicaHasTheRolesItIsGivenAndAllWhenItIsGivenNone(t *testing.T) {
	for _, c := range []struct {
		names []string
		is    string
	}{
		{nil, "api,worker,publisher"},
		{[]string{"worker"}, "worker"},
		{[]string{" publisher", "api", "api"}, "api,publisher"},
	} {
		set, err := roles.Parse(c.names)
		if err != nil || set.String() != c.is {
			t.Errorf("%q: got %q, %v, want %q", c.names, set, err, c.is)
		}
		for _, role := range roles.All() {
			if set.Has(role) != strings.Contains(c.is, string(role)) {
				t.Errorf("%q: has %s is %t", c.names, role, set.Has(role))
			}
		}
	}
	var zero roles.Set
	if !zero.Has(roles.API) || !zero.Has(roles.Worker) || !zero.Has(roles.Publisher) {
		t.Error("whoever is wired without roles does not run everything")
	}
	if only := roles.Only(roles.API); only.Has(roles.Worker) || !only.Has(roles.API) {
		t.Errorf("got %s", only)
	}
}

func TestAMisspeltRoleIsRefusedWithTheOnesThatExist(t *testing.T) {
	for _, names := range [][]string{{"wroker"}, {"api", ""}} {
		if _, err := roles.Parse(names); err == nil || !strings.Contains(err.Error(), "api, worker, publisher") {
			t.Errorf("%q: got %v", names, err)
		}
	}
}
