package erasure_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/erasure"
)

// An id is up to 36 characters of any script, and JSON writes some of them in
// two ways.
func TestAnOddIdIsErasedLikeAnyOtherAndOnlyThatOne(t *testing.T) {
	b := setup(t)
	b.life(t, bob)
	theirs := b.rows(t)
	for _, id := range []string{strings.Repeat("ñ", 36), `<o'neil>&"co\d%_42`, "Learner-0002", "学习者-12345678", "auth0|5f7c(.*)+", "ana@academy.test"} {
		b.life(t, id)
		escaped, err := json.Marshal(map[string]string{"user_id": id}) // as Go writes it: \u003c
		if err != nil {
			t.Fatal(err)
		}
		b.exec(t, `INSERT INTO core.notices (channel, payload) VALUES ('screens', $1)`, string(escaped))
		b.exec(t, `INSERT INTO river.river_job (kind, max_attempts, args, state) VALUES ('x', 3, $1, 'available')`, string(escaped))
		r, _ := erase(t, b.erasure(t, nil), id)
		if diff := cmp.Diff(theirs, b.rows(t)); diff != "" {
			t.Errorf("%s: what is left is not what others have:\n%s", id, diff)
		}
		if !r.Complete || len(r.Scan.Left) > 0 {
			t.Errorf("%s: %+v", id, r.Scan)
		}
		b.green(t)
	}
	for _, id := range []string{"", strings.Repeat("ñ", 37)} {
		if _, _, err := b.erasure(t, nil).Erase(t.Context(), id, "operator"); err == nil {
			t.Errorf("%q was taken", id)
		}
	}
}

func TestTheScanFindsAnIdHoweverJSONWritesIt(t *testing.T) {
	b := setup(t)
	const id = `<o'neil>&"co-42`
	b.exec(t, `CREATE TABLE core.forgotten (a jsonb, b json, c text, d bytea, e jsonb[], f xml)`)
	escaped, err := json.Marshal(id)
	if err != nil {
		t.Fatal(err)
	}
	b.exec(t, `INSERT INTO core.forgotten SELECT j::jsonb, j::json, j, convert_to(j, 'UTF8'), ARRAY[j::jsonb], NULL FROM (SELECT '{"who":[' || $1 || ']}') s(j)`, string(escaped))
	b.exec(t, `GRANT SELECT ON core.forgotten TO tracker_system`)
	r, _ := erase(t, b.erasure(t, nil), id)
	var where []string
	for _, l := range r.Scan.Left {
		where = append(where, l.Column)
	}
	if diff := cmp.Diff([]string{"core.forgotten.a", "core.forgotten.b", "core.forgotten.c", "core.forgotten.d", "core.forgotten.e"}, where); diff != "" {
		t.Error(diff)
	}
}

// A job's errors are texts of programs, in an array of JSON.
func TestJobsGoAlsoWhileTheyRunAndWhenOnlyTheirErrorsNameThePerson(t *testing.T) {
	b := setup(t)
	b.life(t, bob)
	theirs := b.rows(t)
	s := b.happens(t, ada, ada, 1)
	for _, row := range []string{
		fmt.Sprintf(`('x', 3, '{"goal":%q}', 'running', '{}')`, s.ID),
		`('x', 3, '{"who":"learner-0001"}', 'running', '{}')`,
		`('x', 3, '{}', 'retryable', ARRAY['{"error":"write for learner-0001: no"}'::jsonb])`,
		`('x', 3, '{}', 'running', ARRAY['{"error":"learner-0001"}'::jsonb])`,
	} {
		b.exec(t, `INSERT INTO river.river_job (kind, max_attempts, args, state, errors) VALUES `+row)
	}
	r, _ := erase(t, b.erasure(t, nil), ada)
	if diff := cmp.Diff(theirs, b.rows(t)); diff != "" {
		t.Errorf("what is left is not what others have:\n%s", diff)
	}
	if c := r.Tables["river.river_job"]; !r.Complete || c.Erased != 4 {
		t.Errorf("%+v, %+v", c, r.Scan)
	}
}

// What is half erased is no damage: no step of an erasure turns verify red, and
// others go on writing meanwhile.
func TestVerifyIsGreenBetweenAnyTwoStepsOfAnErasure(t *testing.T) {
	b := setup(t)
	b.notes(t)
	for range 3 {
		b.note(t, ada, 7)
		b.note(t, bob, 2)
	}
	erasure.SmallBatches(t, 4) // streams of 7 events are cut
	steps := 0
	e := b.erasure(t, func(step string) error {
		steps++
		b.note(t, bob, 1)
		report, err := b.log.Verify(t.Context(), events.VerifyOptions{})
		if err != nil || !report.OK() {
			t.Errorf("before %s: %v, %v", step, report.Differences, err)
		}
		if _, err := b.log.Rebuild(t.Context()); err != nil {
			t.Errorf("before %s: rebuild: %v", step, err)
		}
		return nil
	})
	r, _ := erase(t, e, ada)
	if !r.Complete || r.Tables["events.events"].Erased != 21 || r.Tables["notes.notes"].Erased != 3 || steps < 20 {
		t.Errorf("%d steps, %+v", steps, r)
	}
	if n := b.count(t, "notes.notes WHERE user_id = $1", bob); n != 3+steps {
		t.Errorf("another has %d notes, want %d", n, 3+steps)
	}
	b.green(t)
	// Damage is still found, of who isn't being erased.
	b.exec(t, `UPDATE notes.notes SET title = 'other' WHERE id = (SELECT id FROM notes.notes LIMIT 1)`)
	if report, err := b.log.Verify(t.Context(), events.VerifyOptions{}); err != nil || len(report.Differences) != 1 {
		t.Errorf("damage: %v, %v", report.Differences, err)
	}
}

func TestErasedAgainAfterARestoreBothReceiptsAreKept(t *testing.T) {
	b := setup(t)
	b.life(t, ada)
	first, file := erase(t, b.erasure(t, nil), ada)
	b.happens(t, ada, ada, 2) // part of the data came back, the tombstones are as they were
	again := b.erasure(t, nil)
	if n, err := again.Replay(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d people, %v", n, err)
	}
	second, other, err := again.Finish(t.Context(), ada)
	if err != nil || second.ID == first.ID || file == other || second.Tables["events.events"].Erased != 2 {
		t.Fatalf("%s and %s: %+v, %v", file, other, second, err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := erasure.Verify(content, again.PublicKey()); err != nil || r.Tables["events.events"].Erased != 5 {
		t.Errorf("the first receipt says %+v, %v", r.Tables["events.events"], err)
	}
}

// away is a memory that can't be reached until it is back.
type away struct {
	back    bool
	refused []string
}

func (a *away) Refuse(_ context.Context, subject string, _ time.Duration) {
	if a.back {
		a.refused = append(a.refused, subject)
	}
}

func (a *away) Check(context.Context) error {
	if !a.back {
		return errors.New("redis is away")
	}
	return nil
}

func TestNoReceiptIsSignedBeforeRedisHasHeard(t *testing.T) {
	b, redis := setup(t), &away{}
	b.memory = redis
	b.life(t, ada)
	e := b.erasure(t, nil)
	if _, _, err := e.Erase(t.Context(), ada, "operator"); err == nil || !strings.Contains(err.Error(), "redis is away") {
		t.Fatalf("%v", err)
	}
	if !e.Erased(ada) || b.count(t, `events.events WHERE subject_id = $1`, ada) > 0 || b.count(t, `events.erasures WHERE state = 'running' AND problem LIKE '%redis is away'`) != 1 {
		t.Error("the rest was not done, or nobody is told why it waits")
	}
	redis.back = true
	b.exec(t, `UPDATE events.erasures SET leased_until = '-infinity'`) // as time does
	if r, _, err := b.erasure(t, nil).Erase(t.Context(), ada, "operator"); err != nil || !r.Complete || !slices.Contains(redis.refused, ada) {
		t.Errorf("%+v, %v, refused %v", r, err, redis.refused)
	}
}

// Whoever has no program of ours proves a receipt with OpenSSL, as configs/README
// says.
func TestOpenSSLProvesAReceipt(t *testing.T) {
	b := setup(t)
	b.life(t, ada)
	_, file := erase(t, b.erasure(t, nil), ada)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var signed struct {
		Receipt   json.RawMessage `json:"receipt"`
		PublicKey []byte          `json:"public_key"`
		Signature []byte          `json:"signature"`
	}
	if err := json.Unmarshal(content, &signed); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer // what jq -cj .receipt prints
	if err := json.Compact(&said, signed.Receipt); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	prove := func(receipt []byte) error {
		for name, content := range map[string][]byte{
			"receipt": receipt, "signature": signed.Signature, "key": append([]byte("\060\052\060\005\006\003\053\145\160\003\041\000"), signed.PublicKey...),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin", "-in", "receipt", "-sigfile", "signature")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		return err
	}
	if err := prove(said.Bytes()); err != nil {
		t.Error(err)
	}
	if err := prove(bytes.Replace(said.Bytes(), []byte("operator"), []byte("academy"), 1)); err == nil {
		t.Error("a changed one was proven")
	}
}

// Who said something of another's may stand there as a digest, which anybody who
// has their id can make again.
func TestADigestOfThePersonGoesFromOthersRows(t *testing.T) {
	b := setup(t)
	b.notes(t)
	b.more.Tables[0].Digests = map[string]string{"title": "encode(sha256(convert_to(id || '%' || @subject::text, 'UTF8')), 'hex')"}
	for _, user := range []string{bob, bob, tim} {
		b.note(t, user, 1)
	}
	b.exec(t, `UPDATE notes.notes SET title = encode(sha256(convert_to(id || '%' || $1, 'UTF8')), 'hex')`, tim)
	b.exec(t, `INSERT INTO notes.notes SELECT id, $1, encode(sha256(convert_to(id || '%' || $1, 'UTF8')), 'hex'), 1 FROM gen_random_uuid() id`, bob)
	r, _ := erase(t, b.erasure(t, nil), tim)
	if c := r.Tables["notes.notes"]; c.Erased != 1 || c.Replaced != 2 {
		t.Errorf("%+v", c)
	}
	if n := b.count(t, `notes.notes WHERE title = encode(sha256(convert_to(id || '%' || $1, 'UTF8')), 'hex')`, tim); n != 0 {
		t.Errorf("%d digests are left", n)
	}
	if n := b.count(t, `(SELECT DISTINCT title FROM notes.notes WHERE title LIKE 'erased:%') t`); n != 2 {
		t.Errorf("%d of others' rows have a value of their own, want 2", n)
	}
	if n := b.count(t, `notes.notes WHERE title = encode(sha256(convert_to(id || '%' || $1, 'UTF8')), 'hex')`, bob); n != 1 {
		t.Errorf("%d digests of another, want 1", n)
	}
}
