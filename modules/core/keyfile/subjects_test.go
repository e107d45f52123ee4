package keyfile_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/keyfile"
)

func TestEachPersonHasAKeyOfTheirOwnUntilItIsForgotten(t *testing.T) {
	dir := t.TempDir()
	keys, err := keyfile.NewSubjects("test", dir)
	if err != nil {
		t.Fatal(err)
	}
	key := func(k *keyfile.Subjects, id string) []byte {
		t.Helper()
		got, err := k.Key(id)
		if err != nil || len(got) != keyfile.Size {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		return got
	}
	ada, bob := key(keys, "lovelace"), key(keys, "turing")
	if bytes.Equal(ada, bob) {
		t.Error("two people share a key")
	}
	again, err := keyfile.NewSubjects("test", dir)
	if err != nil || !bytes.Equal(ada, key(again, "lovelace")) {
		t.Errorf("another server has another key: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), "lovelace") || strings.Contains(e.Name(), "turing") {
			t.Errorf("the file %s says whose it is", e.Name())
		}
	}
	for i, want := range []bool{true, false} {
		if had, err := keys.Forget("lovelace"); err != nil || had != want {
			t.Errorf("forgetting %d: %t, %v", i, had, err)
		}
	}
	if bytes.Equal(ada, key(again, "lovelace")) {
		t.Error("a forgotten key came back")
	}
	if !bytes.Equal(bob, key(keys, "turing")) {
		t.Error("another's key went along")
	}
}
