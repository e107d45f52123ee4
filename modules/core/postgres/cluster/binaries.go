package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first major version that everything here works with.
const oldest = 15

const howToGoOn = "run `make setup` as root to install it, or set DATABASE_URL to a running PostgreSQL 15+ with pgvector 0.8+"

// programs is one installed PostgreSQL.
type programs struct {
	dir      string
	major    int
	pgvector bool
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// findPrograms returns the installation to use: the one asked for, the one that
// made the existing data (want > 0), else the newest, with pgvector before
// without.
func findPrograms(ctx context.Context, asked string, want int) (programs, error) {
	if asked != "" {
		p, err := inspect(ctx, asked)
		if err != nil {
			return programs{}, err
		}
		if want > 0 && p.major != want {
			return programs{}, fmt.Errorf("the data folder was made by PostgreSQL %d, the programs in %s are version %d: use those of %d, or move the data with pg_upgrade", want, asked, p.major, want)
		}
		return p, nil
	}
	var found []programs
	for _, dir := range candidateFolders(ctx) {
		if p, err := inspect(ctx, dir); err == nil && (want == 0 || p.major == want) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		if want > 0 {
			return programs{}, fmt.Errorf("the data folder was made by PostgreSQL %d, which is no longer installed: install postgresql-%d again, or move the data with pg_upgrade", want, want)
		}
		return programs{}, fmt.Errorf("no PostgreSQL %d or newer is installed: %s", oldest, howToGoOn)
	}
	return slices.MaxFunc(found, func(a, b programs) int {
		if a.pgvector != b.pgvector {
			if a.pgvector {
				return 1
			}
			return -1
		}
		return a.major - b.major
	}), nil
}

func candidateFolders(ctx context.Context) []string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well-formed
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func inspect(ctx context.Context, dir string) (programs, error) {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return programs{}, fmt.Errorf("no PostgreSQL server programs in %s: %w; %s", dir, err, howToGoOn)
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return programs{}, fmt.Errorf("ask %s/postgres for its version: %w", dir, err)
	}
	match := versionPattern.FindSubmatch(out)
	if match == nil {
		return programs{}, fmt.Errorf("%s/postgres does not tell its version: %q", dir, out)
	}
	major, err := strconv.Atoi(string(match[1]))
	if err != nil || major < oldest {
		return programs{}, fmt.Errorf("PostgreSQL in %s is version %s, which is too old: %s", dir, match[1], howToGoOn)
	}
	p := programs{dir: dir, major: major}
	share := fmt.Sprintf("/usr/share/postgresql/%d", major)
	if out, err := exec.CommandContext(ctx, p.path("pg_config"), "--sharedir").Output(); err == nil {
		share = strings.TrimSpace(string(out))
	}
	_, err = os.Stat(filepath.Join(share, "extension", "vector.control"))
	p.pgvector = err == nil
	return p, nil
}
