// Package migrations holds the database schema as numbered SQL files, named
// NNNNN_<module>_<what>.sql and written for goose. Package
// modules/core/postgres/migrate applies them.
package migrations

import "embed"

// FS holds the SQL files.
//
//go:embed *.sql
var FS embed.FS
