package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	subfolder = "postgres"

	// A socket's path has at most 107 bytes on Linux, and PostgreSQL adds
	// "/.s.PGSQL.5432.lock" to the folder.
	longestSocketDir = 107 - len("/.s.PGSQL.5432.lock")
)

// layout is where a server's files are. The root and the files right in it stay
// with whoever runs the tracker; data, run and log belong to the server's
// account, and nothing is ever written there on its behalf.
type layout struct {
	root    string // <data folder>/postgres, without symlinks
	account account
}

func (l layout) data() string      { return filepath.Join(l.root, "data") }
func (l layout) logs() string      { return filepath.Join(l.root, "log") }
func (l layout) lockFile() string  { return filepath.Join(l.root, "owner.lock") }
func (l layout) config() string    { return filepath.Join(l.root, "postgresql.conf") }
func (l layout) hba() string       { return filepath.Join(l.root, "pg_hba.conf") }
func (l layout) ident() string     { return filepath.Join(l.root, "pg_ident.conf") }
func (l layout) startLog() string  { return filepath.Join(l.root, "start.log") }
func (l layout) pidFile() string   { return filepath.Join(l.data(), "postmaster.pid") }
func (l layout) versionOf() string { return filepath.Join(l.data(), "PG_VERSION") }

// account is the user the server runs as. PostgreSQL refuses to run as root.
type account struct {
	uid, gid uint32
	name     string // empty when the user database doesn't know the uid
	drop     bool   // this process is root and must change to it
}

// prepare creates the folders and picks the account.
func prepare(dataDir string) (layout, error) {
	dataDir, err := filepath.Abs(dataDir)
	if err != nil {
		return layout{}, fmt.Errorf("find folder %s: %w", dataDir, err)
	}
	// The server's account must be able to enter, nobody needs to list.
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	root := filepath.Join(dataDir, subfolder)
	for _, dir := range []string{dataDir, root} {
		if err := makeFolder(dir, mode); err != nil {
			return layout{}, fmt.Errorf("create the data folder: %w; set TRACKER_DATA_DIR to a folder this user may write, or DATABASE_URL to a running PostgreSQL", err)
		}
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return layout{}, fmt.Errorf("find the data folder: %w", err)
	}
	acc, err := pickAccount(root)
	if err != nil {
		return layout{}, err
	}
	lay := layout{root: root, account: acc}
	if err := lay.makeOwn(lay.logs()); err != nil {
		return layout{}, err
	}
	return lay, nil
}

// makeFolder creates one folder (and its parents) with that mode whatever the
// umask says, and leaves one that exists as it is.
func makeFolder(dir string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, mode); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return os.Chmod(dir, mode)
}

// makeOwn creates a folder that only the server's account may enter.
func (l layout) makeOwn(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create folder for PostgreSQL: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("create folder for PostgreSQL: %w", err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return fmt.Errorf("%s is in the way: it is not a folder", dir)
	}
	if stat.Uid == l.account.uid {
		return nil
	}
	if !l.account.drop {
		return fmt.Errorf("%s belongs to another user (uid %d): run the tracker as that user or as root, or set TRACKER_DATA_DIR to another folder", dir, stat.Uid)
	}
	if err := os.Lchown(dir, int(l.account.uid), int(l.account.gid)); err != nil {
		return fmt.Errorf("hand folder to PostgreSQL: %w", err)
	}
	return nil
}

// pickAccount returns the current user, or for root the first of postgres and
// nobody that can enter the folder; a data folder that exists decides.
func pickAccount(root string) (account, error) {
	if os.Geteuid() != 0 {
		acc := account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
		if u, err := user.LookupId(strconv.Itoa(os.Geteuid())); err == nil {
			acc.name = u.Username
		}
		return acc, nil
	}
	candidates := []func() (*user.User, error){
		func() (*user.User, error) { return user.Lookup("postgres") },
		func() (*user.User, error) { return user.Lookup("nobody") },
	}
	if info, err := os.Lstat(filepath.Join(root, "data")); err == nil {
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
			candidates = []func() (*user.User, error){
				func() (*user.User, error) { return user.LookupId(strconv.Itoa(int(stat.Uid))) },
			}
		}
	}
	var tried []string
	for _, lookup := range candidates {
		u, err := lookup()
		if err != nil {
			tried = append(tried, err.Error())
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return account{}, fmt.Errorf("read ids of user %s: %w", u.Username, err)
		}
		acc := account{uid: uint32(uid), gid: uint32(gid), name: u.Username, drop: true}
		if err := acc.canEnter(root); err != nil {
			tried = append(tried, fmt.Sprintf("%s: %v", u.Username, err))
			continue
		}
		return acc, nil
	}
	return account{}, fmt.Errorf("PostgreSQL does not run as root and no unprivileged user can enter %s (%s): set TRACKER_DATA_DIR to a folder that others may pass through, such as /var/lib/tracker, or DATABASE_URL to a running PostgreSQL",
		root, strings.Join(tried, "; "))
}

// canEnter asks the kernel, which knows of access lists and missing
// capabilities: a process of that user is started in the folder.
func (a account) canEnter(dir string) error {
	cmd := exec.Command("/bin/true")
	cmd.Dir = dir
	cmd.Env = []string{}
	cmd.SysProcAttr = a.attributes()
	return cmd.Run()
}

// attributes makes a child run as the account in a session of its own, so that
// a Ctrl-C meant for the tracker doesn't reach the server before it.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: []uint32{a.gid}}
	}
	return attr
}

// socketDir returns the folder for the socket: in the root, or a short one of
// this account elsewhere when that path would be too long for a socket.
func (l layout) socketDir() (string, error) {
	dir := filepath.Join(l.root, "run")
	if len(dir) <= longestSocketDir {
		return dir, l.makeOwn(dir)
	}
	sum := sha256.Sum256([]byte(l.root))
	name := fmt.Sprintf("tracker-pg-%d-%s", l.account.uid, hex.EncodeToString(sum[:5]))
	parent := os.TempDir()
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); !l.account.drop && filepath.IsAbs(runtime) {
		parent = runtime
	}
	for _, parent := range []string{parent, "/tmp"} {
		short := filepath.Join(parent, name)
		if len(short) > longestSocketDir {
			continue
		}
		if err := l.claimShort(short); err == nil {
			return short, nil
		}
	}
	// Somebody sits on the name: any free one does, attaching processes read it
	// from postmaster.pid.
	short, err := os.MkdirTemp("/tmp", "tracker-pg-")
	if err != nil {
		return "", fmt.Errorf("create a short folder for the socket: %w", err)
	}
	return short, l.claimShort(short)
}

// claimShort makes the folder this account's own. /tmp is shared: a folder that
// somebody else made must not be trusted with the socket.
func (l layout) claimShort(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil || l.account.drop && ownedBy(dir, 0) {
		return l.makeOwn(dir)
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !ownedBy(dir, l.account.uid) {
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	return os.Chmod(dir, 0o700)
}

func ownedBy(dir string, uid uint32) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == uid
}
