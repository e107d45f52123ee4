// Package postgres is how modules reach the database: a pool, named
// statements, and the unit of work in which a mutation, its events, its jobs
// and its sealed reply commit together.
//
// Every statement runs under one of three database roles (user, teacher,
// system) with row-level security forced, so that a forgotten filter reads
// nothing. The login role may be a superuser: the role is set for every
// statement, and the server refuses to start where it can't be.
//
// It holds no module's SQL. The embedded server is in cluster, migrations are
// run by migrate, databases for tests come from postgrestest.
package postgres
