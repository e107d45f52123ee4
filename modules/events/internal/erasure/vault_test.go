package erasure_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/goals-tracker/tracker/modules/events/internal/erasure"
)

// An operator's command runs as root, the server as somebody else: what the one
// leaves in the folder the other must be able to go on with.
func TestWhatRootLeavesInTheFolderBelongsToItsOwner(t *testing.T) {
	server := 65534
	if os.Geteuid() != 0 {
		server = os.Geteuid() // where nobody is root, it is one and the same
	}
	b := setup(t)
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(b.dir, server, server); err != nil {
		t.Fatal(err)
	}
	b.dir = filepath.Join(b.dir, "erasure")
	b.keys = nil
	_, file := erase(t, b.erasure(t, nil), ada)
	for _, path := range []string{b.dir, b.dir + "/erasure.key", b.dir + "/receipt.key", b.dir + "/ledger.jsonl", b.dir + "/receipts", file} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != server || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is of %d, %s", path, owner, info.Mode())
		}
	}
}

// A command with another data folder, or a replica that doesn't share the folder,
// must not set tombstones that the servers can't read.
func TestAProcessWithAnotherFolderErasesNobodyAndDoesNotGoOnServing(t *testing.T) {
	b := setup(t)
	b.life(t, ada)
	server := b.erasure(t, nil)
	if err := server.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	shared := b.dir
	b.dir = t.TempDir()
	stranger := b.erasure(t, nil)
	if _, _, err := stranger.Erase(t.Context(), ada, "operator"); !errors.Is(err, erasure.ErrOtherFolder) {
		t.Errorf("erased: %v", err)
	}
	if n := b.count(t, "events.erasures"); n != 0 || stranger.Erased(ada) {
		t.Errorf("%d tombstones", n)
	}
	if line, err := os.ReadFile(b.dir + "/ledger.jsonl"); err != nil || len(line) > 0 {
		t.Errorf("its ledger has %s, %v", line, err)
	}
	// Both serve: the first erasure ends the one that can't know of it.
	ended := make(chan error, 1)
	go func() { ended <- stranger.Run(t.Context(), true) }()
	b.dir = shared
	erase(t, server, ada)
	if err := <-ended; !errors.Is(err, erasure.ErrOtherFolder) {
		t.Errorf("it ended with %v", err)
	}
	if err := stranger.Register(t.Context()); !errors.Is(err, erasure.ErrOtherFolder) {
		t.Errorf("it starts: %v", err)
	}
	// Before anybody is erased, a lost folder is no disaster.
	b = setup(t)
	if err := b.erasure(t, nil).Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.dir = t.TempDir()
	anew := b.erasure(t, nil)
	if err := anew.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	erase(t, anew, ada)
}
