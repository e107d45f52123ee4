package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
)

// A learner whom the academy knows by name works with a real Redis and real
// files, and is erased while a submission of theirs is being judged.
func TestNothingOfAnErasedPersonIsLeftInRedisOrFilesNorComesBackByWorkUnderWay(t *testing.T) {
	const user, name, marker = "learner-ben", "Ben Carter", "zq81-marker"
	address, db := cachetest.URL(t), postgrestest.DB(t)
	temp, err := os.MkdirTemp("", "traces-") // short: plugins' sockets are below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	if err := os.Chmod(temp, 0o1777); err != nil { // plugins may have users of their own
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temp)
	cfg := testConfig(t)
	cfg.Redis.URL = config.Secret(address)
	cfg.Events.Erasure.Settle = 50 * time.Millisecond // less than the submission takes
	var erasure *eventsfx.Erasure
	var log *events.Log
	var here, there *cache.Cache
	one := startReplica(t, db, cfg, &erasure, &log, &here)
	two := startReplica(t, db, cfg, &there)
	me, redis := one.as(user, "student"), openRedis(t, address)
	if got := me.must(http.MethodGet, "/api/v1/me", nil).field("full_name"); got != name {
		t.Fatalf("the academy calls them %v", got)
	}
	two.as(user, "student").must(http.MethodGet, "/api/v1/me", nil)
	task := codeTask(me, marker)
	snapshot := submit(me, task, "# "+marker+"\n"+wrong)
	until(t, time.Minute, func() (any, bool) {
		v := me.must(http.MethodGet, "/api/v1/snapshots/"+snapshot, nil).field("verdict")
		return v, v == "failed"
	})
	if found := redis.with(name); len(found) == 0 {
		t.Fatal("the name was never in Redis")
	}
	submit(me, task, "# "+marker+"\n"+slow)
	until(t, time.Minute, func() (n int, judging bool) {
		n = countRows(t, db, `SELECT count(*) FROM validation.runs WHERE status = 'running'`)
		return n, n == 1
	})
	receipt, file, err := erasure.Erase(t.Context(), user, "operator")
	if err != nil || !receipt.Complete {
		t.Fatalf("%+v, %v", receipt.Scan, err)
	}
	// What ran goes on until it is done, and writes nothing.
	until(t, time.Minute, func() (n int, idle bool) {
		n = countRows(t, db, `SELECT count(*) FROM river.river_job WHERE state = 'running' AND kind = 'validation_ticket'`)
		return n, n == 0
	})
	for _, table := range personal.Tables {
		for _, text := range []string{user, name, marker} {
			if n := countRows(t, db, `SELECT count(*) FROM `+table.Name+` t WHERE strpos(t::text, '`+text+`') > 0`); n > 0 {
				t.Errorf("%s has %d rows with %s", table.Name, n, text)
			}
		}
	}
	if report, err := log.Verify(t.Context(), events.VerifyOptions{}); err != nil || !report.OK() {
		t.Errorf("verify: %v, %v", report.Differences, err)
	}

	// Redis: nothing is there, and nothing gets in any more.
	for _, text := range []string{user, name, marker} {
		if found := redis.with(text); len(found) > 0 {
			t.Errorf("Redis has %s in %v", text, found)
		}
	}
	for i, replica := range []*cache.Cache{here, there} {
		key := cache.Key{Space: "academy.user", Subject: user, Name: fmt.Sprint(i)}
		replica.Put(t.Context(), key, []byte(name), time.Hour)
		if value, kept := replica.Get(t.Context(), key); kept {
			t.Errorf("replica %d keeps %s", i, value)
		}
		other := cache.Key{Space: "academy.user", Subject: "learner-lucia", Name: fmt.Sprint(i)}
		replica.Put(t.Context(), other, []byte("Lucia"), time.Hour)
		if _, kept := replica.Get(t.Context(), other); !kept {
			t.Errorf("replica %d keeps nothing of others", i)
		}
	}
	if found := redis.with(name); len(found) > 0 {
		t.Errorf("a later fill is in %v", found)
	}
	// What limits count is under a digest, and ends by itself.
	for _, key := range redis.keys() {
		if life := redis.life(key); strings.HasPrefix(key, "tracker:") && (life < 0 || life > 25*time.Hour) {
			t.Errorf("%s lives for %s", key, life)
		}
	}

	// Files: of servers that run on, and of one that was told to stop.
	if found := filesWith(t, receipt.SubjectHash, cfg.DataDir); !slices.Contains(found, filepath.Join(cfg.DataDir, "erasure", "ledger.jsonl")) || !slices.Contains(found, file) {
		t.Errorf("files are not searched well: the hash is in %v", found)
	}
	for _, text := range []string{user, name, marker} {
		if found := filesWith(t, text, cfg.DataDir, temp); len(found) > 0 {
			t.Errorf("%s is in %v", text, found)
		}
	}
}

func countRows(t *testing.T, db *postgres.DB, sql string) (n int) {
	t.Helper()
	if err := db.Pool().QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// filesWith are the files below folders whose name or content has the text.
func filesWith(t *testing.T, text string, folders ...string) (found []string) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case os.IsNotExist(err):
				return nil // it was removed meanwhile
			case err != nil:
				return err
			case strings.Contains(entry.Name(), text):
				found = append(found, path)
			case entry.Type().IsRegular():
				content, err := os.ReadFile(path)
				if os.IsNotExist(err) {
					return nil
				}
				if err == nil && bytes.Contains(content, []byte(text)) {
					found = append(found, path)
				}
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// redisDump looks into a whole Redis database.
type redisDump struct {
	t      *testing.T
	client rueidis.Client
}

func openRedis(t *testing.T, address string) redisDump {
	t.Helper()
	return redisDump{t, cachetest.Client(t, address)}
}

func (r redisDump) keys() []string {
	r.t.Helper()
	keys, err := r.client.Do(context.Background(), r.client.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil {
		r.t.Fatal(err)
	}
	return keys
}

func (r redisDump) life(key string) time.Duration {
	r.t.Helper()
	ms, err := r.client.Do(context.Background(), r.client.B().Pttl().Key(key).Build()).AsInt64()
	if err != nil {
		r.t.Fatal(err)
	}
	if ms == -2 {
		return 0 // it has ended meanwhile
	}
	return time.Duration(ms) * time.Millisecond
}

// with are the keys whose name or value, of whatever kind, has the text.
func (r redisDump) with(text string) (found []string) {
	r.t.Helper()
	for _, key := range r.keys() {
		whole, err := r.client.Do(context.Background(), r.client.B().Dump().Key(key).Build()).ToString()
		if err != nil && !rueidis.IsRedisNil(err) {
			r.t.Fatal(err)
		}
		value, _ := r.client.Do(context.Background(), r.client.B().Get().Key(key).Build()).ToString() // DUMP may compress it
		if strings.Contains(key+whole+value, text) {
			found = append(found, key)
		}
	}
	return found
}
