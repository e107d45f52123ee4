// Package roles says what a replica is for, so that parts that answer people and
// parts that work in the background can be scaled apart. A replica has all roles
// unless the settings say otherwise.
package roles

import (
	"fmt"
	"slices"
	"strings"
)

// Role is one thing that a replica may be for.
type Role string

const (
	// API serves the faces: REST, Connect, WebSocket, and what they ask of plugins.
	API Role = "api"
	// Worker runs jobs, subscriptions and the academy's events: it judges, runs
	// agents, embeds, watches folders and sweeps.
	Worker Role = "worker"
	// Publisher sends the log's events to RabbitMQ. Webhooks are jobs, so workers
	// call them.
	Publisher Role = "publisher"
)

// All are the roles there are.
func All() []Role { return []Role{API, Worker, Publisher} }

// Set is what one replica is for. The zero Set has every role, so that whoever
// is wired without one runs everything.
type Set struct{ only []Role }

// Only makes a set; without roles it has all.
func Only(roles ...Role) Set { return Set{only: slices.Clone(roles)} }

// Parse reads the names of roles; none means all.
func Parse(names []string) (Set, error) {
	var s Set
	for _, name := range names {
		role := Role(strings.TrimSpace(name))
		if !slices.Contains(All(), role) {
			return Set{}, fmt.Errorf("there is no role %q: use some of api, worker, publisher, separated by commas", name)
		}
		if !slices.Contains(s.only, role) {
			s.only = append(s.only, role)
		}
	}
	return s, nil
}

// Has reports whether the replica is for something.
func (s Set) Has(role Role) bool { return len(s.only) == 0 || slices.Contains(s.only, role) }

// String are the names, as they stand in the settings.
func (s Set) String() string {
	names := make([]string, 0, len(All()))
	for _, role := range All() {
		if s.Has(role) {
			names = append(names, string(role))
		}
	}
	return strings.Join(names, ",")
}
