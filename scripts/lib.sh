# Checks and small helpers shared by the scripts beside it; sourced, not run.

say() { printf '\033[2m==>\033[0m %s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# apt_install installs packages, refreshing the package lists only when the first try fails.
apt_install() {
	say "installing $*"
	local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120)
	"${quiet[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 && return
	"${quiet[@]}" update && "${quiet[@]}" install -y --no-install-recommends "$@" >/dev/null
}

# setting prints a variable of the environment, else of .env.
setting() {
	local value=${!1-}
	if [ -z "$value" ] && [ -f .env ]; then
		value=$(sed -nE "s/^(export )?$1=[\"']?([^\"']*)[\"']?\$/\2/p" .env | tail -1)
	fi
	printf '%s' "$value"
}

# needs_postgres holds unless the purpose (run, test, or anything) is served by a
# server from elsewhere.
needs_postgres() {
	case ${1-} in
	run) [ -z "$(setting DATABASE_URL)" ] ;;
	test) [ -z "${TRACKER_TEST_DATABASE_URL-}" ] ;;
	*) needs_postgres run || needs_postgres test ;;
	esac
}

# distribution_postgres prints the major version the distribution packages, if it is new enough.
distribution_postgres() {
	apt-cache depends postgresql 2>/dev/null | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | head -1
}

# postgres_bin prints the folder of the newest PostgreSQL 15+ programs, one with pgvector first;
# nothing when there is none.
postgres_bin() {
	local dir newest="" major
	while IFS= read -r dir; do
		[ -x "$dir/postgres" ] && [ -x "$dir/initdb" ] || continue
		major=$("$dir/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
		[ "$major" -ge 15 ] || continue
		[ -n "$newest" ] || newest=$dir
		if has_pgvector "$dir"; then
			printf '%s' "$dir"
			return
		fi
	done < <(
		find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -rV
		dirname "$(command -v postgres 2>/dev/null || echo /nowhere/x)"
		pg_config --bindir 2>/dev/null || true
	)
	printf '%s' "$newest"
}

# has_pgvector holds when the server of that folder has pgvector 0.8 or newer, readable by all.
has_pgvector() {
	local share control version
	share=$("$1/pg_config" --sharedir 2>/dev/null) || return 1
	control=$share/extension/vector.control
	[ -f "$control" ] || return 1
	version=$(sed -nE "s/^default_version *= *'([0-9.]+)'.*/\1/p" "$control")
	[ "$(printf '%s\n' 0.8 "$version" | sort -V | head -1)" = 0.8 ] &&
		[ -f "$("$1/pg_config" --pkglibdir)/vector.so" ]
}

# system_python prints the interpreter submissions run with: one outside anybody's home.
system_python() { [ -x /usr/bin/python3 ] && printf /usr/bin/python3 || true; }

has_pytest() { "$1" -I -c 'import importlib.util as u, sys; sys.exit(u.find_spec("pytest") is None)' 2>/dev/null; }
