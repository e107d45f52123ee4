//go:build !linux

package pluginproto

// protect does nothing where the system has no such setting.
func protect() {}
