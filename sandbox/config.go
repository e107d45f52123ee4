package sandbox

// Config is how a Runner works on this machine. The zero value is right for
// most.
type Config struct {
	// InitPath is the sandbox-init binary. Defaults to the one beside the
	// running executable, else the executable itself, which must call Init.
	InitPath string
	// RuntimeRoots are the host's folders that a step may mount from, as steps
	// are planned by plugins, which are not trusted with the whole disk.
	// Defaults to DefaultRuntimeRoots.
	RuntimeRoots []string
	// FirstUID is the first of Slots host user ids, one for each room at a
	// time, when running as root. Nothing else should use them. Defaults to
	// 60000.
	FirstUID int
	// Slots bounds the rooms that exist at the same time; Run waits for a free
	// one, a step of two processes for two. At least 2. Defaults to 1024.
	Slots int
	// Nice lowers the priority of learners' code, 0 to 19, so that a busy
	// machine serves others first at the price of slower verdicts. Defaults to
	// 0, the server's own.
	Nice int
	// CgroupParent is a folder of the unified hierarchy that was delegated to
	// this process. Defaults to the one this process is in.
	CgroupParent string
	// Backend is BackendNative or BackendRunsc. Defaults to BackendNative.
	Backend string
	// UnsafeWithoutIsolation lets programs run on a machine without namespaces,
	// where they are kept off it by little (see README.md). Where there are
	// namespaces it changes nothing.
	UnsafeWithoutIsolation bool
	// NoCgroup limits memory by watching instead.
	NoCgroup bool
	// NoUserNamespace, as root, leaves out the user namespace, for machines
	// that forbid them or hide parts of /proc. A normal user can't do without.
	NoUserNamespace bool
}

// DefaultRuntimeRoots hold programs and no secrets.
func DefaultRuntimeRoots() []string {
	return []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store",
		"/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/certs", "/etc/java-17-openjdk", "/etc/java-21-openjdk", "/etc/maven", "/etc/localtime"}
}

const (
	defaultFirstUID = 60000
	defaultSlots    = 1024
)

func (c Config) withDefaults() Config {
	if len(c.RuntimeRoots) == 0 {
		c.RuntimeRoots = DefaultRuntimeRoots()
	}
	if c.FirstUID == 0 {
		c.FirstUID = defaultFirstUID
	}
	if c.Slots == 0 {
		c.Slots = defaultSlots
	}
	c.Slots = max(c.Slots, 2)
	return c
}
