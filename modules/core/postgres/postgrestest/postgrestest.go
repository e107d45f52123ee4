// Package postgrestest gives each database test a database of its own, with the
// current schema, in a fraction of a second. Tests run on a real PostgreSQL: the
// server named by TRACKER_TEST_DATABASE_URL (a superuser's URL), else one shared
// by all test processes of this user, started on demand and left running.
//
// The schema is migrated once per content of the migrations, into a template
// database that each test's is cloned from.
package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ServerVariable is the environment variable that names a PostgreSQL to test on.
const ServerVariable = "TRACKER_TEST_DATABASE_URL"

// URL returns the connection URL of a fresh, migrated database, which is dropped
// with all its connections when the test ends. The user is a superuser, as the
// reference's is. It fails the test when there is no server to be had.
func URL(t testing.TB) string {
	t.Helper()
	return create(t, true)
}

// Empty is URL without the migrations.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, false)
}

var counter atomic.Int64

func create(t testing.TB, migrated bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	server, err := serverURL(ctx)
	if err != nil {
		t.Fatalf("postgrestest: %v", err)
	}
	// The time lets a later process tell what a killed one left behind.
	name := fmt.Sprintf("%s%d_%d_%d", databasePrefix, time.Now().Unix(), os.Getpid(), counter.Add(1))
	address, err := databaseURL(server, name)
	if err != nil {
		t.Fatalf("postgrestest: %v", err)
	}
	if migrated {
		err = clone(ctx, server, name)
	} else {
		err = withConn(ctx, server, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0")
			return err
		})
	}
	if err != nil {
		t.Fatalf("postgrestest: create database %s: %v", name, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := withConn(ctx, server, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			return err
		})
		if err != nil {
			t.Errorf("postgrestest: drop database %s: %v", name, err)
		}
	})
	return address
}

// databaseURL returns the server's URL with another database in it.
func databaseURL(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("%s must be a URL like postgresql://user@host:5432/postgres", ServerVariable)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// withConn runs fn on a connection of its own: a kept one would be a goroutine
// and a session that tests which count them would find.
func withConn(ctx context.Context, url string, fn func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return fn(conn)
}
