package erasure_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
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
		if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != server || info.Mode().Perm()&0o077 != 0 { //nolint:forcetypeassert // on Linux
			t.Errorf("%s is of %d, %s", path, owner, info.Mode())
		}
	}
}
