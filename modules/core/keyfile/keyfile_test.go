package keyfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/keyfile"
)

func load(t *testing.T, path string) []byte {
	t.Helper()
	key, err := keyfile.Load("rag.key_file", path)
	if err != nil {
		t.Fatal(err)
	}
	if len(key) != keyfile.Size {
		t.Fatalf("a key of %d bytes", len(key))
	}
	return key
}

func TestAKeyIsMadeOnceAndReadFromThenOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "rag.key")
	key := load(t, path)
	if !bytes.Equal(key, load(t, path)) {
		t.Error("the second reading gave another key")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}

func TestServersThatMakeAKeyAtOnceGetTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rag.key")
	keys := make([][]byte, 16)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() { keys[i], _ = keyfile.Load("rag.key_file", path) })
	}
	all.Wait()
	for _, key := range keys {
		if len(key) != keyfile.Size || !bytes.Equal(key, keys[0]) {
			t.Fatalf("%x and %x", key, keys[0])
		}
	}
}

func TestWithoutAFileEachKeyIsANewOne(t *testing.T) {
	if bytes.Equal(load(t, ""), load(t, "")) {
		t.Error("the same key twice")
	}
}

func TestAKeyThatIsTooShortIsNamedAndLeftAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rag.key")
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := keyfile.Load("rag.key_file", path)
	if err == nil || !strings.Contains(err.Error(), "rag.key_file: "+path+" holds 5 bytes") || strings.Contains(err.Error(), "short") {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadFile(path); err != nil || string(left) != "short" {
		t.Errorf("%q, %v", left, err)
	}
}
