package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// environment is all that PostgreSQL gets: the tracker's own holds secrets.
var environment = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}

// durable are the settings of every embedded server.
var durable = map[string]string{
	"listen_addresses":        "",
	"unix_socket_permissions": "0700",
	"port":                    strconv.Itoa(port),
	"max_connections":         "200",
	"shared_buffers":          "256MB",
	"fsync":                   "on",
	"full_page_writes":        "on",
	"synchronous_commit":      "on",
	"timezone":                "UTC",
	"log_timezone":            "UTC",
	"lc_messages":             "C",
	"logging_collector":       "on",
	// One file a weekday, overwritten a week later.
	"log_filename":             "postgresql-%a.log",
	"log_rotation_age":         "1d",
	"log_rotation_size":        "0",
	"log_truncate_on_rotation": "on",
	"log_line_prefix":          "%m [%p] %q%u@%d ",
	"log_min_messages":         "warning",
	// Statements and the DETAIL of errors carry what learners wrote.
	"log_min_error_statement": "panic",
	"log_error_verbosity":     "terse",
}

// majorOf returns the version that made the data, 0 when there is none yet.
func (l layout) majorOf() (int, error) {
	text, err := readFile(l.versionOf())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of the data folder: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("read the version of the data folder: %s holds %q", l.versionOf(), text)
	}
	return major, nil
}

// readFile reads a short file of the server without following a link that its
// account may have put there.
func readFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	buf := make([]byte, 4096)
	n, err := f.Read(buf)
	if n == 0 && err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// initialize creates the data folder under another name and renames it when it
// is whole, so that a kill halfway leaves nothing that looks like data.
func initialize(ctx context.Context, p programs, l layout, settings map[string]string) error {
	fresh := filepath.Join(l.root, "data.new")
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove what an interrupted start left: %w", err)
	}
	if err := l.makeOwn(fresh); err != nil {
		return err
	}
	args := []string{"--pgdata", fresh, "--username", superuser, "--encoding", "UTF8",
		"--auth", "peer", "--data-checksums", "--no-instructions"}
	if p.major >= 17 {
		args = append(args, "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8")
	}
	if settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	var last []byte
	// Not every libc has C.UTF-8; plain C sorts alike.
	for _, locale := range []string{"C.UTF-8", "C"} {
		cmd := exec.CommandContext(ctx, p.path("initdb"), append(args, "--locale", locale)...)
		cmd.Dir, cmd.Env, cmd.SysProcAttr = l.root, environment, l.account.attributes()
		l.account.borrowName(cmd.SysProcAttr)
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // its children too
		out, err := cmd.CombinedOutput()
		if err == nil {
			return os.Rename(fresh, l.data())
		}
		if ctx.Err() != nil {
			return fmt.Errorf("create a PostgreSQL data folder in %s: %w", l.root, context.Cause(ctx))
		}
		last = append(bytes.TrimSpace(out), fmt.Sprintf(" (%v)", err)...)
		if !bytes.Contains(out, []byte("invalid locale")) {
			break
		}
	}
	return fmt.Errorf("create a PostgreSQL data folder in %s: initdb said: %s", l.root, last)
}

// borrowName lets initdb run for a uid without an entry in the user database,
// as containers have: it insists on a name, so it sees itself as nobody.
func (a account) borrowName(attr *syscall.SysProcAttr) {
	if a.name != "" {
		return
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return
	}
	uid, errUID := strconv.Atoi(nobody.Uid)
	gid, errGID := strconv.Atoi(nobody.Gid)
	if errUID != nil || errGID != nil {
		return
	}
	attr.Cloneflags |= syscall.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: int(a.uid), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: int(a.gid), Size: 1}}
}

// configure writes the files that the server reads and may not write.
func (l layout) configure(socketDir string, settings map[string]string) error {
	all := maps.Clone(durable)
	maps.Copy(all, settings)
	all["unix_socket_directories"] = `"` + socketDir + `"`
	all["log_directory"] = l.logs()
	all["hba_file"], all["ident_file"] = l.hba(), l.ident()

	var conf strings.Builder
	conf.WriteString("# Written by the tracker at each start; lasting changes: ALTER SYSTEM.\n")
	fmt.Fprintf(&conf, "include %s\n", quote(filepath.Join(l.data(), "postgresql.conf")))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&conf, "%s = %s\n", key, quote(all[key]))
	}

	// The socket's folder lets in root and the account alone; peer proves it
	// once more wherever the account has a name that can be proved.
	hba, ident := "local all all trust\n", ""
	if l.account.name != "" {
		hba = "local all all peer map=tracker\n"
		for _, name := range slices.Compact([]string{"root", l.account.name}) {
			ident += fmt.Sprintf("tracker %q %s\n", name, superuser)
		}
	}
	for path, text := range map[string]string{l.config(): conf.String(), l.hba(): hba, l.ident(): ident} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("configure PostgreSQL: %w", err)
		}
		if err := os.Chmod(path, 0o644); err != nil { // whatever the umask says
			return fmt.Errorf("configure PostgreSQL: %w", err)
		}
	}
	return nil
}

func quote(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }
