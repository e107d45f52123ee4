package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func TestAWebhooksSecretIsToldOnceAndIsInNoIdempotencyRow(t *testing.T) {
	w := startWorld(t)
	teacher := w.as("tess", "teacher", course)
	told := func(path, key string, body map[string]any) (secret string, r response) {
		t.Helper()
		r = teacher.send(http.MethodPost, path, body, "Idempotency-Key", key)
		if r.status/100 != 2 {
			t.Fatalf("%s: %d %s", path, r.status, r.body)
		}
		secret, _ = r.field("secret").(string)
		return secret, r
	}
	hook := map[string]any{"course_id": course, "url": "https://example.org/hook", "types": []string{"user.erased"}}
	first, made := told("/api/v1/webhooks", "one", hook)
	id := made.field("webhook").(map[string]any)["id"].(string)
	second, _ := told("/api/v1/webhooks/"+id+":rotate", "two", map[string]any{})
	for key, path := range map[string]string{"one": "/api/v1/webhooks", "two": "/api/v1/webhooks/" + id + ":rotate"} {
		body := hook
		if key == "two" {
			body = map[string]any{}
		}
		again, r := told(path, key, body)
		if again != "" || r.field("webhook").(map[string]any)["id"] != id {
			t.Errorf("repeated, %s says %s", path, r.body)
		}
	}
	rows, err := w.db.Pool().Query(t.Context(), `SELECT reply FROM core.idempotency_keys WHERE key IN ('one', 'two')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for ; rows.Next(); seen++ {
		var reply []byte
		if err := rows.Scan(&reply); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{first, second} {
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
			if err != nil || len(raw) != 32 {
				t.Fatalf("the secret is %q: %v", secret, err)
			}
			if bytes.Contains(reply, []byte(secret)) || bytes.Contains(reply, raw) {
				t.Error("a secret stands in the idempotency row")
			}
		}
	}
	if err := rows.Err(); err != nil || seen != 2 {
		t.Errorf("%d rows: %v", seen, err)
	}
}
