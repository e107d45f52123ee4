// Package cluster runs the PostgreSQL server that the tracker brings along for
// those who have none: it finds the installed programs, creates a data folder,
// starts the server on a unix socket only, keeps it running and stops it.
//
// One process owns the server of a folder and a flock says which. A process
// that comes second attaches; one that comes after a crash of the owner adopts
// the server that is still running, or starts it again.
//
// It knows nothing of what the databases hold: package migrate does that, and
// package postgres opens the pools.
package cluster
